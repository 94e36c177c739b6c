# Copyright 2026 The vla_accel_ros developers
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""Reading and writing checkpoint folders."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
import json
from pathlib import Path

import torch
from torch import Tensor

from vla_accel_ros.whole_files import replace_whole, write_whole

from .config import VLAConfig
from .config_file import CONFIG, OWN, CheckpointError, read_config, read_json
from .oft import build
from .openvla import OpenVLA
from .side_files import find, tensors

WEIGHTS = 'model.safetensors'
INDEX = 'model.safetensors.index.json'

Progress = Callable[[float, str], None]


def resolve(folder_or_hub: str | Path, allow_download: bool = False) -> Path:
    """Give the folder of a checkpoint, downloading it only when told to.

    Args:
        folder_or_hub: A folder, or a hub's `owner/name`.
        allow_download: Whether a name that is no folder may be fetched from the hub.

    Raises:
        CheckpointError: When there is no such folder and nothing may or can be fetched.
    """
    folder = Path(folder_or_hub).expanduser()
    if folder.is_dir():
        return folder
    name = str(folder_or_hub)
    if name.count('/') != 1 or name.startswith(('.', '/', '~')):
        raise CheckpointError(f"'{name}' is no checkpoint folder")
    if not allow_download:
        raise CheckpointError(
            f"'{name}' is no folder here, and downloading it from the hub was not allowed")
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise CheckpointError(
            f"'{name}' is no folder here; fetching it needs the package huggingface_hub",
        ) from None
    patterns = ['*.json', '*.safetensors', '*.model', '*_checkpoint.pt']
    return Path(snapshot_download(name, allow_patterns=patterns))


def shards(folder: Path) -> list[Path]:
    """Give the files that hold the weights.

    Raises:
        CheckpointError: When there are none, or the index names one that is missing.
    """
    if (folder / INDEX).exists():
        names = sorted(set(read_json(folder / INDEX).get('weight_map', {}).values()))
        files = [folder / name for name in names]
        missing = [file.name for file in files if not file.exists()]
        if missing or not files:
            raise CheckpointError(f'{folder / INDEX} names {missing or "no file"}: not there')
        return files
    if not (folder / WEIGHTS).exists():
        raise CheckpointError(f'{folder} holds neither {WEIGHTS} nor {INDEX}')
    return [folder / WEIGHTS]


def read_tensors(files: list[Path], device: str = 'cpu') -> Iterator[tuple[str, Tensor]]:
    """Read all tensors of safetensors files, one at a time.

    Raises:
        CheckpointError: When a file is corrupt.
    """
    from safetensors import SafetensorError, safe_open

    for file in files:
        try:
            with safe_open(file, framework='pt', device=device) as opened:
                for name in opened.keys():  # noqa: SIM118 (no mapping)
                    yield name, opened.get_tensor(name)
        except (SafetensorError, OSError) as error:
            raise CheckpointError(f'{file} cannot be read: {error}') from error


def never_runs(config: VLAConfig, name: str) -> bool:
    """Say whether a public checkpoint's tensor belongs to what never runs.

    These are each tower's blocks behind the feature block, its final norm and its pooling head;
    and the rotary frequencies that old Llama files store.
    """
    if name.endswith('rotary_emb.inv_freq'):
        return True
    for tower in config.towers:
        prefix = f'vision_backbone.{tower.name}.'
        if name.startswith(prefix):
            rest = name[len(prefix):].split('.')
            late = rest[0] == 'blocks' and rest[1].isdigit() and int(rest[1]) >= tower.blocks
            return late or rest[0] in ('norm', 'attn_pool')
    return False


def _aligned(tensor: Tensor) -> Tensor:
    """Give the tensor where torch itself would have put it: at a multiple of 64 bytes.

    In a file's mapping it lies anywhere, which costs time and makes the processor's libraries
    round in another order than for everybody else.
    """
    return tensor.clone() if tensor.data_ptr() % 64 else tensor


def _complain(folder: Path, what: str, names: list[str]) -> str:
    shown = ', '.join(names[:8]) + (f' and {len(names) - 8} more' if len(names) > 8 else '')
    return f'{folder}: {len(names)} tensors {what}: {shown}' if names else ''


def load(
    folder: str | Path, device: str | torch.device = 'cpu', dtype: torch.dtype | None = None,
    progress: Progress | None = None, config: VLAConfig | None = None,
    sides: Mapping[str, Path] | None = None,
) -> OpenVLA:
    """Load a model from a folder.

    Args:
        folder: Ours or a public OpenVLA's or OpenVLA-OFT's, in one file or in shards.
        device: Where the weights go.
        dtype: Type of the weights; the stored one when None.
        progress: Called with the share done, 0..1, and a word on what is being done.
        config: The model's; the folder's when None.
        sides: OFT's side files by kind, whose tensors replace those of the same name; found by
            their public names when None.

    Returns:
        The model in evaluation mode, without gradients.

    Raises:
        CheckpointError: When a file is missing or corrupt, or tensors are missing, unexpected
            or of another shape than the configuration says; the message lists them.
    """
    folder = Path(folder)
    sides = find(folder) if sides is None else sides
    config = read_config(folder, sides) if config is None else config
    files = shards(folder)
    with torch.device('meta'):
        model = build(config)
    wanted = {name: tensor.shape for name, tensor in model.state_dict().items()}
    state, unexpected, misshapen = {}, [], []
    beside = (tensors(kind, file).items() for kind, file in sides.items())
    for name, tensor in chain(read_tensors(files, str(device)), *beside):
        if name not in wanted:
            if not never_runs(config, name):
                unexpected.append(name)
        elif tensor.shape != wanted[name]:
            misshapen.append(f'{name} {list(tensor.shape)} for {list(wanted[name])}')
        else:
            state[name] = _aligned(tensor.to(device, dtype))
            if progress is not None:
                progress(len(state) / len(wanted), name)
    bad = {name.split(' ')[0] for name in misshapen}
    missing = [name for name in wanted if name not in state and name not in bad]
    complaints = [
        _complain(folder, 'are missing', missing),
        _complain(folder, 'are not expected', unexpected),
        _complain(folder, 'have another shape than configured', misshapen),
    ]
    if any(complaints):
        raise CheckpointError('; '.join(c for c in complaints if c))
    model.load_state_dict(state, assign=True)
    return model.to(device).eval().requires_grad_(False)


def save(model: OpenVLA, folder: str | Path, dtype: torch.dtype | None = None) -> None:
    """Write a model into a folder; each file is at any time either the old or the new one.

    Args:
        model: What to write; its configuration's `norm_stats` go with it.
        folder: Made if need be; other files in it stay.
        dtype: Type to store the weights in; the model's when None.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    state = {
        name: tensor.detach().to('cpu', dtype).contiguous().clone()
        for name, tensor in model.state_dict().items()
    }

    def weights(path: Path) -> None:
        try:
            save_file(state, path, {'format': 'pt'})
        except SafetensorError as error:
            raise OSError(f'{folder / WEIGHTS} cannot be written: {error}') from error

    replace_whole(folder / WEIGHTS, weights)
    own = model.config.to_dict()
    values = {'model_type': OWN, 'norm_stats': own.pop('norm_stats'), OWN: own}
    write_whole(folder / CONFIG, json.dumps(values, indent=1) + '\n')
