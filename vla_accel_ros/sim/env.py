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


"""The embedded arm as a gymnasium environment."""

from __future__ import annotations

from dataclasses import dataclass
import math

import gymnasium
import numpy as np

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.sim import layout
from vla_accel_ros.sim.arm import CONTROL_DT, Arm
from vla_accel_ros.sim.cameras import Cameras, check_camera, check_size
from vla_accel_ros.sim.gl import import_mujoco
from vla_accel_ros.sim.rotations import DOWN, to_vector
from vla_accel_ros.sim.scene import COLOURS, CUBE_HALF, scene_xml
from vla_accel_ros.sim.state import State
from vla_accel_ros.sim.tasks import Task, all_tasks, parse, success

ACTION_LOW = END_EFFECTOR.spread(-0.03, -0.15, gripper=0.0).astype(np.float32)
ACTION_HIGH = END_EFFECTOR.spread(0.03, 0.15, gripper=1.0).astype(np.float32)
HOLD_STEPS = 3
# Generous: an observation is within it whatever happens on the table.
PROPRIO_LOW = np.array([-2.0] * 3 + [-4.0] * 3 + [-0.02, 0.0], dtype=np.float32)
PROPRIO_HIGH = np.array([2.0] * 3 + [4.0] * 3 + [0.12, 1.0], dtype=np.float32)


@dataclass(frozen=True, eq=False)
class SavedState:
    """An instant to come back to: physics, controller, task and counters."""

    physics: np.ndarray
    controller: tuple
    task: Task
    counters: tuple[int, int]


