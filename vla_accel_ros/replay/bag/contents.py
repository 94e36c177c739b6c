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

"""What a file is by its first bytes, whatever it is called."""

from __future__ import annotations

from pathlib import Path, PurePath

from vla_accel_ros.files.lfs import complaint
from vla_accel_ros.replay.bag.raw import shown

MCAP, SQLITE, ZSTD = 'mcap', 'sqlite', 'zstd'
MAGICS = {b'\x89MCAP0\r\n': MCAP, b'SQLite format 3\x00': SQLITE, b'\x28\xb5\x2f\xfd': ZSTD}
SUFFIXES = {'.mcap': MCAP, '.db3': SQLITE}
PACKED = ('.zstd', '.zst')
CONVERT = 'convert it to ROS 2, for example by `rosbags-convert --src FILE --dst FOLDER`'
# What is taken for a bag and is none, and what to do about it.
FOREIGN = {
    b'#ROSBAG V': f'is a ROS 1 bag: {CONVERT}',
    b'PK\x03\x04': 'is a zip archive: unpack it',
    b'\x1f\x8b': 'is compressed by gzip: unpack it',
    b'BZh': 'is compressed by bzip2: unpack it',
    b'\xfd7zXZ\x00': 'is compressed by xz: unpack it',
    b'\x04\x22\x4d\x18': 'is compressed by lz4: unpack it',
    b'\x89HDF\r\n\x1a\n': 'is an HDF5 file, expected a rosbag2',
}


def beginning(path: Path) -> bytes:
    """Return the first bytes of a file, none where it cannot be read."""
    # A pipe or a device would let one wait.
    if not path.is_file():
        return b''
    try:
        with open(path, 'rb') as file:
            return file.read(16)
    except OSError:
        return b''


def kind_of(path: Path) -> str:
    """Return `mcap`, `sqlite` or `zstd` by what a file begins with, else by its name, or ''."""
    first = beginning(path)
    for magic, kind in MAGICS.items():
        if first.startswith(magic):
            return kind
    # What is damaged at its beginning is still what it was named after.
    return SUFFIXES.get(storage_suffix(path), '')


def foreign(path: Path) -> str:
    """Say what a file is that is no storage file, and what to do; '' where it may be one."""
    if pointer := complaint(path):
        return shown(pointer)
    first = beginning(path)
    for magic, what in FOREIGN.items():
        if first.startswith(magic):
            return f'{shown(path)} {what}'
    return ''


def storage_suffix(path: PurePath) -> str:
    """Return `.mcap` or `.db3`, also of a file that is compressed as a whole."""
    return PurePath(path.stem).suffix if path.suffix in PACKED else path.suffix
