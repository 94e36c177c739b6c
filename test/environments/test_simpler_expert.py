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
"""What the expert for SimplerEnv does, on instants made by hand."""

import math

import numpy as np
import pytest

from vla_accel_ros.environments.simpler_expert import CLEAR, OPEN, SLOW, Scene, act

DOWN = np.array([0.0, 0.0, -1.0])
AT, GOAL = np.array([0.30, 0.10, 0.015]), np.array([0.38, -0.05, 0.005])


def scene(**changes):
    start = Scene(
        tool=AT + [0.0, 0.0, 0.010],
        heading=math.pi / 2,
        pointing=DOWN,
        width=0.074,
        held=False,
        thing=AT,
        long=0.0,
        half=0.015,
        goal=GOAL,
        top=0.010,
    )
    return start._replace(**changes)


def test_fingers_around_the_thing_close_and_stay():
    action = act(scene())
    assert action[6] == 1.0 and not action[:3].any()


def test_the_hand_comes_from_above_and_never_sideways_along_the_table():
    above = act(scene(tool=AT + [0.10, 0.0, 0.20]))
    assert above[0] < 0 and above[2] < 0 and above[6] == 0.0
    low = act(scene(tool=AT + [0.10, 0.0, 0.010]))
    assert low[2] > 0.02 and abs(low[0]) < 0.005


@pytest.mark.parametrize('heading', [0.0, math.pi, -math.pi])
def test_fingers_turn_to_the_short_side_before_they_go_down(heading):
    action = act(scene(heading=heading, tool=AT + [0.0, 0.0, 0.05]))
    assert abs(action[5]) > 0.2 and action[6] == 0.0 and action[2] > -0.005


def test_a_thing_without_a_long_side_is_taken_as_the_hand_is():
    assert act(scene(heading=0.3, long=None))[6] == 1.0


def test_a_hand_that_leans_is_brought_upright():
    leaning = np.array([math.sin(0.2), 0.0, -math.cos(0.2)])
    turn = act(scene(pointing=leaning, tool=AT + [0.0, 0.0, 0.2]))[3:6]
    turned = leaning + np.cross(turn, leaning)
    assert turned @ DOWN > leaning @ DOWN and abs(turn[1]) > 0.05


def test_what_is_held_goes_up_first_then_over_the_goal():
    lifted = act(scene(held=True, width=0.03))
    assert lifted[6] == 1.0 and lifted[2] == pytest.approx(SLOW) and abs(lifted[1]) < 1e-3
    high = AT + [0.0, 0.0, 0.010 + CLEAR]
    carried = act(scene(held=True, width=0.03, thing=high, tool=high))
    assert carried[1] < -0.02 and abs(carried[2]) < 0.01 and carried[6] == 1.0


def test_what_lies_on_the_goal_is_let_go_and_left():
    there = GOAL + [0.0, 0.0, 0.020]
    let_go = act(scene(held=True, width=0.03, thing=there, tool=there))
    assert let_go[6] == 0.0 and let_go[2] == 0.0
    left = act(scene(width=OPEN + 0.005, thing=there, tool=there))
    assert left[6] == 0.0 and left[2] > 0.01
