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

"""How far actions depart from others."""

from hypothesis import given
from hypothesis import strategies as st
from joint_robots import ALOHA, SEVEN, SIX_BY_STEPS
import numpy as np
import pytest
from spaces import JOINTS

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.replay import departure
from vla_accel_ros.sim.rotations import to_matrix, to_vector

RNG = np.random.default_rng(3)


def actions(n=30):
    return RNG.uniform(-0.02, 0.02, (n, 7))


def test_translation_is_a_distance_in_millimetres_and_unknown_stays_unknown():
    ours, theirs = np.zeros((3, 7)), np.zeros((3, 7))
    ours[0, :3], theirs[1, :3], theirs[2, 0] = (0.003, 0.004, 0), (0, 0, -0.001), np.nan
    errors = departure.translation_mm(ours, theirs, END_EFFECTOR)
    assert errors[:2] == pytest.approx([5.0, 1.0]) and np.isnan(errors[2])


@given(st.floats(0, 3.1), st.integers(0, 2))
def test_rotation_is_the_angle_between_the_two(angle, axis):
    ours, theirs = np.zeros((1, 7)), np.zeros((1, 7))
    theirs[0, 3:6] = (0.3, -0.2, 0.5)
    turned = to_matrix(np.eye(3)[axis] * angle) @ to_matrix(theirs[0, 3:6])
    ours[0, 3:6] = to_vector(turned)
    assert departure.rotation_deg(ours, theirs, END_EFFECTOR)[0] == pytest.approx(
        np.degrees(angle), abs=1e-4
    )


def test_grippers_agree_when_both_are_on_one_side():
    ours, theirs = np.zeros((4, 7)), np.zeros((4, 7))
    ours[:, 6], theirs[:, 6] = (0.1, 0.9, 0.6, np.nan), (0.4, 1.0, 0.2, 1.0)
    np.testing.assert_array_equal(
        departure.gripper_agrees(ours, theirs, END_EFFECTOR), [1, 1, 0, np.nan]
    )


def gripper(*closed_from_to, n=60):
    values = np.zeros((n, 7))
    for begin, end in closed_from_to:
        values[begin:end, 6] = 1.0
    return values


def test_transitions_are_matched_with_the_nearest_of_their_kind():
    theirs = gripper((10, 40))
    late = departure.transition_frames(gripper((13, 38)), theirs, END_EFFECTOR)
    np.testing.assert_array_equal(late, [3, -2])
    np.testing.assert_array_equal(
        departure.transition_frames(gripper(), theirs, END_EFFECTOR), [np.nan] * 2
    )
    flicker = departure.transition_frames(gripper((5, 6), (10, 40)), theirs, END_EFFECTOR)
    np.testing.assert_array_equal(flicker, [0, 0])


def test_drift_is_how_far_apart_both_end_over_each_window():
    ours, theirs = actions(), actions()
    drift = departure.drift_mm(ours, theirs, END_EFFECTOR, 10)
    expected = [
        1e3 * np.linalg.norm((ours[k : k + 10] - theirs[k : k + 10])[:, :3].sum(axis=0))
        for k in range(21)
    ]
    assert drift == pytest.approx(expected)
    assert len(departure.drift_mm(ours[:9], theirs[:9], END_EFFECTOR, 10)) == 0


def test_an_arm_that_gets_no_action_stands_still_and_drifts():
    theirs = np.zeros((10, 7))
    theirs[:, 0] = 0.001
    nothing = np.full((10, 7), np.nan)
    assert departure.drift_mm(nothing, theirs, END_EFFECTOR, 10) == pytest.approx([10.0])
    assert np.isnan(departure.translation_mm(nothing, theirs, END_EFFECTOR)).all()


def test_windows_in_which_the_other_is_not_known_are_left_out():
    ours, theirs = actions(20), actions(20)
    theirs[7] = np.nan
    assert len(departure.drift_mm(ours, theirs, END_EFFECTOR, 5)) == 16 - 5


def test_of_joints_the_one_that_departs_most_counts_in_radians():
    ours, theirs = np.zeros((3, ALOHA.width)), np.zeros((3, ALOHA.width))
    ours[0, ALOHA.names.index('left_joint2')] = 0.02
    ours[0, ALOHA.names.index('right_joint6')] = -0.05
    theirs[2, ALOHA.names.index('right_joint1')] = np.nan
    errors = departure.joint_rad(ours, theirs, ALOHA)
    assert errors[:2] == pytest.approx([0.05, 0.0]) and np.isnan(errors[2])
    assert departure.lengths(ALOHA) == departure.turns(ALOHA) == ()


def test_each_of_two_grippers_counts():
    ours, theirs = np.zeros((4, ALOHA.width)), np.zeros((4, ALOHA.width))
    left, right = (ALOHA.names.index(f'{side}_gripper') for side in ('left', 'right'))
    ours[:, left], theirs[:, left] = (0, 1, 1, 1), (0, 0, 1, 1)
    ours[:, right] = theirs[:, right] = 0.25
    assert departure.gripper_agrees(ours, theirs, ALOHA).tolist() == [1, 0, 1, 1, 1, 1, 1, 1]
    assert departure.gripper_error(ours, theirs, ALOHA).tolist() == [0, 1, 0, 0, 0, 0, 0, 0]
    assert departure.transition_frames(ours, theirs, ALOHA).tolist() == [-1]


def test_displacements_of_joints_add_up_and_positions_do_not():
    steps, places = np.zeros((10, SIX_BY_STEPS.width)), np.zeros((10, SEVEN.width))
    steps[:, SIX_BY_STEPS.names.index('joint3')] = 0.01
    places[:, SEVEN.names.index('joint3')] = 0.01
    still = np.zeros_like
    assert departure.drift_rad(steps, still(steps), SIX_BY_STEPS, 5) == pytest.approx([0.05] * 6)
    assert departure.drift_rad(places, still(places), SEVEN, 5) == pytest.approx([0.01] * 6)


def test_joints_that_get_no_position_stay_where_they_were():
    theirs = np.tile(np.arange(6.0)[:, None], SEVEN.width)
    ours = theirs.copy()
    ours[3:] = np.nan
    assert departure.drift_rad(ours, theirs, SEVEN, 2) == pytest.approx([0, 0, 1, 2, 3])
    ours[0] = np.nan
    assert len(departure.drift_rad(ours, theirs, SEVEN, 1)) == 5


def test_a_joint_that_slides_is_measured_in_millimetres():
    ours, theirs = np.zeros((1, JOINTS.width)), np.zeros((1, JOINTS.width))
    ours[0, JOINTS.names.index('lift')] = 0.004
    assert departure.translation_mm(ours, theirs, JOINTS) == pytest.approx([4.0])
    assert departure.joint_rad(ours, theirs, JOINTS) == pytest.approx([0.0])
