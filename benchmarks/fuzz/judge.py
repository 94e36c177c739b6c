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

"""What is safe, said again in plain numbers: nothing here is shared with the guard."""

from __future__ import annotations

from collections import deque
import math

# As docs/arm_command.md has them: m, rad, s. The slack is for rounding.
SLACK = 1.00001
FASTEST_M_S, FASTEST_RAD_S = 0.75, 3.5
LONGEST_STEP_M, LONGEST_STEP_RAD = 0.05, 0.3
PATH_IN_A_SECOND_M, TURN_IN_A_SECOND_RAD = 0.8, 3.8
OLDEST_S, AHEAD_S = 0.5, 0.05
SHORTEST_S, LONGEST_S = 0.01, 0.5
HELD_S = 0.1


class Judge:
    """Sees every message, every answer and every twist, and lists what was not safe.

    Times are seconds as integers of nanoseconds; `now_ns` never falls back.

    Args:
        box: Low and high corner of the workspace, m; None when there is none.

    Attributes:
        unsafe: What was not.
        accepted: Messages that were taken.
        place: Where the twists have moved the tool to, m.
    """

    def __init__(self, box: tuple[tuple[float, ...], tuple[float, ...]] | None = None) -> None:
        self.unsafe: list[str] = []
        self.accepted = 0
        self.box = box
        self.place = (
            [(low + high) / 2 for low, high in zip(*box, strict=True)] if box else [0.0] * 3
        )
        self._enabled_ns: int | None = None
        self._stamp_ns: int | None = None
        self._end_ns = 0
        self._paths: deque[tuple[int, float, float]] = deque()
        self._twist, self._since_ns = [0.0] * 6, 0

    def enabled(self, clock_ns: int) -> None:
        """Take note that the operator enabled the arm, at this time of the stamps' clock."""
        self._enabled_ns, self._stamp_ns, self._end_ns = clock_ns, None, 0

    def disabled(self) -> None:
        """Take note that the arm may not move."""
        self._enabled_ns = None

    def message(
        self, row: list[float], stamp_ns: int, step_s: float, now_ns: int, clock_ns: int
    ) -> None:
        """Judge a message that was accepted."""
        self.accepted += 1
        move, turn, age_s = (
            math.hypot(*row[:3]),
            math.hypot(*row[3:6]),
            (clock_ns - stamp_ns) / 1e9,
        )
        for holds, what in (
            (self._enabled_ns is not None, 'the arm was not enabled'),
            (len(row) == 7 and all(map(math.isfinite, row)), 'not finite'),
            (step_s * SLACK >= SHORTEST_S and step_s <= LONGEST_S * SLACK, 'its step'),
            (move <= LONGEST_STEP_M * SLACK and turn <= LONGEST_STEP_RAD * SLACK, 'too far'),
            (move <= FASTEST_M_S * step_s * SLACK, 'too fast'),
            (turn <= FASTEST_RAD_S * step_s * SLACK, 'turns too fast'),
            (-AHEAD_S * SLACK <= age_s <= OLDEST_S * SLACK, f'{age_s} s old'),
            (self._stamp_ns is None or stamp_ns > self._stamp_ns, 'not newer than the last'),
            (self._enabled_ns is None or stamp_ns >= self._enabled_ns, 'from before the enabling'),
            (-0.0011 <= row[6] <= 1.0011, 'gripper'),
        ):
            if not holds:
                self.unsafe.append(f'accepted: {what}: {row}, {stamp_ns}, {step_s}')
        self._stamp_ns = stamp_ns
        self._paths.append((now_ns, move, turn))
        while self._paths and now_ns - self._paths[0][0] >= 1_000_000_000:
            self._paths.popleft()
        if sum(move for _, move, _ in self._paths) > PATH_IN_A_SECOND_M * SLACK:
            self.unsafe.append('too far in a second')
        if sum(turn for *_, turn in self._paths) > TURN_IN_A_SECOND_RAD * SLACK:
            self.unsafe.append('turned too far in a second')
        if math.isfinite(step_s):
            self._end_ns = now_ns + int(step_s * 1e9)

    def twist(self, twist: tuple[float, ...], gripper: float | None, now_ns: int) -> None:
        """Judge what goes to the arm now, after moving the tool by what went before."""
        spent_s = min((now_ns - self._since_ns) / 1e9, HELD_S)
        for axis in range(3):
            self.place[axis] += self._twist[axis] * spent_s
        late_s = (now_ns - self._end_ns) / 1e9
        for holds, what in (
            (len(twist) == 6 and all(map(math.isfinite, twist)), 'not finite'),
            (math.hypot(*twist[:3]) <= FASTEST_M_S * SLACK, 'too fast'),
            (math.hypot(*twist[3:]) <= FASTEST_RAD_S * SLACK, 'turns too fast'),
            (not any(twist) or self._enabled_ns is not None, 'not enabled'),
            (not any(twist) or late_s <= HELD_S, f'{late_s} s after the last action'),
            (gripper is None or (gripper in (0, 1) and self._enabled_ns is not None), 'gripper'),
            (self._inside(), f'out of the box at {self.place}'),
        ):
            if not holds:
                self.unsafe.append(f'sent: {what}: {twist}')
        self._twist, self._since_ns = list(twist), now_ns

    def _inside(self) -> bool:
        """Whether the tool is in the box, give or take what one held twist moves it."""
        if self.box is None:
            return True
        reach = FASTEST_M_S * HELD_S
        return all(
            low - reach <= at <= high + reach
            for low, at, high in zip(self.box[0], self.place, self.box[1], strict=True)
        )
