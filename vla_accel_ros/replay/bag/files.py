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

"""Which files make up a bag: those that are there, and which of them its metadata name."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
import re

from vla_accel_ros.paths import user_path
from vla_accel_ros.replay.bag import metadata
from vla_accel_ros.replay.bag.contents import SUFFIXES, beginning, foreign, kind_of, storage_suffix
from vla_accel_ros.replay.bag.metadata import METADATA
from vla_accel_ros.replay.bag.raw import BagError, Counts, Losses, shown


@dataclass
class BagFiles:
    """The files of a bag, in their order.

    Attributes:
        path: As it was given.
        files: Storage files, each perhaps compressed as a whole.
        unnamed: Those of them that the metadata do not name.
        promised: Messages by topic and type by the metadata; None where they say nothing.
        losses: What is missing already.
    """

    path: Path
    files: tuple[Path, ...]
    unnamed: tuple[Path, ...] = ()
    promised: Counts | None = None
    losses: Losses = field(default_factory=Losses)


def find(path: Path | str) -> BagFiles:
    """Find the files of a bag.

    Args:
        path: Folder of a bag, or a bare storage file.

    Raises:
        BagError: When there is no bag.
    """
    path = user_path(path)
    if not path.exists():
        raise BagError(f'{shown(path)} does not exist')
    if path.is_dir():
        found = _in_folder(path)
    else:
        if what := foreign(path):
            raise BagError(what)
        if not path.is_file() or (not kind_of(path) and storage_suffix(path) not in SUFFIXES):
            raise BagError(f'{shown(path)} is no bag, expected a folder, .mcap or .db3')
        found = BagFiles(path, (path,))
    if not found.files:
        raise BagError(f'{shown(path)} holds no .mcap or .db3 file{_hint(path)}')
    useless = [foreign(file) for file in found.files]
    if all(useless):
        raise BagError('; '.join(useless))
    found.losses.total_bytes = sum(file.stat().st_size for file in found.files)
    return found


def _in_folder(path: Path) -> BagFiles:
    found = BagFiles(path, _all_of(path))
    if not (path / METADATA).exists():
        found.losses.add(path / METADATA, 'is missing, the files were searched for')
        return found
    try:
        facts = metadata.read(path / METADATA)
    except ValueError as error:
        found.losses.add(path / METADATA, f'is no use ({shown(error)})')
        return found
    named: list[Path] = []
    missing: list[str] = []
    for name in facts.names:
        file = metadata.file_of(path, name)
        if file is None:
            missing.append(shown(name))
        elif file not in named:
            named.append(file)
    found.unnamed = tuple(file for file in found.files if file not in named)
    found.files = (*named, *found.unnamed)
    if not named:
        # They are of another bag, or the files were renamed: what they promise means nothing.
        found.losses.add(
            path / METADATA,
            'names none of the files that are here'
            + (f', but {", ".join(missing)}' if missing else ''),
        )
        return found
    for name in missing:
        found.losses.add(path / Path(name).name, 'is missing, the metadata name it')
    for file in filter(lambda file: not foreign(file), found.unnamed):
        found.losses.add(file, 'is not named by the metadata, it is read all the same')
    found.promised = facts.promised
    if facts.promised is None:
        found.losses.add(path / METADATA, 'says nothing of topics')
    return found


def _all_of(path: Path) -> tuple[Path, ...]:
    def order(file: Path) -> list:
        # bag_10 comes after bag_9.
        return [int(part) if part.isdecimal() else part for part in re.split(r'(\d+)', file.name)]

    return tuple(sorted(filter(_is_storage, path.iterdir()), key=order))


def _is_storage(path: Path) -> bool:
    return path.is_file() and storage_suffix(path) in SUFFIXES


def _hint(path: Path) -> str:
    """Say what lies in a folder that is no bag, where that is of use."""
    within = sorted(entry for entry in path.iterdir()) if path.is_dir() else []
    for entry in within:
        if entry.is_file() and beginning(entry).startswith(b'#ROSBAG V'):
            return f': {foreign(entry)}'
    bags = [
        entry
        for entry in within
        if entry.is_dir()
        and ((entry / METADATA).is_file() or any(map(_is_storage, entry.iterdir())))
    ]
    return f', but bags in folders: give one, as {shown(bags[0])}' if bags else ''
