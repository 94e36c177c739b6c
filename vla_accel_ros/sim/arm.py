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


"""Control of the arm: displacements of the tool, or joint positions, become joint targets.

Of a tool, a target pose is moved by each displacement, kept near the true pose and inside the
workspace, and followed by damped least squares inverse kinematics (Wampler 1986) with a null-space
pull to the home posture. The pose meant everywhere is that of the tool, between the finger tips.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.sim.arm_model import panda, ranges
from vla_accel_ros.sim.gl import import_mujoco
from vla_accel_ros.sim.hand import FINGER_OPEN
from vla_accel_ros.sim.rotations import DOWN, to_matrix, to_vector
from vla_accel_ros.sim.scene import TIMESTEP

TOOL = END_EFFECTOR.tool()
CONTROL_DT = 0.05
WORKSPACE = np.array([[0.25, -0.36, 0.012], [0.72, 0.36, 0.50]])
LEASH_M = 0.06
LEASH_RAD = 0.30
GRIPPER_SPEED = 0.10
GRIPPER_LEASH_M = 0.008
SMOOTHING = 0.025

_SUBSTEPS = round(CONTROL_DT / TIMESTEP)
_DAMPING = 0.02
_HOME_PULL = 0.05
_ITERATIONS = 6


class Arm:
    """The controller of one arm in one simulation.

    Args:
        model: mujoco.MjModel of the scene.
        data: mujoco.MjData that is stepped.
        numbers: The arm's, as `arm_model.panda` gives them; those where None.
        prefix: What the arm's names in the model begin with.
    """

    def __init__(self, model, data, numbers: dict | None = None, prefix: str = '') -> None:
        self._mujoco = import_mujoco()
        self._model, self._data = model, data
        self._scratch = self._mujoco.MjData(model)
        self._tool = model.site(f'{prefix}tool').id
        numbers = numbers or panda()
        self._home = np.array(numbers['home_qpos'], dtype=np.float64)
        self._range = np.array(ranges(numbers))
        joints, first = len(self._home), model.joint(f'{prefix}joint1')
        place, drive = first.qposadr[0], model.actuator(f'{prefix}joint1').id
        # Of an arm the joints come first, and then the two fingers.
        self._at = slice(place, place + joints)
        self._fingers = slice(place + joints, place + joints + 2)
        self._driven = slice(drive, drive + joints)
        self._driven_fingers = slice(drive + joints, drive + joints + 2)
        self._moved = slice(first.dofadr[0], first.dofadr[0] + joints)
        self._all_moved = slice(first.dofadr[0], first.dofadr[0] + joints + 2)
        # A position actuator with damping lags a moving target by kd / kp seconds: lead by that.
        gains = np.array(numbers['actuators_position_kp_kd'])
        self._lead = gains[:, 1] / gains[:, 0]
        self._jacobian = np.zeros((6, model.nv))
        self.reset()

    def reset(self, position=None, rotation=None) -> None:
        """Put the arm, at rest and with an open gripper, at a tool pose.

        Args:
            position: [3] m, the home posture's where None.
            rotation: [3, 3], straight down where None.
        """
        joints = self._home.copy()
        if position is not None:
            joints = self.reach(position, DOWN if rotation is None else rotation, joints)
        self.put(joints)

    def put(self, joints: np.ndarray) -> None:
        """Put the arm, at rest and with an open gripper, at joint positions, [joints] rad."""
        self._joints = joints.copy()
        self._data.qpos[self._at] = joints
        self._data.qpos[self._fingers] = FINGER_OPEN
        self._data.qvel[self._all_moved] = 0.0
        self._data.ctrl[self._driven] = joints
        self._data.ctrl[self._driven_fingers] = FINGER_OPEN
        self._smooth = self._joints.copy()
        self.gripper = 0.0
        self._mujoco.mj_forward(self._model, self._data)
        self._position, self._rotation = self.pose()

    def reach(self, position, rotation, start: np.ndarray | None = None) -> np.ndarray:
        """Give joint positions at which the tool is at a pose, or as near as it gets.

        Args:
            position: [3] m.
            rotation: [3, 3].
            start: Joint positions, [joints] rad, to begin with; home where None.

        Returns:
            float [joints], rad, within the joints' range.
        """
        joints = self.home if start is None else start
        for _ in range(10):
            joints = self._solve(joints, np.asarray(position), rotation)
        return joints

    @property
    def home(self) -> np.ndarray:
        """The home posture, [joints] rad."""
        return self._home.copy()

    def pose(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the tool's true pose: position [3] in m and rotation [3, 3], base frame."""
        matrix = self._data.site_xmat[self._tool].reshape(3, 3)
        return self._data.site_xpos[self._tool].copy(), matrix.copy()

    def width(self) -> float:
        """Return the distance between the finger pads, m."""
        left, right = self._data.qpos[self._fingers]
        return float(left + right)

    def advance(self, action: np.ndarray) -> None:
        """Move by one displacement, and let `CONTROL_DT` of simulated time go by.

        Args:
            action: float [7], m, rad about the base axes, gripper 0 open to 1 closed.
        """
        self._move_target(action)
        joints = self._solve(self._joints, self._position, self._rotation)
        self._follow(joints, float(action[TOOL.gripper]))

    @property
    def joint_count(self) -> int:
        """Joints of the arm, fingers not counted."""
        return len(self._range)

    def cut(self, joints: np.ndarray) -> np.ndarray:
        """Return joint positions, [joints] rad, cut to the joints' range."""
        return np.clip(joints, self._range[:, 0], self._range[:, 1])

    def joint_positions(self) -> np.ndarray:
        """Return the joint angles in rad and the two finger positions in m, [joints + 2]."""
        return self._data.qpos[self._at.start : self._fingers.stop].copy()

    def advance_joints(self, joints: np.ndarray, gripper: float) -> None:
        """Move to joint positions, and let `CONTROL_DT` of simulated time go by.

        Args:
            joints: float [joints], rad; cut to the joints' range.
            gripper: 0 open to 1 closed.
        """
        self._follow(self.cut(joints), gripper)
        # A displacement that comes next begins where the tool is.
        self._position, self._rotation = self.pose()

    def solve(self, joints: np.ndarray, displacement: np.ndarray) -> np.ndarray:
        """Give the joint positions at which the tool has moved by a displacement.

        Args:
            joints: float [joints], rad, where the displacement begins.
            displacement: float [6], m and rad about the base axes.

        Returns:
            float [joints], rad, within the joints' range.
        """
        position, rotation = self.tool_at(joints)
        position = np.clip(position + displacement[:3], WORKSPACE[0], WORKSPACE[1])
        return self._solve(joints, position, to_matrix(displacement[3:]) @ rotation)

    def tool_at(self, joints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the tool's pose at joint positions [joints]: position [3] m, rotation [3, 3]."""
        self._scratch.qpos[self._at] = joints
        self._mujoco.mj_kinematics(self._model, self._scratch)
        matrix = self._scratch.site_xmat[self._tool].reshape(3, 3)
        return self._scratch.site_xpos[self._tool].copy(), matrix.copy()

    def _follow(self, joints: np.ndarray, gripper: float) -> None:
        step_all(self._mujoco, self._model, self._data, [self.drive(joints, gripper)])

    def drive(self, joints: np.ndarray, gripper: float) -> Iterator[None]:
        """Set the drives anew before each of a control step's substeps.

        Args:
            joints: float [joints], rad, where the step ends.
            gripper: 0 open to 1 closed.
        """
        before, self._joints = self._joints, joints
        velocity = (joints - before) / CONTROL_DT
        self.gripper = gripper
        finger = FINGER_OPEN * (1.0 - self.gripper)
        reach = GRIPPER_SPEED * TIMESTEP
        control = self._data.ctrl
        for substep in range(1, _SUBSTEPS + 1):
            # A first-order lag: a jump of velocity between steps would shake a held cube loose.
            line = before + velocity * (substep * TIMESTEP)
            smooth = (line - self._smooth) / (SMOOTHING + TIMESTEP)
            self._smooth = self._smooth + smooth * TIMESTEP
            control[self._driven] = self._smooth + smooth * self._lead
            control[self._driven_fingers] = self._finger_target(finger, reach)
            yield

    def _finger_target(self, finger: float, reach: float) -> float:
        # Kept near the true opening, so that the grip's force is bounded and opening is prompt.
        true = 0.5 * self.width()
        now = self._data.ctrl[self._driven_fingers.start]
        target = now + np.clip(finger - now, -reach, reach)
        return float(np.clip(target, true - GRIPPER_LEASH_M, true + GRIPPER_LEASH_M))

    def _move_target(self, action: np.ndarray) -> None:
        true_position, true_rotation = self.pose()
        offset = self._position + action[TOOL.translation] - true_position
        distance = float(np.linalg.norm(offset))
        if distance > LEASH_M:
            offset *= LEASH_M / distance
        self._position = np.clip(true_position + offset, WORKSPACE[0], WORKSPACE[1])
        turn = to_vector(to_matrix(action[TOOL.rotation]) @ self._rotation @ true_rotation.T)
        angle = float(np.linalg.norm(turn))
        if angle > LEASH_RAD:
            turn *= LEASH_RAD / angle
        self._rotation = to_matrix(turn) @ true_rotation

    def _solve(self, joints, position, rotation) -> np.ndarray:
        mujoco, scratch, jacobian = self._mujoco, self._scratch, self._jacobian
        joints = joints.copy()
        for _ in range(_ITERATIONS):
            scratch.qpos[self._at] = joints
            mujoco.mj_kinematics(self._model, scratch)
            mujoco.mj_comPos(self._model, scratch)
            error = np.empty(6)
            error[:3] = position - scratch.site_xpos[self._tool]
            error[3:] = to_vector(rotation @ scratch.site_xmat[self._tool].reshape(3, 3).T)
            mujoco.mj_jacSite(self._model, scratch, jacobian[:3], jacobian[3:], self._tool)
            arm = jacobian[:, self._moved]
            inverse = arm.T @ np.linalg.inv(arm @ arm.T + _DAMPING**2 * np.eye(6))
            pull = _HOME_PULL * (self._home - joints)
            joints += inverse @ error + pull - inverse @ (arm @ pull)
            joints = self.cut(joints)
        return joints

    def physics(self) -> np.ndarray:
        """Return MuJoCo's integration state of the whole scene."""
        kind = self._mujoco.mjtState.mjSTATE_INTEGRATION
        state = np.empty(self._mujoco.mj_stateSize(self._model, kind))
        self._mujoco.mj_getState(self._model, self._data, state, kind)
        return state

    def save(self) -> tuple:
        """Return the controller's own state; what MuJoCo holds is not in it."""
        return tuple(
            np.copy(part)
            for part in (self._joints, self._smooth, self._position, self._rotation, self.gripper)
        )

    def restore(self, saved: tuple) -> None:
        """Take back what `save` gave."""
        self._joints, self._smooth, self._position, self._rotation, gripper = (
            np.copy(part) for part in saved
        )
        self.gripper = float(gripper)


def step_all(mujoco, model, data, drives: Iterable[Iterator[None]]) -> None:
    """Let `CONTROL_DT` of simulated time go by under the drives of all arms of a scene.

    Args:
        mujoco: The module.
        model: mujoco.MjModel.
        data: mujoco.MjData that is stepped.
        drives: What `Arm.drive` gave, one an arm.
    """
    for _ in zip(*drives, strict=True):
        mujoco.mj_step(model, data)
    # Positions of sites and cameras are those of the step's start until asked for again.
    mujoco.mj_forward(model, data)
