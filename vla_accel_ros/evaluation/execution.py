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

"""What an environment is to do in each of its steps, from actions that come when they come."""

from __future__ import annotations

import numpy as np

from vla_accel_ros.action_space import END_EFFECTOR, ActionSpace


class Execution:
    """Spreads each action's displacement over a policy step from when it was sent.

    As arm_command does, it conserves displacement: what is still owed when the next action comes
    is paid along with it. An environment moves in whole steps and gets what falls due within
    each; so at the end of a step, which is all that a frame can show, the arm is where it would
    be. Grippers and absolute positions act from the nearer end of the step on. An action that is
    sent with the frame is executed as it is, to the bit.

    Args:
        step_ns: Of the policy and of the environment, nanoseconds.
        start_ns: Beginning of the first step.
        space: What the actions' columns are.
    """

    def __init__(self, step_ns: int, start_ns: int, space: ActionSpace = END_EFFECTOR) -> None:
        self._step_ns, self._from_ns, self._at_ns = step_ns, start_ns, start_ns
        self._space = space
        self._spread = space.displacements
        self._set = np.setdiff1d(np.arange(space.width), self._spread)
        self._owed = np.zeros(len(self._spread))
        self._due = np.zeros(len(self._spread))
        self._horizon_ns = start_ns
        self._state = self._next_state = np.zeros(len(self._set))

    def send(self, action: np.ndarray, sent_ns: int) -> None:
        """Take an action, float64 [width], sent within the step under way."""
        self._settle(sent_ns)
        self._owed = self._owed + action[self._spread]
        self._horizon_ns = sent_ns + self._step_ns
        self._next_state = action[self._set]
        if sent_ns - self._from_ns <= self._step_ns // 2:
            self._state = self._next_state

    def take(self) -> np.ndarray:
        """End the step; return what falls due within it, float64 [width]."""
        self._from_ns += self._step_ns
        self._settle(self._from_ns)
        action = np.empty(self._space.width)
        action[self._spread], action[self._set] = self._due, self._state
        self._due = np.zeros(len(self._spread))
        self._state = self._next_state
        return action

    def _settle(self, now_ns: int) -> None:
        left = self._horizon_ns - self._at_ns
        if left > 0:
            share = min(1.0, (now_ns - self._at_ns) / left)
            paid = self._owed * share
            self._due, self._owed = self._due + paid, self._owed - paid
        self._at_ns = now_ns
