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

"""A bar with the time left, where somebody watches."""

from __future__ import annotations

import sys
import time

from vla_accel_ros.stopping import Interrupt

__all__ = ['Bar', 'Interrupt']

WIDTH = 30
EVERY_S = 0.2


class Bar:
    """Shows on a terminal how far a run is; elsewhere nothing.

    Args:
        total: How many there are.
        what: Of what.
    """

    def __init__(self, total: int, what: str) -> None:
        self._total, self._what = max(total, 1), what
        self._live = sys.stderr.isatty()
        self._begun = time.monotonic()
        self._first: int | None = None
        self._shown = 0.0

    def show(self, done: int) -> None:
        """Show that so many are done."""
        now = time.monotonic()
        if self._first is None:
            # Those that an earlier run did took no time of this one.
            self._first, self._begun = done, now
        if not self._live or (now - self._shown < EVERY_S and done < self._total):
            return
        self._shown = now
        share = min(done / self._total, 1.0)
        bar = '#' * round(WIDTH * share)
        print(
            f'\r[{bar:<{WIDTH}}] {done}/{self._total} {self._what}{self._left(done, now)}\x1b[K',
            end='',
            file=sys.stderr,
            flush=True,
        )

    def end(self) -> None:
        """Leave the line."""
        if self._live and self._shown:
            print(file=sys.stderr)

    def _left(self, done: int, now: float) -> str:
        fresh = done - self._first
        if fresh <= 0:
            return ''
        seconds = (now - self._begun) / fresh * max(self._total - done, 0)
        minutes, seconds = divmod(round(seconds), 60)
        return f', {minutes}:{seconds:02d} left'
