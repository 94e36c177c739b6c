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

"""What a stored entry says of itself: its key, its files, when and how long it was built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
import hashlib
import json
import os
from pathlib import Path

FILE = 'manifest.json'
_FORMAT = 1
# A larger file is judged by its size and by parts of it, for reading it takes seconds.
_WHOLE = 2**30
_PARTS, _PART = 64, 2**20
# Files that were read before, by what changes with their contents: several entries may share one.
_known: dict[tuple[int, int, int, int], str] = {}


def digest(file: Path) -> str:
    """Give the SHA-256 of a file, in hexadecimal.

    Of a file larger than 1 GiB its size and 64 parts of 1 MiB count, the first and the last ones
    among them.

    Raises:
        OSError: When it cannot be read.
    """
    about = file.stat()
    identity = (about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns)
    if identity not in _known:
        whole, size = hashlib.sha256(), about.st_size
        with file.open('rb') as opened:
            if size <= _WHOLE:
                while part := opened.read(_PART):
                    whole.update(part)
            else:
                whole.update(str(size).encode())
                for part_number in range(_PARTS):
                    opened.seek((size - _PART) * part_number // (_PARTS - 1))
                    whole.update(opened.read(_PART))
        _known[identity] = whole.hexdigest()
    return _known[identity]


@dataclass(frozen=True)
class Manifest:
    """What is written beside the files of an entry.

    Attributes:
        key: What the entry was built for.
        files: By path within the entry, size in bytes and digest.
        made_ns: When it was built, ns since 1970.
        seconds: What building it took.
    """

    key: Mapping[str, str]
    files: Mapping[str, tuple[int, str]]
    made_ns: int
    seconds: float

    @classmethod
    def of(cls, folder: Path, key: Mapping[str, str], made_ns: int, seconds: float) -> Manifest:
        """Look at the files of a folder.

        Raises:
            OSError: When one cannot be read.
        """
        files = {
            str(path.relative_to(folder)): (path.stat().st_size, digest(path))
            for path in sorted(folder.rglob('*'))
            if path.is_file() and path != folder / FILE
        }
        return cls(dict(key), files, made_ns, seconds)

    def write(self, folder: Path) -> None:
        """Write it into the folder.

        Raises:
            OSError: When it cannot be written.
        """
        text = json.dumps({'format': _FORMAT} | asdict(self), indent=1, sort_keys=True)
        (folder / FILE).write_text(text + '\n', encoding='utf-8')

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read what is in a folder.

        Raises:
            ValueError: When there is none, or it is of another format; the text says what.
        """
        try:
            values = json.loads((folder / FILE).read_text(encoding='utf-8'))
            written = values.pop('format')
            if written != _FORMAT:
                raise ValueError(f'{FILE} is of format {written}, expected {_FORMAT}')
            values['files'] = {
                str(name): (int(size), str(sum_)) for name, (size, sum_) in values['files'].items()
            }
            if type(values['made_ns']) is not int or type(values['seconds']) not in (int, float):
                raise TypeError
            values['key'] = {str(name): str(value) for name, value in values['key'].items()}
            return cls(**values)
        except OSError as error:
            raise ValueError(f'{FILE} cannot be read: {error.strerror or error}') from error
        except (TypeError, KeyError, AttributeError, UnicodeDecodeError, json.JSONDecodeError):
            raise ValueError(f'{FILE} is damaged') from None

    def damage(self, folder: Path) -> str | None:
        """Say what is wrong with the files of a folder, None where all are as they were built."""
        for name, (size, expected) in self.files.items():
            path = folder / name
            try:
                found = path.stat().st_size
                if found != size:
                    return f'{name} has {found} bytes, expected {size}'
                if digest(path) != expected:
                    return f'{name} has changed since it was built'
            except OSError as error:
                return f'{name} cannot be read: {error.strerror or error}'
        return None

    def touch(self, folder: Path) -> None:
        """Note that the entry is used; where it cannot be written, nothing is noted."""
        try:
            os.utime(folder / FILE)
        except OSError:
            pass
