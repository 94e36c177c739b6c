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

"""From a checkpoint folder of any family to one of our own: safetensors, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
import json
import os
from pathlib import Path
import shutil
import tempfile

import torch
from torch import Tensor

from vla_accel_ros.files.whole_files import naming
from vla_accel_ros.models.checkpoints import checksum, own_config
from vla_accel_ros.models.checkpoints.config_file import read_config
from vla_accel_ros.models.checkpoints.file_names import CONFIG, OWN
from vla_accel_ros.models.checkpoints.folder import Progress, load
from vla_accel_ros.models.checkpoints.json_file import CheckpointError
from vla_accel_ros.models.checkpoints.weights import INDEX, WEIGHTS, check_finite
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.families import registry
from vla_accel_ros.models.tokenizer import load_prompt_encoder
from vla_accel_ros.models.tokenizer_file import LLAMAS, TOKENIZER

# Bytes of a file of weights at most; one larger tensor has a file of its own.
LARGEST = 4 * 10**9
# Of what a folder holds beside the weights that are counted; configuration and tokeniser.
SPARE = 64 * 2**20


def convert(
    folder: Path,
    out: Path,
    dtype: torch.dtype | None = None,
    tokenizer: Path | None = None,
    progress: Progress | None = None,
    largest: int = LARGEST,
) -> list[Path]:
    """Write a checkpoint as a folder of our own.

    The weights are read from the files as they are written, so that a model may be larger than
    the memory. All is written beside `out` first, and moved there when it is whole.

    Args:
        folder: A checkpoint of a known family.
        out: The folder to make; it may exist if it is empty.
        dtype: Type of the stored weights; as they are when None. What the family has in float32
            stays so.
        tokenizer: A `tokenizer.json` or `tokenizer.model` to put there; the folder's own if None.
        progress: Called with the share written, 0..1, and the name of a tensor.
        largest: Bytes of a file at most.

    Returns:
        The files, in `out`.

    Raises:
        CheckpointError: When the checkpoint cannot be used, or there is no room for another.
        TokenizerError: When the tokeniser does not fit.
        OSError: When a file cannot be written.
    """
    if out.is_symlink() or (out.exists() and (not out.is_dir() or any(out.iterdir()))):
        raise CheckpointError(f'{out} is there, expected a new or an empty folder')
    model = load(folder, mapped=True)
    family = registry.of(model.config)

    def kind(name: str, tensor: Tensor) -> torch.dtype:
        wide = dtype is not None and family.precise(model.config, name)
        return torch.promote_types(dtype, torch.float32) if wide else dtype or tensor.dtype

    state = {name: (t, kind(name, t)) for name, t in model.state_dict().items()}
    out.parent.mkdir(parents=True, exist_ok=True)
    _check_room(out.parent, state)
    beside = Path(tempfile.mkdtemp(prefix='.vla-accel-', dir=out.parent))
    try:
        with naming(out):
            _write_weights(beside, state, folder, progress, largest)
            _write_rest(beside, folder, model.config, tokenizer)
            beside.chmod(0o755)
            os.replace(beside, out)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    return sorted(out.iterdir())


def _size(tensor: Tensor, kind: torch.dtype) -> int:
    return tensor.numel() * kind.itemsize


def _check_room(folder: Path, state: Mapping[str, tuple[Tensor, torch.dtype]]) -> None:
    wanted = sum(_size(*each) for each in state.values()) + SPARE
    free = shutil.disk_usage(folder).free
    if free < wanted:
        raise CheckpointError(
            f'{folder} has {free / 1e9:.1f} GB left, expected {wanted / 1e9:.1f} GB for the copy'
        )


def _parts(
    state: Mapping[str, tuple[Tensor, torch.dtype]], largest: int
) -> Iterator[dict[str, tuple[Tensor, torch.dtype]]]:
    """Yield the tensors of each file."""
    part: dict[str, tuple[Tensor, torch.dtype]] = {}
    held = 0
    for name, each in state.items():
        if part and held + _size(*each) > largest:
            yield part
            part, held = {}, 0
        part[name] = each
        held += _size(*each)
    yield part


def _write_weights(
    place: Path,
    state: Mapping[str, tuple[Tensor, torch.dtype]],
    folder: Path,
    progress: Progress | None,
    largest: int,
) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    parts, done, where = list(_parts(state, largest)), 0, {}
    for number, part in enumerate(parts, 1):
        stem = WEIGHTS.partition('.')[0]
        name = WEIGHTS if len(parts) == 1 else f'{stem}-{number:05}-of-{len(parts):05}.safetensors'
        tensors = {}
        for key, (tensor, kind) in part.items():
            tensors[key] = tensor.detach().to(kind).contiguous()
            check_finite(key, tensors[key], folder)
            done += 1
            where[key] = name
            if progress is not None:
                progress(done / len(state), key)
        try:
            save_file(tensors, place / name, {'format': 'pt'})
        except SafetensorError as error:
            raise OSError(f'{name} cannot be written: {error}') from error
        (place / name).chmod(0o644)
        checksum.checksum_file(place / name).write_text(checksum.line(place / name))
    if len(parts) > 1:
        index = {
            'metadata': {'total_size': sum(_size(*each) for each in state.values())},
            'weight_map': where,
        }
        (place / INDEX).write_text(json.dumps(index, indent=1) + '\n', encoding='utf-8')


def _write_rest(place: Path, folder: Path, config: VLAConfig, tokenizer: Path | None) -> None:
    own = own_config.write(config)
    values = {'model_type': OWN, 'norm_stats': own.pop('norm_stats'), OWN: own}
    (place / CONFIG).write_text(json.dumps(values, indent=1) + '\n', encoding='utf-8')
    found = [folder / name for name in (TOKENIZER, LLAMAS) if (folder / name).exists()]
    for file in [tokenizer] if tokenizer else found:
        name = LLAMAS if file.suffix == Path(LLAMAS).suffix else TOKENIZER
        shutil.copyfile(file, place / name)
    # What is wrong with it is better known now than on a robot.
    load_prompt_encoder(place, read_config(place))
