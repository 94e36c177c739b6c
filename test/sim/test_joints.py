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

"""The embedded arm in joint space."""

from functools import reduce
from xml.etree import ElementTree

import numpy as np
import pytest

from vla_accel_ros.inputs.urdf import read_limits
from vla_accel_ros.sim.description import JOINT_NAMES, SPEEDS, urdf
from vla_accel_ros.sim.joints import JOINT_SPACE, as_positions, as_steps
from vla_accel_ros.sim.rotations import to_matrix


def chain(joints):
    """Give the place of the last link, by the description alone."""

    def numbers(element, key):
        return [float(value) for value in element.get(key).split()]

    place, turn = np.zeros(3), np.eye(3)
    for joint, angle in zip(ElementTree.fromstring(urdf()).findall('joint'), joints, strict=True):
        origin = joint.find('origin')
        place = place + turn @ numbers(origin, 'xyz')
        # URDF: about the fixed x, then y, then z.
        axes = [to_matrix(r * e) for r, e in zip(numbers(origin, 'rpy'), np.eye(3), strict=True)]
        turn = turn @ reduce(np.matmul, reversed(axes)) @ to_matrix([0, 0, angle])
    return place, turn


def test_the_description_is_the_arm_that_is_simulated(blind):
    blind.reset(seed=3)
    place, turn = chain(blind.joint_positions()[:7])
    body = blind.data.body('link7')
    np.testing.assert_allclose(place, body.xpos, atol=1e-6)
    np.testing.assert_allclose(turn, body.xmat.reshape(3, 3), atol=1e-6)


def test_the_description_has_the_limits_of_every_joint():
    limits = read_limits(urdf())
    assert tuple(limits) == JOINT_NAMES
    assert [limits[name].velocity for name in JOINT_NAMES] == list(SPEEDS)
    assert limits['joint4'].upper < 0


def test_joint_positions_move_the_arm_there_and_are_cut_to_its_range(blind):
    blind.reset(seed=4)
    wanted = blind.joint_positions()[:7] + 0.05
    for _ in range(12):
        blind.advance_joints(wanted, 0.0)
    np.testing.assert_allclose(blind.joint_positions()[:7], wanted, atol=0.005)
    before = blind.ee_pose()[0]
    blind.advance([0.0] * 7)
    assert np.linalg.norm(blind.ee_pose()[0] - before) < 0.003
    with pytest.raises(ValueError, match='expected 7 finite numbers'):
        blind.advance_joints([np.nan] * 7, 0.0)


def test_a_chunk_of_displacements_ends_where_the_tool_would(blind):
    blind.reset(seed=4)
    chunk = np.array([[0.005, -0.005, 0.004, 0, 0, 0.02, 1.0]] * 4)
    rows = as_positions(blind, chunk, blind.measured())
    assert rows.shape == (4, JOINT_SPACE.width)
    assert (rows[:, JOINT_SPACE.grippers] == 1).all()
    steps = as_steps(blind, chunk, blind.measured())
    np.testing.assert_allclose(blind.measured() + steps[:, :7].sum(axis=0), rows[-1, :7])
    np.testing.assert_array_equal(steps[:, 7:], rows[:, 7:])
    start = blind.ee_pose()[0]
    for row in rows:
        for _ in range(4):
            blind.advance_joints(row[:7], 0.0)
    moved = blind.ee_pose()[0] - start
    np.testing.assert_allclose(moved, chunk[:, :3].sum(axis=0), atol=0.002)
