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
"""The header of a safetensors file: which tensors it holds, before any of them is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vla_accel_ros.files.kinds import Object, Several, Whole, Word
from vla_accel_ros.files.lfs import complaint
from vla_accel_ros.files.links import dangling
from vla_accel_ros.models.checkpoints.json_file import CheckpointError, named, parse

# https://huggingface.co/docs/safetensors: a file's first 8 bytes are its header's length.
PREFIX = 8
LARGEST_HEADER = 100_000_000
# Tensors of other types are quantised, and mean nothing without what they were scaled by.
FLOATS = ('F64', 'F32', 'F16', 'BF16')


@dataclass(frozen=True)
class Stored:
    """What the header says of one tensor.

    Attributes:
        shape: Its shape.
        dtype: Its type, by safetensors' name.
        begin: Its first byte in the file.
        end: The byte behind its last one.
    """

    shape: tuple[int, ...]
    dtype: str
    begin: int
    end: int


def read_header(file: Path) -> dict[str, Stored]:
    """Read which tensors a file holds.

    Raises:
        CheckpointError: When it is missing, cut short or no safetensors.
    """
    if why := dangling(file) or complaint(file):
        raise CheckpointError(why)
    if not file.exists():
        raise CheckpointError(f'{file} is missing')
    if not file.is_file():
        raise CheckpointError(f'{file} is no file')
    try:
        with file.open('rb') as opened:
            size = file.stat().st_size
            length = int.from_bytes(opened.read(PREFIX), 'little')
            if size <= PREFIX or not 0 < length <= LARGEST_HEADER:
                raise CheckpointError(
                    f'{file} cannot be read: its {size} bytes do not begin as safetensors'
                )
            if size < PREFIX + length:
                raise CheckpointError(_short(file, PREFIX + length, size))
            text = opened.read(length).decode()
    except UnicodeDecodeError:
        raise CheckpointError(f'{file} cannot be read: its header is no UTF-8') from None
    except OSError as error:
        raise CheckpointError(f'{file} cannot be read: {error.strerror or error}') from error
    with named(file):
        entries = Object().read(parse(text, file), 'the header')
        tensors = {
            name: _stored(Object().read(entry, name), name, PREFIX + length)
            for name, entry in entries.items()
            if name != '__metadata__'
        }
    end = max((stored.end for stored in tensors.values()), default=PREFIX + length)
    if size < end:
        raise CheckpointError(_short(file, end, size))
    return tensors


def _stored(entry: dict, name: str, data: int) -> Stored:
    begin, end = Several(Whole(0, 2**50), 2, 2).read(
        entry.get('data_offsets'), f'{name}.data_offsets'
    )
    return Stored(
        Several(Whole(0, 2**40)).read(entry.get('shape'), f'{name}.shape'),
        Word().read(entry.get('dtype'), f'{name}.dtype'),
        data + begin,
        data + end,
    )


def _short(file: Path, promised: int, size: int) -> str:
    return (
        f'{file} cannot be read: it is cut short, it has {size} of the {promised} bytes that '
        'its header promises. Copy or download it again'
    )