class TabletopEnv(gymnasium.Env):
    """A 7-joint arm over a table with three cubes and a bin, moved by displacements at 20 Hz.

    Observation: a dict of one uint8 [size, size, 3] image a camera and 'proprio', float32 [8]:
    tool x, y, z in m, rotation vector away from pointing straight down in rad, distance between
    the finger pads in m, gripper command in force (0 open to 1 closed).

    Args:
        task: The instruction; where None, each reset draws one.
        image_size: Pixels of a side.
        cameras: Which to observe with, of 'agent', 'wrist', 'scene'; none renders nothing.
        render_mode: 'rgb_array' makes `render` return the agent view; None renders nothing.
        max_steps: Steps until truncation; where None, the task's own (120 or 200).
        coarse: Draw roughly, at a fifth of the cost; no policy was trained on such pictures.

    Raises:
        ValueError: When an argument is not as said.
    """

    metadata = {'render_modes': ['rgb_array'], 'render_fps': round(1 / CONTROL_DT)}
    control_dt = CONTROL_DT

    def __init__(
        self,
        task: str | None = None,
        image_size: int = 128,
        cameras: tuple[str, ...] = ('agent', 'wrist'),
        render_mode: str | None = None,
        max_steps: int | None = None,
        coarse: bool = False,
    ) -> None:
        if render_mode not in (None, 'rgb_array'):
            raise ValueError(f"render_mode is {render_mode!r}, expected None or 'rgb_array'")
        if max_steps is not None and max_steps < 1:
            raise ValueError(f'max_steps is {max_steps}, expected at least 1')
        self.image_size = check_size(image_size)[0]
        self.cameras = tuple(check_camera(name) for name in cameras)
        self.render_mode = render_mode
        self._fixed_task = None if task is None else parse(task)
        self._max_steps = max_steps
        self._mujoco = import_mujoco()
        self.model = self._mujoco.MjModel.from_xml_string(scene_xml())
        self.data = self._mujoco.MjData(self.model)
        self._arm = Arm(self.model, self.data)
        self._views = Cameras(self.model, coarse=coarse)
        self._task = self._fixed_task or all_tasks()[0]
        self._steps = self._held = 0
        box = gymnasium.spaces.Box
        image = (self.image_size, self.image_size, 3)
        self.action_space = box(ACTION_LOW, ACTION_HIGH, dtype=np.float32)
        self.observation_space = gymnasium.spaces.Dict(
            {
                **{name: box(0, 255, image, np.uint8) for name in self.cameras},
                'proprio': box(PROPRIO_LOW, PROPRIO_HIGH, dtype=np.float32),
            }
        )

    @property
    def task(self) -> Task:
        """The task of this episode."""
        return self._task

    @property
    def instruction(self) -> str:
        """The task of this episode in words."""
        return self._task.instruction

    def set_task(self, task: str | Task) -> None:
        """Ask for something else, without moving anything.

        Raises:
            ValueError: When the instruction is unknown; the message lists the ones there are.
        """
        self._task = parse(task)
        self._held = 0

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[dict, dict]:
        """Start an episode.

        Args:
            seed: Decides the whole start; where None, the predictor goes on.
            options: 'task' may hold an instruction for this episode.

        Returns:
            The observation and the info.

        Raises:
            ValueError: When the instruction or an option is unknown.
        """
        options = options or {}
        if unknown := set(options) - {'task'}:
            raise ValueError(f"options {sorted(unknown)} are unknown, expected 'task' only")
        asked = parse(options['task']) if options.get('task') is not None else self._fixed_task
        super().reset(seed=seed)
        start = layout.draw(self.np_random)
        drawn = all_tasks()[int(self.np_random.integers(len(all_tasks())))]
        self._task = asked or drawn
        self._steps = self._held = 0
        self._lay_out(start)
        return self.observe(), self._info(False)

    def _lay_out(self, start: layout.Layout) -> None:
        self._mujoco.mj_resetData(self.model, self.data)
        for colour, (place, yaw) in start.cubes.items():
            turn = [math.cos(yaw / 2), 0.0, 0.0, math.sin(yaw / 2)]
            self.data.joint(colour).qpos[:] = [*place, CUBE_HALF, *turn]
        self.data.mocap_pos[0, :2] = start.bin_position
        self._arm.reset(start.tool_position, start.tool_rotation)

    def step(self, action) -> tuple[dict, float, bool, bool, dict]:
        """Move by one displacement and observe.

        Args:
            action: float [7], m, rad about the base axes, gripper 0 open to 1 closed. What is
                beyond `action_space` is cut to it.

        Returns:
            Observation, reward (1 while the task is done), terminated (done for `HOLD_STEPS`
            steps), truncated, info.

        Raises:
            ValueError: When the action is not 7 finite numbers; nothing has moved then.
        """
        done = self.advance(action)
        terminated = self._held >= HOLD_STEPS
        truncated = self._steps >= (self._max_steps or self._task.max_steps)
        return self.observe(), float(done), terminated, truncated, self._info(done)

    def advance(self, action) -> bool:
        """Move as `step` does without rendering; return whether the task is done now."""
        self._arm.advance(check_action(action))
        return self._count()

    def advance_joints(self, joints, gripper: float) -> bool:
        """Move to joint positions for a step without rendering; return whether the task is done.

        Args:
            joints: float [7], rad; cut to the joints' range.
            gripper: 0 open to 1 closed.

        Raises:
            ValueError: When they are not 7 finite numbers; nothing has moved then.
        """
        values = np.array(joints, dtype=np.float64)
        wanted = self._arm.joint_count
        if values.shape != (wanted,) or not np.isfinite([*values, gripper]).all():
            raise ValueError(f'joints are {values.tolist()}, expected {wanted} finite numbers')
        self._arm.advance_joints(values, float(np.clip(gripper, 0.0, 1.0)))
        return self._count()

    def solve(self, joints, displacement) -> np.ndarray:
        """Give joint positions that displace the tool; see `Arm.solve`."""
        return self._arm.solve(np.asarray(joints), np.asarray(displacement))

    def _count(self) -> bool:
        self._steps += 1
        done = success(self.state(), self._task)
        self._held = self._held + 1 if done else 0
        return done

    def _info(self, done: bool) -> dict:
        return {
            'success': bool(done and self._held >= HOLD_STEPS),
            'done_now': bool(done),
            'instruction': self.instruction,
            'steps': self._steps,
        }

    def observe(self) -> dict:
        """Return the observation of this instant."""
        views = {name: self.render_camera(name) for name in self.cameras}
        return {**views, 'proprio': self.proprio()}

    def proprio(self) -> np.ndarray:
        """Return proprioception, float32 [8], as in the class's description."""
        position, rotation = self._arm.pose()
        tilt = to_vector(rotation @ DOWN)
        values = [*position, *tilt, self._arm.width(), self._arm.gripper]
        return np.array(values, dtype=np.float32)

    def ee_pose(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the tool's position [3] in m and rotation [3, 3], base frame."""
        return self._arm.pose()

    def joint_positions(self) -> np.ndarray:
        """Return the 7 joint angles in rad and the two finger positions in m, float64 [9]."""
        return self._arm.joint_positions()

    def state(self) -> State:
        """Return what the expert, the tasks and labels need."""
        position, rotation = self._arm.pose()
        return State(
            ee_position=position,
            ee_rotation=rotation,
            width=self._arm.width(),
            gripper=self._arm.gripper,
            cubes={c: self.data.body(c).xpos.copy() for c in COLOURS},
            rotations={c: self.data.body(c).xmat.reshape(3, 3).copy() for c in COLOURS},
            bin_position=self.data.body('bin').xpos.copy(),
            time=float(self.data.time),
        )

    def render(self) -> np.ndarray | None:
        """Return the agent view, uint8 [size, size, 3], where `render_mode` asks for it."""
        return self.render_camera('agent') if self.render_mode == 'rgb_array' else None

    def render_camera(self, name: str, size: int | tuple[int, int] | None = None) -> np.ndarray:
        """Return one view, uint8 [height, width, 3]; see `Cameras.render`."""
        return self._views.render(self.data, name, self.image_size if size is None else size)

    def project(self, points, camera: str, size: int | tuple[int, int] | None = None):
        """Return columns, rows and depths of world points; see `Cameras.project`."""
        size = self.image_size if size is None else size
        return self._views.project(self.data, points, camera, size)

    def measured(self) -> np.ndarray:
        """Return the 7 joint angles in rad, float64 [7]."""
        return self.joint_positions()[: self._arm.joint_count]

    def ee_poses(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return what `ee_pose` does, in a list of the one arm."""
        return [self.ee_pose()]

    def physics(self) -> np.ndarray:
        """Return MuJoCo's integration state."""
        return self._arm.physics()

    def save_state(self) -> SavedState:
        """Return this instant, for `restore_state`."""
        return SavedState(self.physics(), self._arm.save(), self._task, (self._steps, self._held))

    def restore_state(self, saved: SavedState) -> None:
        """Come back to an instant that `save_state` gave."""
        kind = self._mujoco.mjtState.mjSTATE_INTEGRATION
        self._mujoco.mj_setState(self.model, self.data, saved.physics, kind)
        self._mujoco.mj_forward(self.model, self.data)
        # Once more: the solver's warm start is part of the state, and was just overwritten.
        self._mujoco.mj_setState(self.model, self.data, saved.physics, kind)
        self._arm.restore(saved.controller)
        self._task, (self._steps, self._held) = saved.task, saved.counters

    def close(self) -> None:
        """Free this thread's renderers."""
        self._views.close()


def check_action(action) -> np.ndarray:
    """Return the action, float64 [7], within `ACTION_LOW` and `ACTION_HIGH`.

    Raises:
        ValueError: When it is not 7 finite numbers.
    """
    try:
        values = np.array(action, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f'action {action!r} is not {END_EFFECTOR.width} numbers') from error
    values = END_EFFECTOR.array(values)
    if not np.isfinite(values).all():
        raise ValueError(f'action {values.tolist()} is not finite')
    return np.clip(values, ACTION_LOW, ACTION_HIGH)


gymnasium.register('vla_accel_ros/Tabletop-v0', entry_point='vla_accel_ros.sim.env:TabletopEnv')
