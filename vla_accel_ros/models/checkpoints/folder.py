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

from collections.abc import Callable, Mapping
from functools import partial
import json
from pathlib import Path

import torch
from torch import Tensor

from vla_accel_ros.files.whole_files import replace_whole, write_whole
from vla_accel_ros.models.checkpoints import checksum, own_config
from vla_accel_ros.models.checkpoints.config_file import read_config
from vla_accel_ros.models.checkpoints.file_names import CONFIG, OWN
from vla_accel_ros.models.checkpoints.json_file import CheckpointError
from vla_accel_ros.models.checkpoints.sources import Assembly
from vla_accel_ros.models.checkpoints.tensor_places import linked_weights
from vla_accel_ros.models.checkpoints.weights import (
    WEIGHTS,
    check_finite,
    check_types,
    read_some,
    stored_in,
)
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.families import registry
from vla_accel_ros.models.families.interface import Family
from vla_accel_ros.models.vla import VLA
from vla_accel_ros.paths import user_path

Progress = Callable[[float, str], None]


def resolve(folder_or_hub: str | Path, allow_download: bool = False) -> Path:
    """Give the folder of a checkpoint, downloading it only when told to.

    Args:
        folder_or_hub: A folder, or a hub's `owner/name`.
        allow_download: Whether a name that is no folder may be fetched from the hub.

    Raises:
        CheckpointError: When there is no such folder and nothing may or can be fetched.
    """
    folder = user_path(folder_or_hub)
    if folder.is_dir():
        return folder
    name = str(folder_or_hub)
    if name.count('/') != 1 or name.startswith(('.', '/', '~')):
        raise CheckpointError(f"'{name}' is no checkpoint folder")
    if not allow_download:
        raise CheckpointError(
            f"'{name}' is no folder here, and downloading it from the hub was not allowed"
        )
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise CheckpointError(
            f"'{name}' is no folder here; fetching it needs the package huggingface_hub"
        ) from None
    patterns = ['*.json', '*.safetensors', '*.model', '*_checkpoint.pt', 'checkpoints/*.pt']
    return Path(snapshot_download(name, allow_patterns=patterns))


def _aligned(tensor: Tensor) -> Tensor:
    """Give the tensor where torch itself would have put it: at a multiple of 64 bytes.

    In a file's mapping it lies anywhere, which costs time and makes the processor's libraries
    round in another order than for everybody else.
    """
    return tensor.clone() if tensor.data_ptr() % 64 else tensor


def _complain(place: Path, what: str, names: list[str]) -> str:
    shown = ', '.join(names[:8]) + (f' and {len(names) - 8} more' if len(names) > 8 else '')
    return f'{place}: {len(names)} tensors {what}: {shown}' if names else ''


def load(
    folder: str | Path,
    device: str | torch.device = 'cpu',
    dtype: torch.dtype | None = None,
    progress: Progress | None = None,
    config: VLAConfig | None = None,
    family: Family | None = None,
    mapped: bool = False,
) -> VLA:
    """Load a model from a folder.

    Args:
        folder: Ours or a public one of a known family, in one file or in shards.
        device: Where the weights go.
        dtype: Type of the weights; the stored one when None.
        progress: Called with the share done, 0..1, and a word on what is being done.
        config: The model's; the folder's when None.
        family: That reads the folder and builds the model; the folder's when None.
        mapped: Whether the weights stay in the files and are read when they are used, so that a
            model larger than the memory can be looked at. Their numbers and checksums are not
            checked then, and `device` and `dtype` not heeded.

    Returns:
        The model in evaluation mode, without gradients.

    Raises:
        CheckpointError: When a file is missing, corrupt or not what its checksum says, when
            tensors are missing, unexpected or of another shape than the configuration says
            (the message lists them), or when one is quantised, NaN or infinite.
    """
    folder = Path(folder)
    config = read_config(folder, family) if config is None else config
    family = registry.of(config) if family is None else family
    files = family.files(folder)
    stored = stored_in(files)
    for file in () if mapped else files:
        checksum.check(file)
    beside = family.beside(folder)
    # Shapes first: nothing is allocated for a model that the files do not hold.
    with torch.device('meta'):
        model = family.build(config)
    wanted = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    shapes = {name: tuple(tensor.shape) for name, (_, tensor) in stored.items()}
    shapes |= {name: tuple(tensor.shape) for name, (_, tensor) in beside.items()}
    place = files[0] if len(files) == 1 and not beside else folder
    needless = {
        name for name in shapes if config.leaves_out(name) or family.never_runs(config, name)
    }
    sources = family.sources(config, shapes)
    assembly = Assembly(wanted, sources, shapes)
    _check_shapes(assembly, shapes, needless, place)
    own = {name: at for name, at in stored.items() if name in assembly.used and name not in beside}
    check_types(own)
    state: dict[str, Tensor] = {}

    def take(part: str, tensor: Tensor, file: Path) -> None:
        name = assembly.owner(part)
        if not mapped:
            kind = None if dtype is None else _kind(dtype, family.precise(config, name))
            tensor = tensor.to(device, kind)
            check_finite(part, tensor, file)
        whole = assembly.add(part, tensor)
        if whole is None:
            return
        state[name] = whole if mapped else _aligned(whole)
        if progress is not None:
            progress(len(state) / len(wanted), name)

    for file in files:
        names = [name for name, (where, _) in own.items() if where == file]
        for name, tensor in read_some(file, names, 'cpu' if mapped else str(device)):
            take(name, tensor, file)
    for name, (file, tensor) in beside.items():
        if name in assembly.used:
            take(name, tensor, file)
    model.load_state_dict(state, assign=True)
    if files:
        model.on_disk = partial(linked_weights, folder, sources)
    return model.to('cpu' if mapped else device).eval().requires_grad_(False)


def _kind(dtype: torch.dtype, precise: bool) -> torch.dtype:
    return torch.promote_types(dtype, torch.float32) if precise else dtype


def _check_shapes(
    assembly: Assembly, found: Mapping[str, tuple[int, ...]], needless: set[str], place: Path
) -> None:
    """Refuse tensors that are missing, not expected or of another shape; the message lists them.

    Args:
        assembly: What is wanted.
        found: Shapes by name.
        needless: Of those found, names that need not be wanted.
        place: File or folder to name.

    Raises:
        CheckpointError: When there are such tensors.
    """
    complaints = [
        _complain(place, 'are missing', assembly.missing()),
        _complain(
            place,
            'are not expected',
            [name for name in found if name not in assembly.used and name not in needless],
        ),
        _complain(place, 'have another shape than configured', assembly.misshapen()),
    ]
    if any(complaints):
        raise CheckpointError('; '.join(c for c in complaints if c))


def save(model: VLA, folder: str | Path, dtype: torch.dtype | None = None) -> None:
    """Write a model into a folder; each file is at any time either the old or the new one.

    Beside the weights goes their checksum, which is compared whenever they are loaded.

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

    sums = checksum.checksum_file(folder / WEIGHTS)
    # Old weights have no checksum for a moment, so that new ones never have a wrong one.
    sums.unlink(missing_ok=True)
    replace_whole(folder / WEIGHTS, weights)
    write_whole(sums, checksum.line(folder / WEIGHTS))
    own = own_config.write(model.config)
    values = {'model_type': OWN, 'norm_stats': own.pop('norm_stats'), OWN: own}
    write_whole(folder / CONFIG, json.dumps(values, indent=1) + '\n')
