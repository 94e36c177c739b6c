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

"""From target positions to a stream of positions that keeps every joint's speed."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from vla_accel_ros.safety.joint_limits import JointLimit
from vla_accel_ros.safety.limits import NS

# rad or m: what floating point leaves over is not a motion.
DUST = 1e-9


class JointStream:
    """Leads each joint in a straight line from where it was sent last to the newest target.

    A position is sent for the moment of the next tick, when its consumer has reached it. Late
    ticks and early actions change the way there, not the target. No joint moves faster than its
    limit, or gains speed faster than its limit; what that holds back comes later.

    Args:
        limits: Of each joint.
        late_s: How late the next action may come without a dip in the speed, s.
    """

    def __init__(self, limits: Sequence[JointLimit], late_s: float) -> None:
        self.configure(limits, late_s)
        self.clear()

    def configure(self, limits: Sequence[JointLimit], late_s: float) -> None:
        """Change the limits; the way to the target goes on within them."""
        self._limits, self._late_ns = tuple(limits), round(late_s * NS)

    def clear(self) -> None:
        """Have no target and know of nothing sent."""
        self._sent: tuple[float, ...] | None = None
        self._target: tuple[float, ...] | None = None
        self._velocity = (0.0,) * len(self._limits)
        self._due_ns = self._horizon_ns = 0
        self._ticked_ns: int | None = None

    @property
    def sent(self) -> tuple[float, ...] | None:
        """The positions sent last, [joints]; None before the first."""
        return self._sent

    @property
    def target(self) -> tuple[float, ...] | None:
        """The newest target, [joints]; None without one."""
        return self._target

    @property
    def horizon_ns(self) -> int:
        """Monotonic time at which the newest action's step ends, nanoseconds."""
        return self._horizon_ns

    def add(
        self, start: Sequence[float], target: Sequence[float], step_s: float, now_ns: int
    ) -> None:
        """Take a target.

        Args:
            start: Where the arm is, [joints]; counts only where nothing was sent yet.
            target: Where it is to be at the end of the step, [joints].
            step_s: The step, seconds.
            now_ns: Monotonic time, nanoseconds.
        """
        if self._sent is None:
            self._sent = tuple(start)
        self._target = tuple(target)
        self._horizon_ns = now_ns + round(step_s * NS)
        # What was sent last holds until here.
        self._due_ns = max(self._due_ns, now_ns)

    def tick(self, now_ns: int, period_s: float) -> tuple[tuple[float, ...], bool]:
        """Give the positions to send now, and whether they differ from those sent last.

        Args:
            now_ns: Monotonic time, nanoseconds, never before the last tick's.
            period_s: Time to the next tick as far as is known, seconds.

        Raises:
            ValueError: Before the first target.
        """
        if self._sent is None or self._target is None:
            raise ValueError('the stream has no target yet')
        elapsed_s = period_s
        if self._ticked_ns is not None:
            # What is sent is to be reached within a period, however late the tick.
            elapsed_s = min((now_ns - self._ticked_ns) / NS, period_s)
        self._ticked_ns = now_ns
        if elapsed_s <= 0:
            return self._sent, any(self._velocity)
        due_ns = now_ns + round(period_s * NS)
        left_ns = self._horizon_ns + self._late_ns - self._due_ns
        share = 1.0 if left_ns <= 0 else min(max(due_ns - self._due_ns, 0) / left_ns, 1.0)
        self._due_ns = due_ns
        sent, velocities = [], []
        for at, target, before, limit in zip(
            self._sent, self._target, self._velocity, self._limits, strict=True
        ):
            way = target - at
            wanted = way * share / elapsed_s
            # Braking is free, so no way to brake has to be planned.
            forward = max(before if way > 0 else -before, 0.0)
            most = min(limit.velocity, forward + limit.acceleration * elapsed_s)
            velocity = max(-most, min(most, wanted))
            moved = velocity * elapsed_s
            if abs(way - moved) <= DUST:
                moved = way
            sent.append(at + moved)
            velocities.append(0.0 if abs(moved) <= DUST else velocity)
        self._sent, self._velocity = tuple(sent), tuple(velocities)
        return self._sent, any(self._velocity)

    def ahead(self, period_s: float) -> list[tuple[float, ...]]:
        """Give the positions of the next ticks, if they are on time and no target comes.

        Args:
            period_s: Time from tick to tick, seconds.

        Returns:
            [joints] each, toward the target and slow enough, up to the end of the action's step
            and no further; empty when the target is reached.
        """
        if self._sent is None or self._target is None:
            return []
        ways = [b - a for a, b in zip(self._sent, self._target, strict=True)]
        if not any(ways):
            return []
        left_s = (self._horizon_ns + self._late_ns - self._due_ns) / NS
        count, rows, at = max(ceil(left_s / period_s - 1e-6), 1), [], list(self._sent)
        for k in range(count):
            for joint, (target, limit) in enumerate(zip(self._target, self._limits, strict=True)):
                way, most = target - at[joint], limit.velocity * period_s
                at[joint] += max(-most, min(most, way / (count - k)))
            rows.append(tuple(at))
        return rows
