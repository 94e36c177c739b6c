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

"""Reading a checkpoint's JSON files: what is no sound JSON object is refused by name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import json
from pathlib import Path

from vla_accel_ros.files.kinds import shown
from vla_accel_ros.files.lfs import complaint
from vla_accel_ros.files.links import dangling

# A tokeniser of a large vocabulary has some 20 MiB; nothing here has more.
LARGEST_MIB = 128


class CheckpointError(ValueError):
    """A checkpoint folder that cannot be used, with the reason."""


def read_json(path: Path) -> dict:
    """Read a JSON object.

    Numbers that JSON does not have (NaN, Infinity) are read as such: whoever reads the entry
    says where it stands.

    Raises:
        CheckpointError: When it is missing, unreadable, no object, or names an entry twice.
    """
    value = parse(read_text(path), path)
    if not isinstance(value, dict):
        raise CheckpointError(f'{path} holds a {type(value).__name__}, expected an object')
    return value


def read_text(path: Path) -> str:
    """Read a file of UTF-8, with or without a byte order mark.

    Raises:
        CheckpointError: When it is missing, no file, too large or of another encoding.
    """
    if why := dangling(path) or complaint(path):
        raise CheckpointError(why)
    try:
        if not path.exists():
            raise CheckpointError(f'{path} is missing')
        if not path.is_file():
            raise CheckpointError(f'{path} is no file')
        size = path.stat().st_size
        if size > LARGEST_MIB * 2**20:
            raise CheckpointError(
                f'{path} has {size / 2**20:.0f} MiB, expected JSON of at most {LARGEST_MIB} MiB'
            )
        return path.read_text(encoding='utf-8-sig')
    except UnicodeDecodeError as error:
        raise CheckpointError(f'{path} cannot be read: byte {error.start} is no UTF-8') from error
    except OSError as error:
        raise CheckpointError(f'{path} cannot be read: {error.strerror or error}') from error


def parse(text: str, path: Path) -> object:
    """Parse JSON.

    Args:
        text: What the file holds.
        path: The file, named in errors.

    Raises:
        CheckpointError: When it is no JSON, nested too deep, or names an entry twice.
    """
    if not text.strip():
        raise CheckpointError(f'{path} cannot be read: it is empty')
    try:
        return json.loads(text, object_pairs_hook=_once)
    except RecursionError:
        raise CheckpointError(f'{path} cannot be read: it is nested too deep') from None
    except ValueError as error:
        raise CheckpointError(f'{path} cannot be read: {error}') from error


def _once(pairs: list[tuple[str, object]]) -> dict:
    entries: dict[str, object] = {}
    for name, value in pairs:
        if name in entries:
            raise ValueError(f'the name {shown(name)} stands twice in one object')
        entries[name] = value
    try:
        ''.join(entries).encode()
    except UnicodeEncodeError:
        raise ValueError('a name in it is half of a surrogate pair') from None
    return entries


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Turn what is wrong with a file's values into an error that names the file.

    Raises:
        CheckpointError: Instead of any other ValueError.
    """
    try:
        yield
    except CheckpointError:
        raise
    except ValueError as error:
        raise CheckpointError(f'{path}: {error}') from error
