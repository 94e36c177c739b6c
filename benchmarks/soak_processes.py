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

"""What the processes of a graph hold, read from /proc."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import os
from pathlib import Path
import re

PROC = Path('/proc')
KIB = re.compile(r'^(\w+):\s+(\d+)(?: kB)?$', re.MULTILINE)
SHARED = '/dev/shm/'


@dataclass(frozen=True)
class Held:
    """What one process of the graph holds, with all that it has started.

    Attributes:
        private: Memory of its own, MiB (RssAnon).
        shared: Shared memory that it has touched, MiB (RssShmem).
        handles: Open files and sockets.
        threads: Threads.
        segments: Shared memory segments that it has mapped.
    """

    private: float
    shared: float
    handles: int
    threads: int
    segments: int


def held(pids: Mapping[str, int]) -> dict[str, Held]:
    """Return what each process holds, by name.

    Args:
        pids: Leaders of sessions of their own, as `RunningGraph` starts them.
    """
    members: dict[int, list[Path]] = {pid: [] for pid in pids.values()}
    for folder in PROC.iterdir():
        if folder.name.isdigit():
            try:
                leader = os.getsid(int(folder.name))
            except ProcessLookupError:
                continue
            if leader in members:
                members[leader].append(folder)
    return {name: _sum([_one(folder) for folder in members[pid]]) for name, pid in pids.items()}


def _one(folder: Path) -> Held:
    try:
        status = dict(KIB.findall((folder / 'status').read_text(encoding='utf-8')))
        mapped = {
            line.rpartition(' ')[2]
            for line in (folder / 'maps').read_text(encoding='utf-8').splitlines()
            if SHARED in line
        }
        handles = len(os.listdir(folder / 'fd'))
    except (FileNotFoundError, ProcessLookupError):
        return Held(0.0, 0.0, 0, 0, 0)
    private, shared = (int(status.get(key, 0)) / 1024 for key in ('RssAnon', 'RssShmem'))
    return Held(private, shared, handles, int(status.get('Threads', 0)), len(mapped))


def _sum(parts: list[Held]) -> Held:
    return Held(
        sum(part.private for part in parts),
        sum(part.shared for part in parts),
        sum(part.handles for part in parts),
        sum(part.threads for part in parts),
        sum(part.segments for part in parts),
    )
