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

"""Whose job comes next, where several hand jobs in; no ROS in it, and no thread."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

Job = TypeVar('Job')
# Who has handed nothing in for so long is not waited for.
RECENT_S = 1.0


@dataclass
class _Waiting(Generic[Job]):
    since: float
    job: Job


class Turns(Generic[Job]):
    """Jobs that wait: of each owner the newest one, and who waits longest is first.

    An owner's age counts from when it began to wait, whether or not a newer job has come since.
    So one that hands in often gains nothing by it, and nobody is passed over twice.
    """

    def __init__(self) -> None:
        self._waiting: dict[Hashable, _Waiting[Job]] = {}
        self._seen: dict[Hashable, float] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, owner: Hashable, job: Job, now: float) -> bool:
        """Take a job; return whether it took the place of one that waited.

        Args:
            owner: Whose it is.
            job: The job.
            now: Monotonic seconds.
        """
        self._seen[owner] = now
        old = self._waiting.get(owner)
        self._waiting[owner] = _Waiting(now if old is None else old.since, job)
        return old is not None

    def discard(self, owner: Hashable) -> bool:
        """Forget an owner; return whether a job of it waited."""
        self._seen.pop(owner, None)
        return self._waiting.pop(owner, None) is not None

    def clear(self) -> None:
        """Forget all."""
        self._waiting.clear()
        self._seen.clear()

    def due(self, bound: float, now: float) -> float:
        """Say when to take: at once where nobody is missing, else when the first has waited.

        Args:
            bound: Longest that a job waits for others, seconds.
            now: Monotonic seconds.

        Returns:
            Monotonic seconds; infinity while nothing waits.
        """
        if not self._waiting:
            return float('inf')
        missing = any(
            owner not in self._waiting and now - at <= RECENT_S for owner, at in self._seen.items()
        )
        return min(each.since for each in self._waiting.values()) + bound if missing else now

    def take(self, most: int) -> list[Job]:
        """Take the jobs that have waited longest, oldest first.

        Args:
            most: How many at most.
        """
        first = sorted(self._waiting, key=lambda owner: self._waiting[owner].since)[:most]
        return [self._waiting.pop(owner).job for owner in first]
