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

from joint_robots import ALOHA, SEVEN, SIX_BY_STEPS, SPACES
import numpy as np
import pytest

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.replay.moment import Sample
from vla_accel_ros.replay.recorded import GAP_NS, HOLD_NS, NS, Recorded
from vla_accel_ros.replay.told import Places, Pose, StepAction, Twist
from vla_accel_ros.sim.rotations import quaternion, to_matrix

STEP = NS // 20
T0 = 1000 * NS


def twist(speed):
    return Twist(speed[:3], speed[3:])


def recorded(samples, space=END_EFFECTOR, **options):
    made = Recorded(space, 0.05, **options)
    for ns, value in samples:
        made.take(Sample('action', ns, value))
    return made


def test_an_action_counts_for_its_own_step():
    values = np.array([0.01, 0, 0, 0, 0, 0.2, 1.0])
    made = recorded([(T0, StepAction(values, 0.05)), (T0 + STEP, StepAction(2 * values, 0.05))])
    np.testing.assert_array_equal(made.at(T0 + STEP // 3), values)
    np.testing.assert_array_equal(made.at(T0 + STEP)[:6], 2 * values[:6])
    assert np.isnan(made.at(T0 - STEP)).all() and np.isnan(made.at(T0 + 2 * STEP)).all()


def test_an_action_of_another_step_is_scaled_to_the_policys():
    made = recorded([(T0, StepAction(np.array([0.04, 0, 0, 0, 0, 0.2, 1.0]), 0.2))])
    assert made.at(T0) == pytest.approx([0.01, 0, 0, 0, 0, 0.05, 1.0])


@pytest.mark.parametrize('rate', [20, 50, 90])
def test_twists_sum_up_to_the_same_displacement_whatever_their_rate(rate):
    speed = np.array([0.1, 0, -0.2, 0, 0, 1.0])
    period = NS // rate
    made = recorded([(T0 + k * period, twist(speed)) for k in range(20)])
    assert made.at(T0 + 2 * STEP)[:6] == pytest.approx(speed * 0.05, rel=1e-6)


def test_a_twist_is_in_force_until_the_next_and_no_longer_than_servo_lets_it():
    made = recorded([(T0, twist(np.full(6, 1.0))), (T0 + STEP // 2, twist(np.full(6, 3.0)))])
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
    made = recorded(poses)
    assert made.at(T0)[:6] == pytest.approx([0.01, 0, -0.02, *(turn / 2)], abs=1e-9)
    assert np.isnan(made.at(T0 + 2 * STEP)).all() and np.isnan(made.at(T0 - 1)).all()


def test_the_gripper_is_what_it_is_commanded_before_the_next_step():
    made = Recorded(END_EFFECTOR, 0.05, gripper_open=0.08, gripper_closed=0.0)
    made.grippers[0].add(T0, 0.08)
    made.grippers[0].add(T0 + STEP, 0.02)
    assert made.at(T0)[6] == pytest.approx(0.0)
    assert made.at(T0 + STEP)[6] == pytest.approx(0.75)
    assert np.isnan(made.at(T0 - STEP)[6]) and np.isnan(made.at(T0)[:6]).all()


def test_the_past_is_forgotten_but_for_what_is_in_force():
    made = Recorded(END_EFFECTOR, 0.05)
    for k in range(1000):
        made.actions.add(T0 + k * STEP, twist(np.ones(6)))
    made.grippers[0].add(T0, 1.0)
    late = T0 + 900 * STEP
    made.forget(late)
    assert len(made.actions.stamps) < 130
    assert made.at(late)[:6] == pytest.approx(np.full(6, 0.05)) and made.at(late)[6] == 1.0


def test_a_clock_that_jumps_back_begins_anew():
    made = recorded([(T0, StepAction(np.ones(7), 0.05))])
    made.actions.add(T0 - 100 * NS, StepAction(np.zeros(7), 0.05))
    assert made.actions.stamps == [T0 - 100 * NS]


def test_a_gripper_that_never_moves_is_none():
    with pytest.raises(ValueError, match='expected two values'):
        Recorded(END_EFFECTOR, 0.05, 1.0, 1.0)


def places(space, value):
    """Give joints that are all at one place."""
    values = np.full(space.width, np.nan)
    values[space.moving] = value
    return Places(values)


@pytest.mark.parametrize('space', SPACES, ids=lambda space: space.name)
def test_an_action_of_joints_counts_for_its_own_step(space):
    values = np.linspace(0.1, 1.0, space.width)
    made = recorded([(T0, StepAction(values, 0.05))], space)
    np.testing.assert_array_equal(made.at(T0 + STEP // 3), values)
    assert np.isnan(made.at(T0 + STEP)).all()


@pytest.mark.parametrize('space', SPACES, ids=lambda space: space.name)
def test_places_of_joints_give_that_at_the_end_of_the_step_or_the_way_there(space):
    made = recorded([(T0 + k * STEP // 2, places(space, 0.1 * k)) for k in range(6)], space)
    found = made.at(T0 + STEP // 4)
    assert found[space.positions] == pytest.approx(0.25)
    assert found[space.displacements] == pytest.approx(0.2)
    assert np.isnan(found[space.grippers]).all()
    assert np.isnan(made.at(T0 - 1)[space.displacements]).all()
    assert np.isnan(made.at(T0 + 2 * STEP)).all()


def test_joints_are_not_guessed_across_a_gap():
    made = recorded([(T0 + k * GAP_NS * 2, places(SEVEN, 0.1 * k)) for k in range(3)], SEVEN)
    assert np.isnan(made.at(T0 + STEP)).all()


def test_what_a_controller_is_told_holds_when_it_is_to_be_there():
    made = Recorded(SEVEN, 0.05)
    for k in range(4):
        told = places(SEVEN, 0.1 * k)._replace(lead_ns=STEP)
        made.take(Sample('action', T0 + k * STEP, told))
    assert made.at(T0 + STEP)[SEVEN.positions] == pytest.approx(0.1)


def test_of_an_action_of_another_step_displacements_are_scaled_and_positions_are_on_the_way():
    steps = recorded([(T0, StepAction(np.full(SIX_BY_STEPS.width, 0.4), 0.2))], SIX_BY_STEPS)
    assert steps.at(T0)[SIX_BY_STEPS.moving] == pytest.approx(0.1)
    long = [StepAction(np.full(SEVEN.width, 0.1 * k), 0.2) for k in range(3)]
    made = recorded([(T0 + 4 * k * STEP, action) for k, action in enumerate(long)], SEVEN)
    assert made.at(T0 + 4 * STEP)[SEVEN.positions] == pytest.approx(0.025)
    assert np.isnan(made.at(T0)[SEVEN.positions]).all()


def test_each_gripper_has_commands_of_its_own():
    made = Recorded(ALOHA, 0.05)
    made.take(Sample('gripper', T0, 1.0, 1))
    assert made.at(T0)[ALOHA.grippers].tolist() == pytest.approx([np.nan, 1.0], nan_ok=True)
