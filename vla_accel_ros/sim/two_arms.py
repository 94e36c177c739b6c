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

"""Two embedded arms over one table: six joints and a gripper each, moved by joint positions.

Both are the embedded arm with its third joint held at zero, side by side, looking the same way.
Fingers touch cubes, the table and one another; the links pass through everything, as they do of
the one arm.
"""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np

from vla_accel_ros.action_columns import ColumnKind, Group
from vla_accel_ros.action_space import ActionSpace
from vla_accel_ros.sim.arm import CONTROL_DT, Arm, step_all
from vla_accel_ros.sim.arm_model import (
    add_arm,
    add_drives,
    add_foot,
    joint_names,
    prefixed,
    six_joints,
)
from vla_accel_ros.sim.cameras import Cameras, check_size
from vla_accel_ros.sim.description import add_chain
from vla_accel_ros.sim.gl import import_mujoco
from vla_accel_ros.sim.looks import camera, text
from vla_accel_ros.sim.scene import COLOURS, CUBE_HALF, add_cube, add_room

SIDES = ('left', 'right')
# Of the feet in the base frame, m; x to the front, so that left is where y is positive.
FEET = ((0.0, 0.3, 0.0), (0.0, -0.3, 0.0))
ARM_JOINTS = joint_names(six_joints())
JOINT_NAMES = tuple(f'{side}_{name}' for side in SIDES for name in ARM_JOINTS)
GRIPPERS = tuple(f'{side}_gripper' for side in SIDES)
CAMERAS = ('high', *(f'{side}_wrist' for side in SIDES))
JOINT_SPACE = ActionSpace(
    'vla_accel_two_arms',
    tuple(
        group
        for side in SIDES
        for group in (
            Group(ColumnKind.JOINT_POSITION, tuple(f'{side}_{name}' for name in ARM_JOINTS), side),
            Group(ColumnKind.GRIPPER, (f'{side}_gripper',), side),
        )
    ),
)
# Largest difference of a joint's start from the home posture, rad.
_START = 0.05
_CUBES_X = 0.5


class TwoArms:
    """Two arms with six joints each over a table with three cubes, at 20 Hz.

    Args:
        image_size: Pixels of a side.
        coarse: Draw roughly, at a fifth of the cost.
    """

    control_dt = CONTROL_DT
    # Nobody asks these arms for anything yet: there is no task to succeed in.
    instruction = ''

    def __init__(self, image_size: int = 128, coarse: bool = False) -> None:
        self.image_size = check_size(image_size)[0]
        self._mujoco = import_mujoco()
        self.model = self._mujoco.MjModel.from_xml_string(two_arms_xml())
        self.data = self._mujoco.MjData(self.model)
        numbers = six_joints()
        self._arms = [Arm(self.model, self.data, numbers, f'{side}_') for side in SIDES]
        self._views = Cameras(self.model, CAMERAS, coarse)
        self.reset(seed=0)

    def reset(self, *, seed: int) -> None:
        """Put both arms near their home posture and the cubes on the table.

        Args:
            seed: Decides the whole start.
        """
        drawn = np.random.default_rng(seed)
        self._mujoco.mj_resetData(self.model, self.data)
        for index, colour in enumerate(COLOURS):
            y = 0.2 * (index - 1) + drawn.uniform(-0.03, 0.03)
            self.data.joint(colour).qpos[:3] = [_CUBES_X, y, CUBE_HALF]
        for arm in self._arms:
            arm.put(arm.home + drawn.uniform(-_START, _START, arm.joint_count))

    def advance_joints(self, joints, *grippers: float) -> bool:
        """Move to joint positions for a step without rendering.

        Args:
            joints: float [12], rad, in the order of `JOINT_NAMES`; cut to the joints' range.
            grippers: 0 open to 1 closed, of each arm.

        Returns:
            False: there is no task that could be done.

        Raises:
            ValueError: When they are not 12 and 2 finite numbers; nothing has moved then.
        """
        values = np.array([*joints, *grippers], dtype=np.float64)
        moving, wanted = len(JOINT_NAMES), len(JOINT_NAMES) + len(SIDES)
        if values.shape != (wanted,) or not np.isfinite(values).all():
            raise ValueError(
                f'joints and grippers are {values.tolist()}, expected {wanted} finite numbers'
            )
        parts = np.split(values[:moving], len(SIDES))
        closed = np.clip(values[moving:], 0.0, 1.0)
        step_all(
            self._mujoco,
            self.model,
            self.data,
            [
                arm.drive(arm.cut(part), float(gripper))
                for arm, part, gripper in zip(self._arms, parts, closed, strict=True)
            ],
        )
        return False

    def solve(self, poses) -> np.ndarray:
        """Give the joint positions at which the tools are at poses, as near as they get.

        Args:
            poses: Of each arm position [3] in m and rotation [3, 3], base frame.

        Returns:
            float64 [12], rad, in the order of `JOINT_NAMES`.
        """
        return np.concatenate(
            [arm.reach(*pose) for arm, pose in zip(self._arms, poses, strict=True)]
        )

    def joint_positions(self) -> np.ndarray:
        """Return of each arm 6 joint angles in rad and two finger positions in m, [16]."""
        return np.concatenate([arm.joint_positions() for arm in self._arms])

    def measured(self) -> np.ndarray:
        """Return the 12 joint angles in rad, in the order of `JOINT_NAMES`."""
        return np.concatenate([arm.joint_positions()[:-2] for arm in self._arms])

    def proprio(self) -> np.ndarray:
        """Return each gripper's command in force, 0 open to 1 closed, [2]."""
        return np.array([arm.gripper for arm in self._arms])

    def ee_poses(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return of each tool position [3] in m and rotation [3, 3], base frame."""
        return [arm.pose() for arm in self._arms]

    def render_camera(self, name: str, size: int | tuple[int, int] | None = None) -> np.ndarray:
        """Return one view, uint8 [height, width, 3]; see `Cameras.render`."""
        return self._views.render(self.data, name, self.image_size if size is None else size)

    def physics(self) -> np.ndarray:
        """Return MuJoCo's integration state."""
        return self._arms[0].physics()

    def close(self) -> None:
        """Free this thread's renderers."""
        self._views.close()


def two_arms_xml() -> str:
    """Return the whole scene as MJCF text."""
    numbers = six_joints()
    root, world = add_room('two_arms')
    camera(world, 'high')
    for side, foot in zip(SIDES, FEET, strict=True):
        arm = ElementTree.Element('mujoco')
        base = ElementTree.SubElement(arm, 'body', name='base', pos=text(foot))
        add_foot(base)
        add_arm(base, numbers)
        add_drives(arm, numbers)
        prefixed(arm, f'{side}_')
        world.append(base)
        root.extend(part for part in arm if part is not base)
    for index, colour in enumerate(COLOURS):
        add_cube(world, colour, f'{_CUBES_X} {0.2 * (index - 1)} {CUBE_HALF}')
    return ElementTree.tostring(root, encoding='unicode')


def two_arms_urdf() -> str:
    """Return the description as text: both chains and the limits of their joints."""
    robot, numbers = ElementTree.Element('robot', name='vla_accel_two_arms'), six_joints()
    ElementTree.SubElement(robot, 'link', name='base_link')
    for side, foot in zip(SIDES, FEET, strict=True):
        add_chain(robot, numbers, 'base_link', f'{side}_', foot)
    return ElementTree.tostring(robot, encoding='unicode')
