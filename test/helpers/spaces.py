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

"""Action spaces made up for tests; their columns stand where nobody would guess."""

import numpy as np

from vla_accel_ros.action_columns import ColumnKind, Group
from vla_accel_ros.action_space import END_EFFECTOR, ActionSpace


def _arm(name):
    return (
        Group(ColumnKind.TRANSLATION, (f'{name}_x', f'{name}_y', f'{name}_z'), name),
        Group(ColumnKind.ROTATION, (f'{name}_roll', f'{name}_pitch', f'{name}_yaw'), name),
        Group(ColumnKind.GRIPPER, (f'{name}_gripper',), name),
    )


# 14 columns: of the left arm the gripper comes first, of the right one the rotation.
TWO_ARMS = ActionSpace(
    'two_arms', [_arm('left')[i] for i in (2, 0, 1)] + [_arm('right')[i] for i in (1, 2, 0)]
)
_PLACES = {
    side: [TWO_ARMS.names.index(f'{side}_{name}') for name in END_EFFECTOR.names]
    for side in ('left', 'right')
}
# Absolute joints of one arm, displacements of another, a lift in metres, and a gripper each.
JOINTS = ActionSpace(
    'joints',
    (
        Group(ColumnKind.JOINT_POSITION, ('a1', 'a2', 'a3'), 'a'),
        Group(ColumnKind.GRIPPER, ('a_gripper',), 'a'),
        Group(ColumnKind.JOINT_DISPLACEMENT, ('lift',), 'b', 'm'),
        Group(ColumnKind.JOINT_DISPLACEMENT, ('b1', 'b2'), 'b'),
        Group(ColumnKind.GRIPPER, ('b_gripper',), 'b'),
    ),
)


def both(left, right):
    """Return actions of two arms, float64 [..., 14], of two arms' own, [..., 7] each."""
    left, right = np.asarray(left, dtype=np.float64), np.asarray(right, dtype=np.float64)
    values = np.empty((*left.shape[:-1], TWO_ARMS.width))
    values[..., _PLACES['left']], values[..., _PLACES['right']] = left, right
    return values


def one_of(values, side):
    """Return one arm's columns, float64 [..., 7], in the order of the end effector's."""
    return np.asarray(values)[..., _PLACES[side]]
