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

"""The watchdog: the arm stops soon after the last valid action has run out."""

from __future__ import annotations

NS = 1_000_000_000
# Zero must be out within 100 ms of the horizon. A tick of the slowest stream (20 Hz) may come
# 50 ms after the grace ends, so the grace must leave that much.
MAX_GRACE_S = 0.05
NO_ACTION = 'no_action'


class Watchdog:
    """Fires when no valid action came by the last one's horizon and a grace.

    It names what kept the actions away: the first trouble since the last valid action, for
    what follows a first trouble is mostly its consequence. The next valid action clears it.

    Args:
        grace_s: Time after the horizon for the next action to come late, s, at most 0.05.

    Raises:
        ValueError: When the grace is outside its range.
    """

    def __init__(self, grace_s: float) -> None:
        self.configure(grace_s)
        self.forget()

    def configure(self, grace_s: float) -> None:
        """Change the grace.

        Raises:
            ValueError: When it is outside its range.
        """
        if not 0 < grace_s <= MAX_GRACE_S:
            raise ValueError(f'grace_s is {grace_s}, expected above 0 and at most {MAX_GRACE_S}')
        self._grace_ns = round(grace_s * NS)

    def forget(self) -> None:
        """Watch nothing until the next `feed`."""
        self._horizon_ns: int | None = None
        self._trouble: str | None = None
        self._tripped = False

    def feed(self, horizon_ns: int) -> None:
        """Take note of a valid action that lasts until `horizon_ns` (monotonic)."""
        self._horizon_ns = horizon_ns
        self._trouble = None
        self._tripped = False

    def cut(self, now_ns: int) -> None:
        """End what the last valid action may still take; it fires until the next one."""
        if self._horizon_ns is not None:
            self._horizon_ns = min(self._horizon_ns, now_ns - self._grace_ns - 1)

    def note(self, trouble: str) -> None:
        """Remember a trouble, unless one is remembered already."""
        if self._trouble is None:
            self._trouble = trouble

    @property
    def fed(self) -> bool:
        """Whether there is an action to watch."""
        return self._horizon_ns is not None

    def fired(self, now_ns: int) -> bool:
        """Whether the last valid action and its grace are over, or there was none."""
        return self._horizon_ns is None or now_ns > self._horizon_ns + self._grace_ns

    def trip(self) -> tuple[str, bool]:
        """Settle on the cause of the stop; what is noted later does not change it.

        Returns:
            The cause, and whether this is the first call since the last valid action.
        """
        first = not self._tripped
        self._tripped = True
        if self._trouble is None:
            self._trouble = NO_ACTION
        return self._trouble, first
