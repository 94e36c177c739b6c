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

"""What was done over a step, from actions, twists and poses."""

import bags
import numpy as np
import pytest

from vla_accel_ros.replay.decode import Pose
from vla_accel_ros.replay.recorded import HOLD_NS, NS, Recorded
from vla_accel_ros.sim.rotations import quaternion, to_matrix

STEP = NS // 20
T0 = 1000 * NS


def recorded(kind, samples, **options):
    made = Recorded(kind, 0.05, **options)
    for ns, value in samples:
        made.actions.add(ns, value)
    return made


def test_an_action_counts_for_its_own_step():
    values = np.array([0.01, 0, 0, 0, 0, 0.2, 1.0])
    made = recorded(bags.TRAJECTORY, [(T0, (values, 0.05)), (T0 + STEP, (2 * values, 0.05))])
    np.testing.assert_array_equal(made.at(T0 + STEP // 3), values)
    np.testing.assert_array_equal(made.at(T0 + STEP)[:6], 2 * values[:6])
    assert np.isnan(made.at(T0 - STEP)).all() and np.isnan(made.at(T0 + 2 * STEP)).all()


def test_an_action_of_another_step_is_scaled_to_the_policys():
    made = recorded(bags.TRAJECTORY, [(T0, (np.array([0.04, 0, 0, 0, 0, 0.2, 1.0]), 0.2))])
    assert made.at(T0) == pytest.approx([0.01, 0, 0, 0, 0, 0.05, 1.0])


@pytest.mark.parametrize('rate', [20, 50, 90])
def test_twists_sum_up_to_the_same_displacement_whatever_their_rate(rate):
    speed = np.array([0.1, 0, -0.2, 0, 0, 1.0])
    period = NS // rate
    made = recorded(bags.TWIST, [(T0 + k * period, speed) for k in range(20)])
    assert made.at(T0 + 2 * STEP)[:6] == pytest.approx(speed * 0.05, rel=1e-6)


def test_a_twist_is_in_force_until_the_next_and_no_longer_than_servo_lets_it():
    made = recorded(bags.TWIST, [(T0, np.full(6, 1.0)), (T0 + STEP // 2, np.full(6, 3.0))])
    assert made.at(T0)[:6] == pytest.approx(np.full(6, 0.025 + 0.075))
    end = T0 + STEP // 2 + HOLD_NS
    assert made.at(end - STEP // 5)[:6] == pytest.approx(np.full(6, 0.03))
    assert np.isnan(made.at(end)[:6]).all()


def test_poses_give_the_difference_over_the_step_in_the_base_frame():
    first, turn = to_matrix([0.3, -0.5, 1.0]), np.array([0.0, 0.1, 0.0])
    second = to_matrix(turn) @ first
    poses = [
        (T0, Pose(np.zeros(3), np.array(quaternion(first)))),
        (T0 + 2 * STEP, Pose(np.array([0.02, 0, -0.04]), np.array(quaternion(second)))),
    ]
    made = recorded(bags.POSE, poses)
    assert made.at(T0)[:6] == pytest.approx([0.01, 0, -0.02, *(turn / 2)], abs=1e-9)
    assert np.isnan(made.at(T0 + 2 * STEP)).all() and np.isnan(made.at(T0 - 1)).all()


def test_the_gripper_is_what_it_is_commanded_before_the_next_step():
    made = Recorded('', 0.05, gripper_open=0.08, gripper_closed=0.0)
    made.grippers.add(T0, 0.08)
    made.grippers.add(T0 + STEP, 0.02)
    assert made.at(T0)[6] == pytest.approx(0.0)
    assert made.at(T0 + STEP)[6] == pytest.approx(0.75)
    assert np.isnan(made.at(T0 - STEP)[6]) and np.isnan(made.at(T0)[:6]).all()


def test_the_past_is_forgotten_but_for_what_is_in_force():
    made = Recorded(bags.TWIST, 0.05)
    for k in range(1000):
        made.actions.add(T0 + k * STEP, np.ones(6))
    made.grippers.add(T0, 1.0)
    late = T0 + 900 * STEP
    made.forget(late)
    assert len(made.actions.stamps) < 130
    assert made.at(late)[:6] == pytest.approx(np.full(6, 0.05)) and made.at(late)[6] == 1.0


def test_a_clock_that_jumps_back_begins_anew():
    made = recorded(bags.TRAJECTORY, [(T0, (np.ones(7), 0.05))])
    made.actions.add(T0 - 100 * NS, (np.zeros(7), 0.05))
    assert made.actions.stamps == [T0 - 100 * NS]


def test_a_gripper_that_never_moves_is_none():
    with pytest.raises(ValueError, match='expected two values'):
        Recorded('', 0.05, 1.0, 1.0)
