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

"""Robots of joints: their action spaces, their descriptions, and arms that follow commands."""

import numpy as np

from vla_accel_ros.action_columns import ColumnKind, Group
from vla_accel_ros.action_space import ActionSpace

# rad, rad/s of every joint of these robots.
RANGE, SPEED = 2.8, 2.0


def robot_space(joints, arms=('',), kind=ColumnKind.JOINT_POSITION):
    """Give a space of so many joints an arm, each with a gripper."""
    groups = []
    for arm in arms:
        prefix = f'{arm}_' if arm else ''
        names = tuple(f'{prefix}joint{i}' for i in range(1, joints + 1))
        groups += [Group(kind, names, arm), Group(ColumnKind.GRIPPER, (f'{prefix}gripper',), arm)]
    return ActionSpace(f'{len(arms)}x{joints}_{kind.value}', groups)


SEVEN = robot_space(7)
SIX_BY_STEPS = robot_space(6, kind=ColumnKind.JOINT_DISPLACEMENT)
ALOHA = robot_space(6, ('left', 'right'))
TWO_SEVENS = robot_space(7, ('left', 'right'))
SPACES = (SEVEN, SIX_BY_STEPS, ALOHA, TWO_SEVENS)


def joints_of(space):
    """Return the names of a space's joints, grippers apart."""
    return [space.names[i] for i in space.moving]


def urdf(names, lower=-RANGE, upper=RANGE, velocity=SPEED, kind='revolute'):
    """Write a description with such joints."""
    joints = ''.join(
        f'<joint name="{name}" type="{kind}"><limit lower="{lower}" upper="{upper}" effort="80" '
        f'velocity="{velocity}"/></joint>'
        for name in names
    )
    return f'<robot name="r">{joints}<joint name="flange" type="fixed"/></robot>'


def row_of(space, joints, gripper=0.0):
    """Put joints, [joints] or one number for all, and grippers into an action, [width]."""
    row = np.empty(space.width)
    row[space.moving], row[space.grippers] = joints, gripper
    return row
