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

"""The action buffer: the last few actions, as the rules and the predictors read them."""

from __future__ import annotations

from collections import deque
from math import sqrt

import numpy as np

from vla_accel_ros.action_space import END_EFFECTOR, ActionSpace
from vla_accel_ros.actions import Action


class ActionBuffer:
    """The last actions sent to the arm, each marked generated or fitted (SP-VLA, n = 6).

    Every row is stored twice, `capacity` rows apart, so that the window of the last n actions
    is always one contiguous slice and never has to be copied or rolled.

    Args:
        capacity: How many actions are kept, at least 1.
        space: What the actions' columns are.

    Raises:
        ValueError: When the capacity is below 1.
    """

    def __init__(self, capacity: int, space: ActionSpace = END_EFFECTOR) -> None:
        if capacity < 1:
            raise ValueError(f'capacity is {capacity}, expected at least 1')
        self._capacity = capacity
        self._space = space
        self._values = np.zeros((2 * capacity, space.width))
        self._changes = np.zeros((2 * capacity, space.width))
        self._read_values = _read_only(self._values)
        self._read_changes = _read_only(self._changes)
        # The windows of a full buffer, by its end: steps are short, and slicing takes its time.
        self._full_values = [self._read_values[end : end + capacity] for end in range(capacity)]
        self._full_changes = [
            self._read_changes[end + 1 : end + capacity] for end in range(capacity)
        ]
        self._actions: deque[Action] = deque(maxlen=capacity)
        self._rows: deque[list[float]] = deque(maxlen=capacity)
        self._closed: deque[tuple[bool, ...]] = deque(maxlen=capacity)
        self._squares = (0.0, 0.0)
        self._end = 0
        self._from_vla = 0
        self._steps_since_vla = 0

    def __len__(self) -> int:
        return len(self._actions)

    def append(self, action: Action) -> None:
        """Add an action; the oldest leaves once the buffer is full."""
        values = action.values
        row = values.tolist()
        slot = self._end
        twin = slot + self._capacity
        self._values[slot] = values
        self._values[twin] = values
        if self._actions:
            change = np.abs(values - self._actions[-1].values)
            self._changes[slot] = change
            self._changes[twin] = change
            if len(self._actions) == self._capacity:
                self._from_vla -= self._actions[0].source.from_vla
        self._squares = self._space.squares(row, self._rows[-1] if self._rows else None)
        self._actions.append(action)
        self._rows.append(row)
        self._closed.append(self._space.closed(row))
        self._from_vla += action.source.from_vla
        self._steps_since_vla = 0 if action.source.from_vla else self._steps_since_vla + 1
        self._end = (slot + 1) % self._capacity

    def clear(self) -> None:
        """Forget every action."""
        self._actions.clear()
        self._rows.clear()
        self._closed.clear()
        self._squares = (0.0, 0.0)
        self._end = 0
        self._from_vla = 0
        self._steps_since_vla = 0

    def resized(self, capacity: int) -> ActionBuffer:
        """Return a buffer of another capacity that holds the newest of these actions."""
        other = ActionBuffer(capacity, self._space)
        for action in self._actions:
            other.append(action)
        other._steps_since_vla = self._steps_since_vla
        return other

    @property
    def capacity(self) -> int:
        """How many actions are kept at most."""
        return self._capacity

    @property
    def space(self) -> ActionSpace:
        """What the actions' columns are."""
        return self._space

    @property
    def last(self) -> Action | None:
        """The newest action, None when empty."""
        return self._actions[-1] if self._actions else None

    def last_since(self, stamp_ns: int) -> np.ndarray | None:
        """Return the newest action's values, None when it is of before that stamp."""
        last = self.last
        return None if last is None or last.stamp_ns < stamp_ns else last.values

    @property
    def rows(self) -> deque[list[float]]:
        """The actions as plain floats, oldest first: what small arithmetic is fastest on."""
        return self._rows

    def speeds(self, step_s: float) -> tuple[float, float]:
        """Give the newest action's largest speeds, m/s and rad/s; 0 when empty.

        Args:
            step_s: Duration of a step, seconds.
        """
        linear, angular = self._squares
        return sqrt(linear) / step_s, sqrt(angular) / step_s

    @property
    def gripper_moves(self) -> bool:
        """Whether a gripper opens or closes within the buffer (ours).

        Around a grasp the arm waits on the gripper and turns about: what the linear fit knows
        least of, and what costs the task most.
        """
        closed = self._closed
        return bool(closed) and closed.count(closed[0]) < len(closed)

    @property
    def values(self) -> np.ndarray:
        """The actions, float64 [n, width], oldest first: a read-only view until `append`."""
        count = len(self._actions)
        if count == self._capacity:
            return self._full_values[self._end]
        return self._read_values[self._end - count : self._end]

    @property
    def changes(self) -> np.ndarray:
        """Absolute changes of neighbours, float64 [max(n - 1, 0), width]: a view as `values`."""
        count = len(self._actions)
        if count == self._capacity:
            return self._full_changes[self._end]
        return self._read_changes[self._end - max(count - 1, 0) : self._end]

    @property
    def from_vla(self) -> int:
        """How many of the actions the VLA generated (SP-VLA, N_G)."""
        return self._from_vla

    @property
    def steps_since_vla(self) -> int:
        """How many actions were fitted since the VLA's last one, those forgotten counted too."""
        return self._steps_since_vla

    @property
    def from_vla_ratio(self) -> float:
        """Share of generated actions (SP-VLA, N_G / N_A), 0 when empty."""
        return self._from_vla / len(self._actions) if self._actions else 0.0


def _read_only(array: np.ndarray) -> np.ndarray:
    view: np.ndarray = array.view()
    view.flags.writeable = False
    return view
