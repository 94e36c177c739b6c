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

"""Displacements of the end effector, sent as twists."""

from __future__ import annotations

from math import hypot, isfinite

from vla_accel_ros.action_columns import AXES
from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.safety.drive import Values
from vla_accel_ros.safety.guard_config import GuardConfig
from vla_accel_ros.safety.limits import NS, Refusal
from vla_accel_ros.safety.room import room
from vla_accel_ros.safety.stream import ANGULAR, LINEAR, ZERO
from vla_accel_ros.safety.tool_limits import Record, check_motion, check_workspace, motion, no_pose

# Executors may hand over two readings of the monotonic clock in the wrong order, by this much.
CLOCK_SLACK_NS = 5_000_000


class ToolDrive:
    """The drive of twists: linear in m/s, angular in rad/s, base frame, [6]; zero holds the arm.

    Args:
        config: Settings.
    """

    space = END_EFFECTOR
    limits = ()

    def __init__(self, config: GuardConfig | None = None) -> None:
        self._config = config or GuardConfig()
        self._record = Record()
        self._stream = self._config.make_stream()
        self._pose: tuple[int, tuple[float, float, float]] | None = None

    def configure(self, config: GuardConfig) -> None:
        """Change the settings; what is owed and remembered stays."""
        self._config = config
        limits = config.limits
        self._stream.configure(
            limits.linear_speed, limits.angular_speed, config.hold_limit_s, config.late_s
        )

    def begin(self) -> None:
        """Begin anew, from rest."""
        self._stream.clear()
        self._record.forget()

    def clear(self) -> None:
        """Owe nothing."""
        self._stream.clear()

    def obstacles(self, now_ns: int) -> list[Refusal]:
        """Return everything that stands against enabling the arm."""
        if self._config.limits.boxed and not self._pose_is_fresh(now_ns):
            return [no_pose(self._config.limits)]
        return []

    def update_pose(
        self, position: tuple[float, float, float], now_ns: int, age_s: float = 0.0
    ) -> bool:
        """Take the end effector's position; return whether it is usable.

        Args:
            position: Metres, base frame.
            now_ns: Monotonic time, nanoseconds.
            age_s: How old the pose is by its stamp, seconds.
        """
        usable = len(position) == AXES and all(map(isfinite, position))
        if usable:
            x, y, z = position
            dx, dy, dz = self._stream.paid(now_ns)[LINEAR]
            origin = (float(x) - dx, float(y) - dy, float(z) - dz)
            self._pose = (now_ns - round(age_s * NS), origin)
        return usable

    def check(self, row: list[float], step_s: float, now_ns: int) -> Refusal | None:
        """Check an action against every limit; see `Drive.check`."""
        limits = self._config.limits
        refusal = check_motion(row, step_s, limits, self._record, now_ns, self._config.grace_s)
        return refusal or check_workspace(row, limits, self.planned_position(now_ns))

    def add(self, row: list[float], step_s: float, now_ns: int) -> int:
        """Owe an action's displacement; see `Drive.add`."""
        self._stream.add(motion(row), now_ns, step_s)
        self._record.add(row, now_ns, step_s)
        return self._stream.horizon_ns

    def trouble(self, now_ns: int) -> Refusal | None:
        """Return None: a twist needs nothing of the robot to go on."""

    def tick(self, now_ns: int, period_s: float) -> tuple[Values, bool]:
        """Give the twist to send now; see `Drive.tick`."""
        twist = self._stream.tick(now_ns, period_s)
        return twist, any(twist)

    def fault(self, values: Values) -> str:
        """Name what is unsafe about a twist."""
        limits = self._config.limits
        # NaN fails every comparison, so this also holds what no test thought of.
        safe = (
            hypot(*values[LINEAR]) <= limits.linear_speed
            and hypot(*values[ANGULAR]) <= limits.angular_speed
        )
        return '' if safe else 'unsafe_twist'

    def held(self, now_ns: int) -> Values:
        """Give the twist that holds the arm."""
        return ZERO

    def room(self, now_ns: int) -> dict[str, float]:
        """Give what is left to each limit, by name; see `room.room`."""
        position, config = self.planned_position(now_ns), self._config
        return room(config.limits, self._record, now_ns, config.grace_s, position)

    def planned_position(self, now_ns: int) -> tuple[float, float, float] | None:
        """Where the arm will be once it has executed all that was accepted, m; None if not known.

        What was paid since the pose was taken counts: a pose that no longer comes must not let
        the arm walk out of the box for as long as it counts as fresh.
        """
        if self._pose is None or not self._pose_is_fresh(now_ns):
            return None
        _, (x, y, z) = self._pose
        dx, dy, dz = self._stream.committed[LINEAR]
        return x + dx, y + dy, z + dz

    def _pose_is_fresh(self, now_ns: int) -> bool:
        if self._pose is None:
            return False
        age_ns = now_ns - self._pose[0]
        # One from the future is of before the clock was set back.
        return -CLOCK_SLACK_NS <= age_ns <= self._config.limits.max_pose_age_s * NS
