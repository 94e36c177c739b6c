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

"""How old what the arm carries out is, and how steadily it comes."""

from __future__ import annotations

from collections import deque

NS = 1_000_000_000
# Actions that the percentiles look back on, and seconds that the rates do.
ACTIONS, SECONDS = 500, 60


class CommandPace:
    """Measures accepted actions: from the camera's stamp to the command, and how many a second.

    The mean rate hides a second in which nothing came, so the worst one is given beside it. Only
    whole seconds count in which the arm was enabled all along.
    """

    def __init__(self) -> None:
        self._ages_ms: deque[float] = deque(maxlen=ACTIONS)
        self._counts: deque[int] = deque(maxlen=SECONDS)
        self.pause()

    def pause(self) -> None:
        """Stop counting, for the arm is not to move; what was measured stays."""
        self._begin_ns: int | None = None
        self._count = 0

    def note(self, age_ns: int, now_ns: int) -> None:
        """Take note of an action whose command has just gone out.

        Args:
            age_ns: Since the oldest of its pictures was taken.
            now_ns: Monotonic.
        """
        self._ages_ms.append(age_ns / 1e6)
        self.look(now_ns)
        self._count += 1

    def look(self, now_ns: int) -> None:
        """End the seconds that are over; wanted once a second while the arm is enabled."""
        if self._begin_ns is None:
            self._begin_ns = now_ns
        while now_ns - self._begin_ns >= NS:
            self._counts.append(self._count)
            self._count = 0
            self._begin_ns += NS

    def figures(self) -> dict[str, float]:
        """Return what there is of `capture_to_command_p50_ms`, `..._p95_ms` and `actions_hz`.

        `actions_hz_worst` is the rate of the worst of the last 60 seconds.
        """
        found: dict[str, float] = {}
        if self._ages_ms:
            ordered = sorted(self._ages_ms)
            last = len(ordered) - 1
            found['capture_to_command_p50_ms'] = ordered[last // 2]
            found['capture_to_command_p95_ms'] = ordered[round(last * 0.95)]
        if self._counts:
            found['actions_hz'] = sum(self._counts) / len(self._counts)
            found['actions_hz_worst'] = float(min(self._counts))
        return found
