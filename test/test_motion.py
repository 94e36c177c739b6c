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

"""The last motion, of one arm, of two, and of none that has a tool."""

import numpy as np
import pytest
from spaces import JOINTS, TWO_ARMS, both

from vla_accel_ros.motion import Motion

STILL = np.zeros(7)
LEFT = np.array([0.01, 0.0, -0.02, 0.0, 0.0, 0.3, 1.0])
RIGHT = np.array([0.0, 0.04, 0.03, 0.1, 0.0, 0.0, 0.0])


def test_of_two_arms_the_one_that_moves_furthest_and_the_one_that_turns_furthest_count():
    motion = Motion.from_action(both(LEFT, RIGHT), 0.1, TWO_ARMS)
    assert motion.translation == (0.0, 0.04, 0.03)
    assert motion.rotation == (0.0, 0.0, 0.3)
    assert motion.linear_speed == pytest.approx(0.5)
    assert motion.vertical_speed == pytest.approx(0.3)


@pytest.mark.parametrize('row', [LEFT, RIGHT])
def test_an_arm_beside_one_that_stands_still_moves_as_if_it_were_alone(row):
    alone = Motion.from_action(row, 0.1)
    assert Motion.from_action(both(row, STILL), 0.1, TWO_ARMS) == alone
    assert Motion.from_action(both(STILL, row), 0.1, TWO_ARMS) == alone


@pytest.mark.parametrize('side', [0, 1])
def test_a_value_that_is_not_finite_is_refused_whichever_arm_has_it(side):
    rows = [LEFT.copy(), RIGHT.copy()]
    rows[side][0] = np.nan
    with pytest.raises(ValueError, match='expected 3 finite numbers'):
        Motion.from_action(both(*rows), 0.1, TWO_ARMS)


def test_joints_say_nothing_of_an_end_effector():
    assert Motion.from_action(np.zeros(8), 0.1, JOINTS) is None
