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

"""The embedded arm in joint space: its action space, and a tool's displacements as positions."""

from __future__ import annotations

import numpy as np

from vla_accel_ros.action_columns import ColumnKind, Group
from vla_accel_ros.action_space import END_EFFECTOR, ActionSpace
from vla_accel_ros.sim.description import JOINT_NAMES
from vla_accel_ros.sim.env import TabletopEnv, check_action

JOINT_SPACE = ActionSpace(
    'vla_accel_arm',
    (Group(ColumnKind.JOINT_POSITION, JOINT_NAMES), Group(ColumnKind.GRIPPER, ('gripper',))),
)
# The same columns as steps: a late answer still says how far to go, not to go back.
JOINT_STEPS = ActionSpace(
    'vla_accel_arm_steps',
    (Group(ColumnKind.JOINT_DISPLACEMENT, JOINT_NAMES), Group(ColumnKind.GRIPPER, ('gripper',))),
)
_MOVING, (_GRIPPER,) = END_EFFECTOR.moving, END_EFFECTOR.grippers


def as_positions(env: TabletopEnv, chunk: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Turn a chunk of displacements into absolute joint positions, by inverse kinematics.

    Each row begins where the row before it ends.

    Args:
        env: The arm; it does not move.
        chunk: float [n, 7], columns of the end effector.
        joints: float [7], rad, where the first row begins.

    Returns:
        float64 [n, 8], columns of `JOINT_SPACE`.
    """
    rows = []
    for action in map(check_action, chunk):
        joints = env.solve(joints, action[_MOVING])
        rows.append([*joints, action[_GRIPPER]])
    return np.array(rows)


def as_steps(env: TabletopEnv, chunk: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Turn a chunk of displacements into those of the joints; see `as_positions`.

    Returns:
        float64 [n, 8], columns of `JOINT_STEPS`.
    """
    rows = as_positions(env, chunk, joints)
    moving = JOINT_STEPS.moving
    rows[:, moving] = np.diff(rows[:, moving], axis=0, prepend=np.asarray(joints)[None])
    return rows
