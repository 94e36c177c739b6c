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

"""The gripper: opened and closed on a change of mind, not on every flicker."""

from __future__ import annotations

NS = 1_000_000_000
OPEN = 0.0
CLOSED = 1.0


class GripperLatch:
    """Hysteresis and a least dwell between changes; never anything between open and closed.

    Args:
        open_below: At or below it the gripper is wanted open.
        close_above: At or above it closed; between the two the last wish stands.
        min_dwell_s: Least time between two changes, s.

    Raises:
        ValueError: When a value is outside its range.
    """

    def __init__(self, open_below: float, close_above: float, min_dwell_s: float) -> None:
        self.configure(open_below, close_above, min_dwell_s)
        self._changed_ns: int | None = None
        self.forget()

    def configure(self, open_below: float, close_above: float, min_dwell_s: float) -> None:
        """Change the thresholds and the dwell.

        Raises:
            ValueError: When a value is outside its range.
        """
        if not 0 <= open_below < close_above <= 1:
            raise ValueError(
                f'open_below, close_above are {open_below}, {close_above}, '
                'expected 0 <= open_below < close_above <= 1'
            )
        if not 0 <= min_dwell_s < float('inf'):
            raise ValueError(f'min_dwell_s is {min_dwell_s}, expected at least 0 and finite')
        self._open_below = open_below
        self._close_above = close_above
        self._min_dwell_s = min_dwell_s

    def forget(self) -> None:
        """Forget where the gripper is: the next wish is sent, whatever it is."""
        self._wanted: float | None = None
        self._sent: float | None = None

    @property
    def position(self) -> float | None:
        """The position sent last, 0 open or 1 closed; None before the first."""
        return self._sent

    def want(self, value: float) -> None:
        """Take note of an action's gripper, 0 open to 1 closed."""
        if value <= self._open_below:
            self._wanted = OPEN
        elif value >= self._close_above:
            self._wanted = CLOSED

    def poll(self, now_ns: int) -> float | None:
        """Give the position to send now, None when there is no change or the dwell holds it.

        Args:
            now_ns: Monotonic time, nanoseconds.
        """
        if self._wanted is None or self._wanted == self._sent:
            return None
        # A change in the future is of before the clock was set back.
        if self._changed_ns is not None and (
            0 <= now_ns - self._changed_ns < self._min_dwell_s * NS
        ):
            return None
        self._sent = self._wanted
        self._changed_ns = now_ns
        return self._sent
