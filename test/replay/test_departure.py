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
import numpy as np
import pytest

from vla_accel_ros.replay import departure
from vla_accel_ros.sim.rotations import to_matrix, to_vector

RNG = np.random.default_rng(3)


def actions(n=30):
    return RNG.uniform(-0.02, 0.02, (n, 7))


def test_translation_is_a_distance_in_millimetres_and_unknown_stays_unknown():
    ours, theirs = np.zeros((3, 7)), np.zeros((3, 7))
    ours[0, :3], theirs[1, :3], theirs[2, 0] = (0.003, 0.004, 0), (0, 0, -0.001), np.nan
    errors = departure.translation_mm(ours, theirs)
    assert errors[:2] == pytest.approx([5.0, 1.0]) and np.isnan(errors[2])


@given(st.floats(0, 3.1), st.integers(0, 2))
def test_rotation_is_the_angle_between_the_two(angle, axis):
    ours, theirs = np.zeros((1, 7)), np.zeros((1, 7))
    theirs[0, 3:6] = (0.3, -0.2, 0.5)
    turned = to_matrix(np.eye(3)[axis] * angle) @ to_matrix(theirs[0, 3:6])
    ours[0, 3:6] = to_vector(turned)
    assert departure.rotation_deg(ours, theirs)[0] == pytest.approx(np.degrees(angle), abs=1e-4)


def test_grippers_agree_when_both_are_on_one_side():
    ours, theirs = np.zeros((4, 7)), np.zeros((4, 7))
    ours[:, 6], theirs[:, 6] = (0.1, 0.9, 0.6, np.nan), (0.4, 1.0, 0.2, 1.0)
    np.testing.assert_array_equal(departure.gripper_agrees(ours, theirs), [1, 1, 0, np.nan])


def gripper(*closed_from_to, n=60):
    values = np.zeros((n, 7))
    for begin, end in closed_from_to:
        values[begin:end, 6] = 1.0
    return values


def test_transitions_are_matched_with_the_nearest_of_their_kind():
    theirs = gripper((10, 40))
    late = departure.transition_frames(gripper((13, 38)), theirs)
    np.testing.assert_array_equal(late, [3, -2])
    np.testing.assert_array_equal(departure.transition_frames(gripper(), theirs), [np.nan] * 2)
    flicker = departure.transition_frames(gripper((5, 6), (10, 40)), theirs)
    np.testing.assert_array_equal(flicker, [0, 0])


def test_drift_is_how_far_apart_both_end_over_each_window():
    ours, theirs = actions(), actions()
    drift = departure.drift_mm(ours, theirs, 10)
    expected = [
        1e3 * np.linalg.norm((ours[k : k + 10] - theirs[k : k + 10])[:, :3].sum(axis=0))
        for k in range(21)
    ]
    assert drift == pytest.approx(expected)
    assert len(departure.drift_mm(ours[:9], theirs[:9], 10)) == 0


def test_an_arm_that_gets_no_action_stands_still_and_drifts():
    theirs = np.zeros((10, 7))
    theirs[:, 0] = 0.001
    nothing = np.full((10, 7), np.nan)
    assert departure.drift_mm(nothing, theirs, 10) == pytest.approx([10.0])
    assert np.isnan(departure.translation_mm(nothing, theirs)).all()


def test_windows_in_which_the_other_is_not_known_are_left_out():
    ours, theirs = actions(20), actions(20)
    theirs[7] = np.nan
    assert len(departure.drift_mm(ours, theirs, 5)) == 16 - 5
