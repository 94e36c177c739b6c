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

"""What `metadata.yaml` says of a bag: names of files, and how many messages they should hold."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path, PurePath, PureWindowsPath

import yaml

from vla_accel_ros.files.lfs import complaint
from vla_accel_ros.replay.bag.contents import PACKED
from vla_accel_ros.replay.bag.raw import Counts, full_name

METADATA = 'metadata.yaml'
LARGEST = 64 << 20


@dataclass
class Metadata:
    """What is promised.

    Attributes:
        names: Of the files, as they stand there.
        promised: Messages by topic and type; None where nothing is said of topics.
    """

    names: tuple[str, ...]
    promised: Counts | None = field(default=None)


def read(path: Path) -> Metadata:
    """Read the metadata of a bag.

    Raises:
        ValueError: When the file is of no use; says why.
    """
    if pointer := complaint(path):
        raise ValueError(pointer)
    if not path.is_file():
        # A pipe would let one wait for ever.
        raise ValueError('it is no file')
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError(f'{path.stat().st_size} bytes, expected at most {LARGEST}')
        facts = yaml.safe_load(path.read_text(encoding='utf-8'))['rosbag2_bagfile_information']
        names = tuple(name for name in facts['relative_file_paths'] if isinstance(name, str))
    except Exception as error:
        # A parser at garbage: YAML, type, key, Unicode, recursion errors.
        raise ValueError(f'{type(error).__name__}: {_words(error)}') from None
    return Metadata(names, _promised(facts.get('topics_with_message_count')))


def file_of(folder: Path, name: str) -> Path | None:
    """Return the file that a name of the metadata means, None where there is none.

    Older recorders name the folder, too, which may have been renamed since; those of Windows
    write backslashes; and a file may have been compressed or decompressed since.
    """
    last = PureWindowsPath(name).name
    stem = PurePath(last).stem if PurePath(last).suffix in PACKED else last
    plain = [PurePath(name).name, last, stem, *(stem + end for end in PACKED)]
    for each in (*(folder / text for text in plain), folder / name, folder.parent / name):
        try:
            if each.is_file():
                return each
        except (OSError, ValueError):
            # Too long a name, or a NUL in it.
            continue
    return None


def _promised(entries: object) -> Counts | None:
    if not isinstance(entries, list):
        return None
    promised: Counts = Counter()
    for entry in entries:
        try:
            about = entry['topic_metadata']
            pair = str(about['name']), full_name(str(about['type']))
            promised[pair] += max(int(entry['message_count']), 0)
        except (KeyError, TypeError, ValueError, OverflowError):
            continue
    return promised


def _words(error: Exception) -> str:
    return ' '.join(str(error).split())[:200]
