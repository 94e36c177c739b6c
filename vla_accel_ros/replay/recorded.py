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

Four kinds of record, each turned into the action of a step: an action (taken as it is), a stream
of twists (integrated, each held until the next, as MoveIt Servo does), poses of the tool (the
difference over the step), places of the joints, commanded or measured (that at the end of the
step, or the difference over it, as the columns are). What is not known is NaN.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right

import numpy as np

from vla_accel_ros.action_columns import Tool
from vla_accel_ros.action_space import ActionSpace
from vla_accel_ros.replay.moment import Sample
from vla_accel_ros.replay.told import Places, Pose, StepAction, Twist
from vla_accel_ros.sim.rotations import of_quaternion, to_matrix, to_vector

NS = 1_000_000_000
# A twist is in force no longer than Servo lets it be, a place says nothing of later instants.
HOLD_NS = 100_000_000
GAP_NS = 200_000_000
# Steps that differ by less are the same: what rounding makes of them.
SAME_STEP_NS = 1000


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
    """Turns a bag's actions and grippers into the policy's columns.

    Args:
        space: What the columns are.
        step_s: Policy step, seconds.
        gripper_open: What the gripper topics say when a gripper is open.
        gripper_closed: And when it is closed.

    Attributes:
        actions: What was told or done, by stamp.
        grippers: The same of each gripper.

    Raises:
        ValueError: When open and closed are the same.
    """

    def __init__(
        self,
        space: ActionSpace,
        step_s: float,
        gripper_open: float = 0.0,
        gripper_closed: float = 1.0,
    ) -> None:
        if gripper_open == gripper_closed:
            raise ValueError(
                f'gripper is open at {gripper_open} and closed at {gripper_closed}, expected two '
                'values'
            )
        self.space, self._step_s, self._step_ns = space, step_s, round(step_s * NS)
        self._ends = gripper_open, gripper_closed
        self.actions, self.grippers = Track(), tuple(Track() for _ in space.grippers)
        self._find = {
            StepAction: self._action,
            Twist: self._integral,
            Pose: self._difference,
            Places: self._placed,
        }

    def take(self, sample: Sample) -> None:
        """Take what was said between two observations."""
        if sample.role == 'action':
            lead_ns = sample.value.lead_ns if isinstance(sample.value, Places) else 0
            self.actions.add(sample.stamp_ns + lead_ns, sample.value)
        else:
            self.grippers[sample.gripper].add(sample.stamp_ns, sample.value)

    def at(self, stamp_ns: int) -> np.ndarray:
        """Return the action of the step from an instant on, float64 [width], or NaN."""
        values = np.full(self.space.width, np.nan)
        if self.actions.values:
            self._find[type(self.actions.values[-1])](stamp_ns, values)
        for place, track in zip(self.space.grippers, self.grippers, strict=True):
            if np.isnan(values[place]):
                values[place] = self._gripper(track, stamp_ns)
        return values

    def forget(self, before_ns: int) -> None:
        """Drop what is older."""
        self.actions.forget(before_ns - NS)
        for track in self.grippers:
            track.forget(before_ns)

    # -- by what was recorded: each fills in the columns that it knows ----------------------------

    def _action(self, stamp_ns: int, values: np.ndarray) -> None:
        """Take the action nearest to the instant, if it is the one of this step."""
        stamps = self.actions.stamps
        at = bisect_left(stamps, stamp_ns)
        near = [i for i in (at - 1, at) if 0 <= i < len(stamps)]
        best = min(near, key=lambda i: abs(stamps[i] - stamp_ns), default=None)
        if best is None or abs(stamps[best] - stamp_ns) > self._step_ns // 2:
            return
        action, step_s = self.actions.values[best]
        values[:] = action
        values[self.space.displacements] *= self._step_s / step_s
        if abs(round(step_s * NS) - self._step_ns) > SAME_STEP_NS and len(self.space.positions):
            values[self.space.positions] = self._target(stamp_ns + self._step_ns)

    def _target(self, stamp_ns: int) -> np.ndarray:
        """Give where the actions of longer or shorter steps have the joints at an instant."""
        ends = [
            stamp + round(step_s * NS)
            for stamp, (_, step_s) in zip(self.actions.stamps, self.actions.values, strict=True)
        ]
        found = _around(ends, stamp_ns)
        if found is None:
            return np.full(len(self.space.positions), np.nan)
        before, after, share = found
        first, second = (self.actions.values[i].values for i in (before, after))
        return (first + share * (second - first))[self.space.positions]

    def _integral(self, stamp_ns: int, values: np.ndarray) -> None:
        """Sum up the twists in force, each until the next or until it is stale."""
        stamps, end_ns = self.actions.stamps, stamp_ns + self._step_ns
        tool = self._tool()
        for at in range(max(bisect_right(stamps, stamp_ns) - 1, 0), len(stamps)):
            begin = stamps[at]
            if begin >= end_ns:
                break
            stop = min(begin + HOLD_NS, end_ns, *stamps[at + 1 : at + 2])
            if stop > stamp_ns:
                seconds = (stop - max(begin, stamp_ns)) / NS
                for columns, speed in zip(
                    (tool.translation, tool.rotation), self.actions.values[at], strict=True
                ):
                    values[columns] = np.nan_to_num(values[columns]) + speed * seconds

    def _difference(self, stamp_ns: int, values: np.ndarray) -> None:
        begin, end = self._pose(stamp_ns), self._pose(stamp_ns + self._step_ns)
        if begin is not None and end is not None:
            tool = self._tool()
            values[tool.translation] = end[0] - begin[0]
            values[tool.rotation] = to_vector(end[1] @ begin[1].T)

    def _pose(self, stamp_ns: int) -> tuple[np.ndarray, np.ndarray] | None:
        """Position and rotation at an instant, between the poses beside it."""
        found = _around(self.actions.stamps, stamp_ns)
        if found is None:
            return None
        before, after, share = found
        start, stop = self.actions.values[before], self.actions.values[after]
        first, second = of_quaternion(start.quaternion), of_quaternion(stop.quaternion)
        turned = to_matrix(share * to_vector(second @ first.T)) @ first
        return start.position + share * (stop.position - start.position), turned

    def _placed(self, stamp_ns: int, values: np.ndarray) -> None:
        begin, end = self._joints(stamp_ns), self._joints(stamp_ns + self._step_ns)
        absolute, moved = self.space.positions, self.space.displacements
        if end is not None:
            values[absolute] = end[absolute]
            if begin is not None:
                values[moved] = (end - begin)[moved]

    def _joints(self, stamp_ns: int) -> np.ndarray | None:
        """Where the joints are at an instant, between the places beside it."""
        found = _around(self.actions.stamps, stamp_ns)
        if found is None:
            return None
        before, after, share = found
        first, second = self.actions.values[before].values, self.actions.values[after].values
        return first + share * (second - first)

    # -- inside ----------------------------------------------------------------------------------

    def _tool(self) -> Tool:
        return self.space.tool(self.space.parts[0].arm)

    def _gripper(self, track: Track, stamp_ns: int) -> float:
        """Say what is in force before the next step, 0 open to 1 closed."""
        at = bisect_left(track.stamps, stamp_ns + self._step_ns)
        if at == 0:
            return np.nan
        is_open, is_closed = self._ends
        return float(np.clip((track.values[at - 1] - is_open) / (is_closed - is_open), 0.0, 1.0))


def _around(stamps: list[int], stamp_ns: int) -> tuple[int, int, float] | None:
    """Return the places before and after an instant, and how far it is between them, 0 to 1.

    Returns:
        None where there is not one on both sides, or they are too far apart.
    """
    after = bisect_right(stamps, stamp_ns)
    before = after - 1
    if before < 0:
        return None
    if stamps[before] == stamp_ns:
        return before, before, 0.0
    if after == len(stamps) or stamps[after] - stamps[before] > GAP_NS:
        return None
    return before, after, (stamp_ns - stamps[before]) / (stamps[after] - stamps[before])
