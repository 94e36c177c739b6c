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

"""From displacements to a twist stream that conserves them, whatever its rate."""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot

from vla_accel_ros.action_space import END_EFFECTOR

NS = 1_000_000_000
# A twist has the columns of the end effector's motion, as velocities; it stands for no gripper.
_TOOL = END_EFFECTOR.tool()
LINEAR, ANGULAR = _TOOL.translation, _TOOL.rotation
ZERO: tuple[float, ...] = (0.0,) * len(END_EFFECTOR.moving)
# Below this share of the last action what is left waits for the next one: a correction so small
# would only make the arm twitch, and stays well inside the 1 % that conservation allows.
DEADBAND = 0.005
# m and rad: what floating point leaves over is not a motion.
DUST = 1e-9


class TwistStream:
    """Pays accepted displacements out as twists and keeps account of what was paid.

    The arm holds each twist until the next one, so a twist has paid its value times the time
    it was really held. The twist at a tick is what is still owed over the time left to the
    newest action's horizon and a little beyond (but at least a period, for it will be held as
    long): late ticks, odd rates and early actions only move a displacement, they never lose
    it. What the speed limit holds back is paid later. The little beyond keeps the arm from
    braking at every horizon for a next action that is only just late.

    Args:
        linear_speed: Largest speed of the twist, m/s.
        angular_speed: Largest angular speed, rad/s.
        hold_limit_s: Longest a consumer holds a twist without a new one (MoveIt Servo: 0.1).
        late_s: How late the next action may come without a dip in the twist, s.

    Raises:
        ValueError: When a value is outside its range.
    """

    def __init__(
        self, linear_speed: float, angular_speed: float, hold_limit_s: float, late_s: float
    ) -> None:
        self.configure(linear_speed, angular_speed, hold_limit_s, late_s)
        self._tick_ns: int | None = None
        self._paid = [*ZERO]
        self.clear()

    def configure(
        self, linear_speed: float, angular_speed: float, hold_limit_s: float, late_s: float
    ) -> None:
        """Change the settings; what is owed stays owed.

        Raises:
            ValueError: When a value is outside its range.
        """
        for name, value in (
            ('linear_speed', linear_speed),
            ('angular_speed', angular_speed),
            ('hold_limit_s', hold_limit_s),
        ):
            if not 0 < value < float('inf'):
                raise ValueError(f'{name} is {value}, expected above 0 and finite')
        if not 0 <= late_s < float('inf'):
            raise ValueError(f'late_s is {late_s}, expected at least 0 and finite')
        self._late_s = late_s
        self._linear_speed = linear_speed
        self._angular_speed = angular_speed
        self._hold_limit_s = hold_limit_s

    def clear(self) -> None:
        """Owe nothing and hold zero."""
        self._owed = [*ZERO]
        self._held = ZERO
        self._horizon_ns = 0
        self._deadbands = (0.0, 0.0)

    @property
    def owed(self) -> tuple[float, ...]:
        """Displacement accepted but not paid as of the last tick, m and rad [6]."""
        return tuple(self._owed)

    @property
    def committed(self) -> tuple[float, ...]:
        """Displacement since the start once all that is owed is paid, m and rad [6]."""
        return tuple(a + b for a, b in zip(self._paid, self._owed, strict=True))

    def paid(self, now_ns: int) -> tuple[float, ...]:
        """Displacement paid by now since the start, m and rad [6].

        Args:
            now_ns: Monotonic time, nanoseconds.
        """
        held_s = self._held_s(now_ns)
        return tuple(a + b * held_s for a, b in zip(self._paid, self._held, strict=True))

    @property
    def horizon_ns(self) -> int:
        """Monotonic time at which the newest action's step ends, nanoseconds."""
        return self._horizon_ns

    def add(self, displacement: Sequence[float], now_ns: int, step_s: float) -> None:
        """Owe another displacement.

        Args:
            displacement: m and rad [6], finite.
            now_ns: Monotonic time, nanoseconds.
            step_s: Time to pay it in, seconds.
        """
        self._owed = [a + b for a, b in zip(self._owed, displacement, strict=True)]
        self._horizon_ns = now_ns + round(step_s * NS)
        self._deadbands = (
            DEADBAND * hypot(*displacement[LINEAR]),
            DEADBAND * hypot(*displacement[ANGULAR]),
        )

    def tick(self, now_ns: int, period_s: float) -> tuple[float, ...]:
        """Give the twist to send now.

        Args:
            now_ns: Monotonic time, nanoseconds, never before the last tick's.
            period_s: Time to the next tick as far as is known, seconds.

        Returns:
            Linear in m/s and angular in rad/s, [6]; exactly zero when nothing is to be paid.
        """
        self._settle(now_ns)
        left_s = (self._horizon_ns - now_ns) / NS + self._late_s
        linear_deadband, angular_deadband = self._deadbands
        parts = (
            (LINEAR, linear_deadband, self._linear_speed),
            (ANGULAR, angular_deadband, self._angular_speed),
        )
        twist = [*ZERO]
        for columns, deadband, speed in parts:
            owed = self._owed[columns]
            size = hypot(*owed)
            if size <= DUST or (left_s <= 0 and size <= deadband):
                continue
            pay_s = max(left_s, period_s, size / speed * (1 + 1e-12))
            twist[columns] = [value / pay_s for value in owed]
        self._held = tuple(twist)
        return self._held

    def _settle(self, now_ns: int) -> None:
        """Book what the held twist has paid since the last tick."""
        held_s = self._held_s(now_ns)
        for i, value in enumerate(self._held):
            self._owed[i] -= value * held_s
            self._paid[i] += value * held_s
        self._tick_ns = now_ns

    def _held_s(self, now_ns: int) -> float:
        """Give how long the held twist has been held, seconds."""
        if self._tick_ns is None:
            return 0.0
        # A consumer that gave up holding has stopped paying.
        return min(max(now_ns - self._tick_ns, 0) / NS, self._hold_limit_s)
