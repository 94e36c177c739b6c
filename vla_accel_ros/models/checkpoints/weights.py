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
"""The files that hold a folder's weights: which they are, what they say they hold, the tensors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from vla_accel_ros.files.kinds import Object, Word, at
from vla_accel_ros.files.links import dangling
from vla_accel_ros.models.checkpoints.checksum import checksum_file
from vla_accel_ros.models.checkpoints.json_file import CheckpointError, named, read_json
from vla_accel_ros.models.checkpoints.safetensors_header import FLOATS, Stored, read_header

if TYPE_CHECKING:
    from torch import Tensor

WEIGHTS = 'model.safetensors'
INDEX = 'model.safetensors.index.json'
# What `peft` writes for a low-rank adapter.
ADAPTER = 'adapter_model.safetensors'


def shards(folder: Path) -> list[Path]:
    """Give the files that hold the weights.

    Raises:
        CheckpointError: When there are none, or the index names one that is missing.
    """
    index, single = folder / INDEX, folder / WEIGHTS
    for file in (index, single):
        if why := dangling(file):
            raise CheckpointError(why)
    if index.exists():
        return _indexed(index)
    if single.exists():
        return [single]
    if (folder / ADAPTER).exists():
        raise CheckpointError(
            f'{folder} holds a low-rank adapter ({ADAPTER}) without the model that it adapts: '
            'merge it into that first, by merge_and_unload() of the package peft'
        )
    raise CheckpointError(f'{folder} holds neither {WEIGHTS} nor {INDEX}')


def _indexed(index: Path) -> list[Path]:
    # A name with a folder in it would read files from anywhere.
    name = Word(pattern=r'[^/\\\0]+\.safetensors', example='model-00001-of-00002.safetensors')
    values = read_json(index)
    with named(index):
        weight_map = Object().read(values.get('weight_map'), 'weight_map')
        names = sorted(
            {name.read(value, at('weight_map', key)) for key, value in weight_map.items()}
        )
    files = [index.parent / name for name in names]
    for file in files:
        if why := dangling(file):
            raise CheckpointError(why)
    if not files:
        raise CheckpointError(f'{index}: weight_map names no file')
    missing = [file.name for file in files if not file.exists()]
    if missing:
        raise CheckpointError(f'{index} names {missing}: not there')
    return files


def checked_by(folder: Path) -> bool:
    """Say whether every file of the weights has a checksum beside it."""
    return all(checksum_file(file).exists() for file in shards(folder))


def stored_in(files: list[Path]) -> dict[str, tuple[Path, Stored]]:
    """Read which tensors files hold, and none of them.

    Raises:
        CheckpointError: When a file is corrupt.
    """
    return {name: (file, stored) for file in files for name, stored in read_header(file).items()}


def check_types(stored: Mapping[str, tuple[Path, Stored]]) -> None:
    """Refuse tensors that are no plain floating-point numbers.

    Raises:
        CheckpointError: When there is one; it names the first.
    """
    for name, (file, tensor) in stored.items():
        if tensor.dtype not in FLOATS:
            raise CheckpointError(
                f'{file}: {name} is of the type {shown_type(tensor.dtype)}, expected one of '
                f'{", ".join(FLOATS)}: quantised weights are not understood'
            )


def shown_type(dtype: str) -> str:
    """Give a type's name for an error; what stands in a file may be anything."""
    return repr(dtype[:20])


def read_tensors(files: list[Path], device: str = 'cpu') -> Iterator[tuple[str, Tensor]]:
    """Read all tensors of safetensors files, one at a time.

    Raises:
        CheckpointError: When a file is corrupt.
    """
    for file in files:
        yield from read_some(file, read_header(file), device)


def read_some(
    file: Path, names: Iterable[str], device: str = 'cpu'
) -> Iterator[tuple[str, Tensor]]:
    """Read some tensors of a safetensors file, one at a time.

    Args:
        file: The file, whose header could be read.
        names: Of the tensors.
        device: Where they go.

    Raises:
        CheckpointError: When the file is corrupt.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework='pt', device=device) as opened:
            for name in names:
                yield name, opened.get_tensor(name)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f'{file} cannot be read: {error}') from error


def check_finite(name: str, tensor: Tensor, file: Path) -> None:
    """Refuse weights that are NaN or infinite, for whatever they touch would be so, too.

    Raises:
        CheckpointError: When one is; it names file, tensor and type.
    """
    least, most = tensor.aminmax()
    if not bool(least.isfinite() and most.isfinite()):
        dtype = str(tensor.dtype).removeprefix('torch.')
        raise CheckpointError(f'{file}: {name} holds NaN or infinity, as {dtype}')
