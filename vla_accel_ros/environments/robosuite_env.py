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

"""Tasks of robosuite with one Panda under its OSC_POSE controller: `robosuite:Lift`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vla_accel_ros.environments.interface import Outcome, View
from vla_accel_ros.environments.lift_expert import lift, yaw_error
from vla_accel_ros.environments.mapping import OSC_POSE
from vla_accel_ros.environments.offscreen import Offscreen
from vla_accel_ros.environments.optional import import_optional, quiet
from vla_accel_ros.environments.panda import proprio
from vla_accel_ros.sim.gl import import_mujoco

PREFIX = 'robosuite'
CAMERAS = ('agentview', 'robot0_eye_in_hand')
CONTROL_HZ = 20
MAX_STEPS = 200
PICTURE_SIZE = 256
# robosuite has no instructions; any words will do for a policy that was trained on others.
INSTRUCTIONS = {
    'Lift': 'lift the red cube',
    'Stack': 'stack the red cube on the green cube',
    'Door': 'open the door',
    'PickPlaceCan': 'pick up the can and place it in the bin',
    'NutAssemblySquare': 'put the square nut on the peg',
}


def import_robosuite():
    """Import robosuite, its mujoco with a rendering backend that works here.

    Raises:
        ValueError: When it is not installed; says how to.
    """
    # First: robosuite imports mujoco too, without asking what renders here.
    import_mujoco()
    return import_optional(PREFIX)


class RobosuiteTask:
    """See `interface.Environment`.

    Args:
        task: robosuite's name of it.
        image_size: Side of the camera images, pixels.
        max_steps: Steps after which an episode is cut off.
        cameras: Names of the views, robosuite's.

    Raises:
        ValueError: When there is no such task, or its actions are not those of one arm.
    """

    mapping = OSC_POSE
    step_s = 1.0 / CONTROL_HZ

    def __init__(
        self,
        task: str,
        image_size: int,
        max_steps: int | None = None,
        cameras: tuple[str, ...] = CAMERAS,
    ) -> None:
        self.name, self.cameras = f'{PREFIX}:{task}', cameras
        self._size, self._max_steps = image_size, max_steps or MAX_STEPS
        self.env = _make(task)
        self._low, self._high = (np.asarray(end) for end in self.env.action_spec)
        self.mapping.check(self._low.shape, self.name)
        self._offscreen = Offscreen(shadows=False)
        self._observation: dict = {}
        self._steps = 0

    def reset(self, seed: int, instruction: str) -> None:
        """Begin an episode; the task is what it is, whatever the instruction says."""
        # In place: the sampler of positions keeps the generator of the first load.
        self.env.rng.bit_generator.state = np.random.default_rng(seed).bit_generator.state
        with quiet():
            self._observation = self.env.reset()
        self._steps = 0

    def observe(self) -> View:
        """Render this instant."""
        images = tuple(self._render(name, self._size) for name in self.cameras)
        return View(images, proprio(self._observation))

    def _render(self, camera: str, size: int) -> np.ndarray:
        sim = self.env.sim
        return self._offscreen.render(sim.model._model, sim.data._data, camera, size)

    def step(self, action: np.ndarray) -> Outcome:
        """Let one step go by under an action, float64 [7], cut to the controller's bounds."""
        told = np.clip(self.mapping.to_environment(action), self._low, self._high)
        self._observation, *_ = self.env.step(told)
        self._steps += 1
        success = bool(self.env._check_success())
        return Outcome(success or self._steps >= self._max_steps, success)

    def tool_position(self) -> np.ndarray:
        """Return the tool's position [3] in m."""
        return np.array(self._observation['robot0_eef_pos'])

    def limits(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the smallest and the largest action, float64 [7] each."""
        return self.mapping.limits(self._low, self._high)

    def expert_action(self) -> np.ndarray:
        """Return what the scripted expert does now, float64 [7].

        Raises:
            ValueError: When the task is not Lift.
        """
        if self.name != f'{PREFIX}:Lift':
            raise ValueError(f'{self.name} has no scripted expert, {PREFIX}:Lift has')
        seen, data = self._observation, self.env.sim.data
        site = self.env.robots[0].eef_site_id['right']
        turn = yaw_error(
            data.site_xmat[site].reshape(3, 3), data.body_xmat[self.env.cube_body_id].reshape(3, 3)
        )
        fingers = seen['robot0_gripper_qpos']
        width = float(fingers[0] - fingers[1])
        action = lift(seen['robot0_eef_pos'], seen['cube_pos'], width, turn)
        return np.clip(action, *self.limits())

    def picture(self) -> np.ndarray:
        """Return the scene from the front, uint8 [h, w, 3]."""
        return self._render('frontview', PICTURE_SIZE)

    def close(self) -> None:
        """Free the renderer and the simulation."""
        self._offscreen.close()
        self.env.close()


def _make(task: str):
    robosuite = import_robosuite()
    if task not in robosuite.ALL_ENVIRONMENTS:
        raise ValueError(
            f"robosuite has no task '{task}', expected one of: "
            f'{", ".join(sorted(robosuite.ALL_ENVIRONMENTS))}'
        )
    if task.startswith('TwoArm'):
        raise ValueError(f'{PREFIX}:{task} has two arms, expected a task of one')
    with quiet():
        controller = robosuite.load_composite_controller_config(robot='Panda')
        return robosuite.make(
            task,
            robots='Panda',
            controller_configs=controller,
            has_renderer=False,
            has_offscreen_renderer=False,
            use_camera_obs=False,
            control_freq=CONTROL_HZ,
            ignore_done=True,
            seed=0,
        )


@dataclass(frozen=True)
class RobosuiteKind:
    """See `interface.EnvironmentKind`.

    Attributes:
        task: robosuite's name of it.
        cameras: robosuite's names of the views.
    """

    task: str
    cameras: tuple[str, ...] = CAMERAS

    @property
    def name(self) -> str:
        """As on the command line."""
        return f'{PREFIX}:{self.task}'

    @property
    def default_task(self) -> str:
        """What it is asked for where nothing is said; empty where that must be said."""
        return INSTRUCTIONS.get(self.task, '')

    def instructions(self, task: str) -> tuple[str, ...]:
        """Return the words as they are: the task does not depend on them.

        Raises:
            ValueError: When there are none.
        """
        if not task.strip():
            raise ValueError(f'{self.name} has no instruction of its own: give one by --task')
        return (task,)

    def kind_of(self, instruction: str) -> str:
        """Return the task."""
        return self.task

    def make(self, image_size: int, max_steps: int | None) -> RobosuiteTask:
        """Build it.

        Raises:
            ValueError: When robosuite is missing, or there is no such task for one arm.
        """
        return RobosuiteTask(self.task, image_size, max_steps, self.cameras)
