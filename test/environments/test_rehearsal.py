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

"""Episodes without a model."""

import numpy as np

from vla_accel_ros.environments.interface import Outcome
from vla_accel_ros.environments.rehearsal import rehearse


class Counting:
    """Three steps; done in the second, and lost again in the third where that is told."""

    name, cameras, step_s = 'counting', (), 0.1

    def __init__(self, goes_on):
        self._goes_on, self._steps, self.drawn = goes_on, 0, 0

    def reset(self, seed, instruction):
        self._steps = 0

    def observe(self):
        self.drawn += 1

    def limits(self):
        return -np.ones(7), np.ones(7)

    def step(self, action):
        self._steps += 1
        if self._goes_on:
            return Outcome(self._steps == 3, self._steps > 1, self._steps == 2)
        return Outcome(self._steps == 2, self._steps == 2)


def test_success_at_any_time_is_told_from_success_at_the_end():
    lost = rehearse(Counting(goes_on=True), 'random', 0, '')
    assert (lost.success, lost.at_end, lost.steps) == (True, False, 3)
    ended = rehearse(Counting(goes_on=False), 'random', 0, '')
    assert (ended.success, ended.at_end, ended.steps) == (True, True, 2)


def test_nothing_is_drawn_where_no_model_looks():
    environment = Counting(goes_on=True)
    rehearse(environment, 'random', 0, '')
    assert environment.drawn == 0
