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

"""Two arms in one simulation."""

from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest

from vla_accel_ros.inputs.urdf import read_limits
from vla_accel_ros.sim.rotations import DOWN
from vla_accel_ros.sim.two_arms import (
    CAMERAS,
    JOINT_NAMES,
    JOINT_SPACE,
    SIDES,
    TwoArms,
    two_arms_urdf,
)

GOAL = [(np.array([0.5, 0.2, 0.2]), DOWN), (np.array([0.45, -0.15, 0.25]), DOWN)]


@pytest.fixture(scope='module')
def arms():
    """Give two arms."""
    env = TwoArms(image_size=64)
    yield env
    env.close()


def test_a_command_has_six_joints_and_a_gripper_an_arm():
    assert JOINT_SPACE.width == 14
    assert [JOINT_SPACE.names[i] for i in JOINT_SPACE.moving] == list(JOINT_NAMES)
    assert tuple(read_limits(two_arms_urdf())) == JOINT_NAMES
    kinds = [each.get('type') for each in ElementTree.fromstring(two_arms_urdf()).iter('joint')]
    assert kinds.count('fixed') == len(SIDES)


def test_both_tools_reach_their_poses_and_one_gripper_closes_alone(arms):
    arms.reset(seed=3)
    start, goal = arms.measured(), arms.solve(GOAL)
    for share in np.linspace(0, 1, 30):
        arms.advance_joints(start + share * (goal - start), 1.0, 0.0)
    for (position, rotation), (wanted, turn) in zip(arms.ee_poses(), GOAL, strict=True):
        np.testing.assert_allclose(position, wanted, atol=0.01)
        np.testing.assert_allclose(rotation, turn, atol=0.05)
    assert arms.proprio().tolist() == [1.0, 0.0]
    left, right = np.split(arms.joint_positions(), 2)
    assert left[-2:].sum() < 0.01 < 0.07 < right[-2:].sum()


def test_an_arm_that_is_not_told_to_stays_while_the_other_moves(arms):
    arms.reset(seed=3)
    start = arms.measured()
    wanted = start + np.repeat([0.1, 0.0], 6)
    for _ in range(15):
        arms.advance_joints(wanted, 0.0, 0.0)
    np.testing.assert_allclose(arms.measured(), wanted, atol=0.005)


def test_the_seed_decides_the_start_and_a_bad_command_moves_nothing(arms):
    arms.reset(seed=4)
    start = arms.measured()
    arms.reset(seed=5)
    assert not np.allclose(arms.measured(), start)
    arms.reset(seed=4)
    assert (arms.measured() == start).all()
    for bad in ([np.nan] * 12, [0.0] * 7):
        with pytest.raises(ValueError, match='expected 14 finite numbers'):
            arms.advance_joints(bad, 0.0, 0.0)
    assert (arms.measured() == start).all()


def test_every_camera_sees_something_else(arms):
    views = [arms.render_camera(name).astype(int) for name in CAMERAS]
    assert all(view.shape == (64, 64, 3) and view.std() > 10 for view in views)
    assert all(np.abs(a - b).mean() > 5 for a, b in pairwise(views))
