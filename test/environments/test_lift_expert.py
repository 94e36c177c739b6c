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

"""The waypoints of the expert for robosuite's Lift."""

import numpy as np
import pytest

from vla_accel_ros.environments.lift_expert import lift, yaw_error
from vla_accel_ros.sim.rotations import DOWN, yaw_matrix

CUBE = np.array([0.0, 0.0, 0.83])
OPEN, HELD = 0.08, 0.042


def test_far_from_the_cube_it_goes_above_it_with_an_open_gripper():
    action = lift(CUBE + [0.1, 0.0, 0.15], CUBE, OPEN, 0.0)
    assert action[0] < 0 and action[6] == 0.0


def test_beside_the_cube_it_rises_first():
    assert lift(CUBE + [0.05, 0.0, 0.0], CUBE, OPEN, 0.0)[2] > 0


def test_lined_up_it_descends_and_askew_it_turns_first():
    above = CUBE + [0.0, 0.0, 0.10]
    assert lift(above, CUBE, OPEN, 0.0)[2] < 0
    askew = lift(above, CUBE, OPEN, 0.4)
    assert askew[5] > 0 and askew[2] == pytest.approx(0.0)


def test_around_the_cube_it_closes_and_holding_it_it_lifts():
    closing = lift(CUBE, CUBE, OPEN, 0.0)
    assert closing[6] == 1.0 and np.allclose(closing[:6], 0.0)
    lifting = lift(CUBE, CUBE, HELD, 0.0)
    assert lifting[6] == 1.0 and lifting[2] > 0


@pytest.mark.parametrize(
    ('turn', 'error'), [(0.3, 0.3), (-0.3, -0.3), (np.pi / 2 + 0.1, 0.1), (np.pi - 0.2, -0.2)]
)
def test_a_cube_looks_the_same_after_a_quarter_turn(turn, error):
    assert yaw_error(DOWN, yaw_matrix(turn)) == pytest.approx(error)
