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

"""Which files make up a bag, and what its metadata promise."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path, PurePath
import re

import yaml

from vla_accel_ros.evaluation.replay.bag.raw import BagError, Losses, Topic, full_name

SUFFIXES = ('.mcap', '.db3')
ZSTD = ('.zstd', '.zst')
METADATA = 'metadata.yaml'


@dataclass
class BagFiles:
    """The files of a bag, in their order.

    Attributes:
        path: As it was given.
        files: Storage files, each perhaps compressed as a whole.
        promised: Topics and counts by the metadata; None where there are none.
        losses: What is missing already.
    """

    path: Path
    files: tuple[Path, ...]
    promised: dict[str, Topic] | None = None
    losses: Losses = field(default_factory=Losses)


def find(path: Path | str) -> BagFiles:
    """Find the files of a bag.

    Args:
        path: Folder of a bag, or a bare storage file.

    Raises:
        BagError: When there is no bag.
    """
    path = Path(path).expanduser()
    if not path.exists():
        raise BagError(f'{path} does not exist')
    if path.is_file():
        if not _is_storage(path):
            raise BagError(f'{path} is no bag, expected a folder, .mcap or .db3')
        found = BagFiles(path, (path,))
    elif (path / METADATA).is_file():
        found = _by_metadata(path)
    else:
        found = BagFiles(path, _all_of(path))
        found.losses.add(path / METADATA, 'is missing, the files were searched for')
    if not found.files:
        raise BagError(f'{path} holds no .mcap or .db3 file')
    found.losses.total_bytes = sum(file.stat().st_size for file in found.files)
    return found


def _by_metadata(path: Path) -> BagFiles:
    try:
        text = (path / METADATA).read_text(encoding='utf-8')
        facts = yaml.safe_load(text)['rosbag2_bagfile_information']
        # Older bags name the folder, too, which may have been renamed since.
        names = [PurePath(name).name for name in facts['relative_file_paths']]
        promised: dict[str, Topic] = {}
        for entry in facts['topics_with_message_count']:
            meta = entry['topic_metadata']
            topic = promised.setdefault(meta['name'], Topic(full_name(meta['type'])))
            topic.count += int(entry['message_count'])
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        found = BagFiles(path, _all_of(path))
        found.losses.add(path / METADATA, f'is no use ({type(error).__name__}: {error})')
        return found
    found = BagFiles(path, tuple(path / n for n in names if (path / n).is_file()), promised)
    for name in names:
        if not (path / name).is_file():
            found.losses.add(path / name, 'is missing, the metadata name it')
    return found


def _all_of(path: Path) -> tuple[Path, ...]:
    def order(file: Path) -> list:
        # bag_10 comes after bag_9.
        return [int(part) if part.isdigit() else part for part in re.split(r'(\d+)', file.name)]

    return tuple(sorted(filter(_is_storage, path.iterdir()), key=order))


def _is_storage(path: Path) -> bool:
    return path.is_file() and storage_suffix(path) in SUFFIXES


def storage_suffix(path: Path) -> str:
    """Return `.mcap` or `.db3`, also of a file that is compressed as a whole."""
    return PurePath(path.stem).suffix if path.suffix in ZSTD else path.suffix
