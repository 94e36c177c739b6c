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

"""What the arm was told or did, over one policy step from an instant on.

Three kinds of record, each turned into the displacement of a step: an action (taken as it is), a
stream of twists (integrated, each held until the next, as MoveIt Servo does), poses (the
difference over the step). What is not known is NaN.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right

import numpy as np

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.replay.roles import POSE, TRAJECTORY, TWIST
from vla_accel_ros.sim.rotations import of_quaternion, to_matrix, to_vector

NS = 1_000_000_000
TOOL = END_EFFECTOR.tool()
# A twist is in force no longer than Servo lets it be, a pose says nothing of later instants.
HOLD_NS = 100_000_000
POSE_GAP_NS = 200_000_000


class Track:
    """Values by stamp, in order, forgotten once nobody will ask for them."""

    def __init__(self) -> None:
        self.stamps: list[int] = []
        self.values: list = []

    def add(self, stamp_ns: int, value) -> None:
        """Take a value; one that is older than the last begins anew (a clock jumped back)."""
        if self.stamps and stamp_ns < self.stamps[-1] - NS:
            self.stamps.clear()
            self.values.clear()
        at = bisect_right(self.stamps, stamp_ns)
        self.stamps.insert(at, stamp_ns)
        self.values.insert(at, value)

    def forget(self, before_ns: int) -> None:
        """Drop what is older, all but the last of it, which is still in force."""
        at = bisect_left(self.stamps, before_ns) - 1
        if at > 0:
            del self.stamps[:at], self.values[:at]


class Recorded:
    """Turns a bag's actions and gripper into the policy's columns.

    Args:
        kind: Type of the action topic, empty without one.
        step_s: Policy step, seconds.
        gripper_open: What the gripper topic says when it is open.
        gripper_closed: And when it is closed.

    Raises:
        ValueError: When open and closed are the same.
    """

    def __init__(
        self, kind: str, step_s: float, gripper_open: float = 0.0, gripper_closed: float = 1.0
    ) -> None:
        if gripper_open == gripper_closed:
            raise ValueError(
                f'gripper is open at {gripper_open} and closed at {gripper_closed}, expected two '
                'values'
            )
        self._kind, self._step_s, self._step_ns = kind, step_s, round(step_s * NS)
        self._ends = gripper_open, gripper_closed
        self.actions, self.grippers = Track(), Track()

    def at(self, stamp_ns: int) -> np.ndarray:
        """Return the displacement over the step from an instant on, float64 [7], or NaN."""
        find = {TRAJECTORY: self._action, TWIST: self._integral, POSE: self._difference}
        values = find.get(self._kind, self._nothing)(stamp_ns)
        if np.isnan(values[TOOL.gripper]):
            values[TOOL.gripper] = self._gripper(stamp_ns)
        return values

    def forget(self, before_ns: int) -> None:
        """Drop what is older."""
        self.actions.forget(before_ns - NS)
        self.grippers.forget(before_ns)

    def _nothing(self, _stamp_ns: int) -> np.ndarray:
        return np.full(END_EFFECTOR.width, np.nan)

    def _action(self, stamp_ns: int) -> np.ndarray:
        """Take the action nearest to the instant, if it is the one of this step."""
        stamps = self.actions.stamps
        at = bisect_left(stamps, stamp_ns)
        near = [i for i in (at - 1, at) if 0 <= i < len(stamps)]
        best = min(near, key=lambda i: abs(stamps[i] - stamp_ns), default=None)
        if best is None or abs(stamps[best] - stamp_ns) > self._step_ns // 2:
            return self._nothing(stamp_ns)
        action, step_s = self.actions.values[best]
        values = np.array(action)
        values[END_EFFECTOR.displacements] *= self._step_s / step_s
        return values

    def _integral(self, stamp_ns: int) -> np.ndarray:
        """Sum up the twists in force, each until the next or until it is stale."""
        stamps, end_ns = self.actions.stamps, stamp_ns + self._step_ns
        values = self._nothing(stamp_ns)
        total = np.zeros(len(END_EFFECTOR.moving))
        for at in range(max(bisect_right(stamps, stamp_ns) - 1, 0), len(stamps)):
            begin = stamps[at]
            if begin >= end_ns:
                break
            stop = min(begin + HOLD_NS, end_ns, *stamps[at + 1 : at + 2])
            if stop > stamp_ns:
                total += self.actions.values[at] * ((stop - max(begin, stamp_ns)) / NS)
                values[END_EFFECTOR.moving] = total
        return values

    def _difference(self, stamp_ns: int) -> np.ndarray:
        values = self._nothing(stamp_ns)
        begin, end = self._pose(stamp_ns), self._pose(stamp_ns + self._step_ns)
        if begin is not None and end is not None:
            values[TOOL.translation] = end[0] - begin[0]
            values[TOOL.rotation] = to_vector(end[1] @ begin[1].T)
        return values

    def _pose(self, stamp_ns: int) -> tuple[np.ndarray, np.ndarray] | None:
        """Position and rotation at an instant, between the poses beside it."""
        stamps = self.actions.stamps
        at = bisect_right(stamps, stamp_ns)
        if at == 0:
            return None
        before = self.actions.values[at - 1]
        if stamps[at - 1] == stamp_ns:
            return before.position, of_quaternion(before.quaternion)
        if at == len(stamps) or stamps[at] - stamps[at - 1] > POSE_GAP_NS:
            return None
        after = self.actions.values[at]
        share = (stamp_ns - stamps[at - 1]) / (stamps[at] - stamps[at - 1])
        first, second = of_quaternion(before.quaternion), of_quaternion(after.quaternion)
        turned = to_matrix(share * to_vector(second @ first.T)) @ first
        return before.position + share * (after.position - before.position), turned

    def _gripper(self, stamp_ns: int) -> float:
        """Say what is in force before the next step, 0 open to 1 closed."""
        at = bisect_left(self.grippers.stamps, stamp_ns + self._step_ns)
        if at == 0:
            return np.nan
        is_open, is_closed = self._ends
        return float(
            np.clip((self.grippers.values[at - 1] - is_open) / (is_closed - is_open), 0.0, 1.0)
        )
