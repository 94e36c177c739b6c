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

"""What there is in a store of engines, as a list shows it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vla_accel_ros.engines.manifest import FILE, Manifest

UNREADABLE = 'unreadable'


@dataclass(frozen=True)
class Entry:
    """One entry, as a list shows it.

    Attributes:
        path: Its folder.
        key: What it was built for.
        size: Bytes that it takes; a file that several entries share counts for the oldest one.
        made_ns: When it was built, ns since 1970.
        used_ns: When it was made or used last, ns since 1970.
        seconds: What building it took.
    """

    path: Path
    key: Mapping[str, str]
    size: int
    made_ns: int
    used_ns: int
    seconds: float


def listed(folders: Iterable[Path]) -> list[Entry]:
    """List entries, the oldest first; the kind of one that cannot be read is `UNREADABLE`.

    Args:
        folders: Theirs.
    """
    found = []
    for path in folders:
        with suppress(OSError):
            try:
                manifest = Manifest.read(path)
            except ValueError:
                made_ns = path.lstat().st_mtime_ns
                manifest = Manifest({'kind': UNREADABLE}, {}, made_ns, 0.0)
            found.append((manifest.made_ns, path, manifest))
    counted: set[tuple[int, int]] = set()
    result = []
    for made_ns, path, manifest in sorted(found, key=lambda each: each[:2]):
        size = 0
        # Another process may remove it meanwhile.
        with suppress(OSError):
            for file in path.rglob('*'):
                about = file.lstat()
                if (about.st_dev, about.st_ino) not in counted and not file.is_dir():
                    counted.add((about.st_dev, about.st_ino))
                    size += about.st_size
        last_ns = max(made_ns, used_ns(path))
        result.append(Entry(path, manifest.key, size, made_ns, last_ns, manifest.seconds))
    return result


def used_ns(path: Path) -> int:
    """Give when an entry was used last, ns since 1970; 0 where that cannot be told."""
    with suppress(OSError):
        return (path / FILE).stat().st_mtime_ns
    return 0
