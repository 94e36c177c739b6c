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

"""What the expert for LIBERO does, state by state."""

import numpy as np
import pytest

from vla_accel_ros.environments.libero_expert import FAST, act, grip
from vla_accel_ros.environments.libero_scene import Box, Goal, Scene
from vla_accel_ros.sim.rotations import DOWN, yaw_matrix

CAN = Box(np.array([-0.03, -0.13, 0.0]), np.array([0.03, -0.07, 0.08]))
BOWL = Box(np.array([-0.055, -0.155, 0.0]), np.array([0.055, -0.045, 0.05]))
NOTHING = np.zeros((0, 2, 3))
GOAL = Goal(np.array([0.0, 0.25]), 0.14, True)


def scene(tool, thing=CAN, width=0.08, held=False, **other):
    values = {
        'tool': np.asarray(tool, dtype=float),
        'hand': DOWN,
        'width': width,
        'fingers_speed': 0.0,
        'held': held,
        'origin': thing.centre,
        'thing': thing,
        'obstacles': NOTHING,
        'goal': GOAL,
    }
    return Scene(**{**values, **other})


def moved(box, offset):
    return Box(box.low + offset, box.high + offset)


def test_it_goes_above_the_thing_first_with_an_open_gripper():
    action = act(scene([-0.2, 0.1, 0.25]))
    assert action[0] > 0 and action[1] < 0 and action[6] == 0
    assert np.linalg.norm(action[:3]) <= FAST + 1e-9


def test_it_is_fast_in_the_open_and_slow_where_it_touches():
    far = act(scene([-0.2, 0.3, 0.20]))
    near = act(scene([0.001, -0.1, 0.055]))
    assert np.linalg.norm(far[:3]) > 2 * np.linalg.norm(near[:3])


def test_beside_the_thing_and_below_its_top_it_rises_before_it_goes_sideways():
    action = act(scene([0.10, -0.1, 0.02]))
    assert action[2] > 0.02 and np.abs(action[:2]).max() < 1e-6


def test_between_the_fingers_they_close():
    assert act(scene([0.0, -0.1, 0.045]))[6] == 1


def test_fingers_that_closed_on_nothing_open_again():
    action = act(scene([0.0, -0.1, 0.045], width=0.001))
    assert action[6] == 0


def test_what_it_holds_goes_up_before_it_goes_to_the_goal():
    low = act(scene([0.0, -0.1, 0.045], width=0.06, held=True))
    assert low[2] > 0.01 and np.abs(low[:2]).max() < 1e-6 and low[6] == 1
    high = act(scene([0.0, -0.1, 0.28], thing=moved(CAN, [0, 0, 0.24]), width=0.06, held=True))
    assert high[1] > 0.03 and high[6] == 1


def test_it_rises_over_what_stands_in_the_way():
    wall = np.array([[[-0.2, -0.02, 0.0], [0.2, 0.01, 0.30]]])
    at = moved(CAN, [0, 0, 0.24])
    action = act(scene([0.0, -0.1, 0.28], thing=at, width=0.06, held=True, obstacles=wall))
    assert action[2] > 0.03 and abs(action[1]) < 1e-6


def test_it_rises_over_what_the_hand_would_meet_beside_the_thing():
    at = moved(CAN, [0, 0, 0.24])
    goal = Goal(np.array([0.4, -0.1]), 0.14, True)
    held = {'thing': at, 'width': 0.06, 'held': True, 'goal': goal}
    assert act(scene([0.0, -0.1, 0.28], **held))[0] > 0.03
    bottle = np.array([[[0.10, -0.02, 0.0], [0.12, -0.01, 0.45]]])
    action = act(scene([0.0, -0.1, 0.28], obstacles=bottle, **held))
    assert action[2] > 0.03 and abs(action[0]) < 1e-6


def test_over_the_goal_and_low_it_lets_go():
    at = moved(CAN, np.array([0.0, 0.35, 0.12]))
    assert act(scene(at.centre, thing=at, width=0.06, held=True))[6] == 0


def test_what_was_dropped_on_the_way_is_picked_up_again():
    at = moved(CAN, np.array([0.05, 0.15, 0.0]))
    action = act(scene([0.0, 0.05, 0.25], thing=at, width=0.02))
    assert action[6] == 0 and action[2] < 0


def test_a_bowl_is_held_by_the_rim_that_is_nearer_to_its_goal():
    point, yaw = grip(scene([0, 0, 0.3], thing=BOWL))
    assert yaw == 0.0
    assert point == pytest.approx([0.0, -0.045 - 0.016, 0.015])


def test_it_holds_a_bowl_where_the_hand_has_room_at_the_goal():
    bottle = np.array([[[-0.02, 0.37, 0.0], [0.02, 0.40, 0.3]]])
    point, yaw = grip(scene([0, 0, 0.3], thing=BOWL, obstacles=bottle))
    assert yaw == 0.0
    assert point == pytest.approx([0.0, -0.155 + 0.016, 0.015])


def test_where_a_neighbour_is_in_the_way_it_takes_hold_elsewhere():
    usual, _ = grip(scene([0, 0, 0.3]))
    beside = np.array([[[-0.02, -0.22, 0.0], [0.03, -0.16, 0.2]]])
    point, yaw = grip(scene([0, 0, 0.3], obstacles=beside))
    assert yaw != 0.0 or not np.allclose(point, usual)


def test_a_turned_hand_is_turned_back():
    action = act(scene([-0.2, 0.1, 0.25], hand=yaw_matrix(0.3) @ DOWN))
    assert action[5] < -0.1 and np.abs(action[3:5]).max() < 1e-9


# Long in y, so that fingers that open along x span it: the hand is turned by a quarter.
LONG = Box(np.array([-0.02, -0.145, 0.0]), np.array([0.02, -0.055, 0.03]))


@pytest.mark.parametrize('heading', [0.1, 1e-6, -1e-6, -0.1])
def test_a_quarter_turn_is_always_the_same_one(heading):
    assert grip(scene([0, 0, 0.3], thing=LONG))[1] == pytest.approx(-np.pi / 2)
    action = act(scene([-0.2, 0.1, 0.25], thing=LONG, hand=yaw_matrix(heading) @ DOWN))
    assert action[5] < -0.1


@pytest.mark.parametrize('thing', [CAN, LONG])
def test_a_hand_that_is_turned_too_far_goes_back_and_not_on_to_where_the_wrist_ends(thing):
    action = act(scene([-0.2, 0.1, 0.25], thing=thing, hand=yaw_matrix(-2.6) @ DOWN))
    assert action[5] > 0.1


def test_what_it_delivers_keeps_the_turn_in_which_it_is_held():
    at = moved(LONG, [0, 0, 0.24])
    for heading, rest in ((-0.1, 0.1), (-1.47, -0.1), (-1.67, 0.1)):
        turned = yaw_matrix(heading) @ DOWN
        action = act(scene(at.centre, thing=at, width=0.04, held=True, hand=turned))
        assert action[5] == pytest.approx(rest, abs=1e-3)


def test_a_solid_thing_is_not_held_by_a_rim_and_a_neighbour_is_cleared_from_above():
    free, _ = grip(scene([0, 0, 0.3], thing=LONG))
    # Too low for the palm over a grip by the fingertips, too high for one that is deeper.
    beside = np.array([[[-0.09, -0.2, 0.0], [-0.07, 0.0, free[2] + 0.040]]])
    point, yaw = grip(scene([0, 0, 0.3], thing=LONG, obstacles=beside))
    assert yaw == pytest.approx(-np.pi / 2)
    assert point[2] > free[2] + 0.005
    assert point[0] == pytest.approx(free[0])
