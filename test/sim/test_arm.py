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


"""Tests of delta end-effector control."""

import numpy as np
import pytest

from vla_accel_ros.sim.arm import WORKSPACE
from vla_accel_ros.sim.arm_model import panda
from vla_accel_ros.sim.rotations import to_vector


def drive(env, action, steps, settle=6):
    before = env.ee_pose()
    for _ in range(steps):
        env.advance(action)
    for _ in range(settle):
        env.advance([0.0] * 6 + [action[6]])
    return before, env.ee_pose()


@pytest.mark.parametrize('direction', [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, -1, 0.5)])
@pytest.mark.parametrize('step_mm', [1, 5, 15])
def test_the_tool_goes_as_far_as_it_was_told(blind, direction, step_mm):
    blind.reset(seed=4)
    told = np.array(direction) * step_mm * 1e-3
    steps = 6
    before, after = drive(blind, [*told, 0, 0, 0, 0], steps)
    moved = after[0] - before[0]
    assert np.linalg.norm(moved - steps * told) < 0.03 * np.linalg.norm(steps * told)


@pytest.mark.parametrize('axis', range(3))
@pytest.mark.parametrize('sign', [-1, 1])
def test_the_tool_turns_about_the_base_axes_as_far_as_it_was_told(blind, axis, sign):
    blind.reset(seed=4)
    action = np.zeros(7)
    action[3 + axis] = sign * 0.03
    before, after = drive(blind, action, 6)
    turned = to_vector(after[1] @ before[1].T)
    assert np.allclose(turned, 6 * action[3:6], atol=0.006)
    assert np.linalg.norm(after[0] - before[0]) < 0.003


def test_it_stands_still_without_a_command(blind):
    blind.reset(seed=4)
    before, after = drive(blind, np.zeros(7), 40)
    assert np.linalg.norm(after[0] - before[0]) < 5e-4


@pytest.mark.parametrize('direction', [(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1)])
def test_it_stays_in_its_workspace(blind, direction):
    blind.reset(seed=4)
    drive(blind, [*(0.03 * np.array(direction)), 0, 0, 0, 0], 40)
    position = blind.ee_pose()[0]
    assert np.all(position > WORKSPACE[0] - 0.01) and np.all(position < WORKSPACE[1] + 0.01)


def test_a_blocked_tool_is_free_again_at_once(blind):
    """The target is kept near the true pose: pushing on the table does not wind it up."""
    blind.reset(seed=4)
    drive(blind, [0, 0, -0.03, 0, 0, 0, 0], 60, settle=0)
    low = blind.ee_pose()[0][2]
    for _ in range(5):
        blind.advance([0, 0, 0.02, 0, 0, 0, 0])
    assert blind.ee_pose()[0][2] - low > 0.05


def test_the_fingers_close_at_a_limited_speed_and_open_again(blind):
    blind.reset(seed=4)
    widths = []
    for command in [1] * 14 + [0] * 14:
        blind.advance([0, 0, 0, 0, 0, 0, command])
        widths.append(blind.state().width)
    assert np.abs(np.diff(widths)).max() < 0.0125
    assert widths[13] < 0.002
    assert widths[-1] > 0.078


def test_the_arm_keeps_within_its_joints_whatever_is_asked(blind):
    """Random commands neither break a joint's range by more than its stop gives, nor physics."""
    ranges = np.array([link['joint_range'] for link in panda()['arm']])
    random = np.random.default_rng(0)
    blind.reset(seed=4)
    for _ in range(300):
        blind.advance(random.uniform(-0.2, 0.2, 7))
        joints = blind.joint_positions()
        assert np.isfinite(joints).all()
        assert np.all(joints[:7] > ranges[:, 0] - 0.05)
        assert np.all(joints[:7] < ranges[:, 1] + 0.05)
