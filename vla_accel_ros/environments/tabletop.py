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

"""The embedded arm as an environment of the closed loop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vla_accel_ros.environments.interface import Outcome, View

CAMERAS = ('agent', 'wrist')
ALL = 'all'


class Tabletop:
    """See `interface.Environment`; wraps `sim.env.TabletopEnv`.

    Attributes:
        cameras: What it observes with, in order.

    Args:
        image_size: Side of the camera images, pixels.
        max_steps: Steps after which an episode is cut off; the task's own where None.
        cameras: See above.
    """

    def __init__(
        self, image_size: int, max_steps: int | None = None, cameras: tuple[str, ...] = CAMERAS
    ) -> None:
        from vla_accel_ros.sim.env import TabletopEnv

        self.cameras = cameras
        # Its own observations are not rendered: the closed loop asks when it wants one.
        self.env = TabletopEnv(image_size=image_size, cameras=(), max_steps=max_steps)
        self.step_s = self.env.control_dt

    def reset(self, seed: int, instruction: str) -> None:
        """Begin an episode."""
        self.env.reset(seed=seed, options={'task': instruction})

    def observe(self) -> View:
        """Render this instant."""
        images = tuple(self.env.render_camera(name) for name in self.cameras)
        return View(images, self.env.proprio())

    def step(self, action: np.ndarray) -> Outcome:
        """Let one step go by under an action, float64 [7]."""
        _, _, done, cut, info = self.env.step(action)
        return Outcome(done or cut, bool(info['success']))

    def tool_position(self) -> np.ndarray:
        """Return the tool's position [3] in m."""
        return self.env.ee_pose()[0]

    def limits(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the smallest and the largest action, float64 [7] each."""
        space = self.env.action_space
        return space.low.astype(np.float64), space.high.astype(np.float64)

    def expert_action(self) -> np.ndarray:
        """Return what the scripted expert does now, float64 [7]."""
        from vla_accel_ros.sim.expert import Expert

        return Expert().action(self.env.state(), self.env.task)

    def picture(self) -> np.ndarray:
        """Return the scene, uint8 [h, w, 3]."""
        return self.env.render_camera('scene', 256)

    def close(self) -> None:
        """Free the renderers."""
        self.env.close()


@dataclass(frozen=True)
class TabletopKind:
    """See `interface.EnvironmentKind`."""

    name: str = 'tabletop'
    cameras: tuple[str, ...] = CAMERAS
    default_task: str = ALL

    def instructions(self, task: str) -> tuple[str, ...]:
        """Return all instructions, those of a kind, or the one given.

        Raises:
            ValueError: When it is neither a kind of task nor an instruction; lists both.
        """
        from vla_accel_ros.sim.tasks import TASKS, all_instructions, parse

        if task == ALL:
            return all_instructions()
        if task in TASKS:
            return all_instructions(task)
        try:
            return (parse(task).instruction,)
        except ValueError as error:
            raise ValueError(f'--task: {error}; or {", ".join([ALL, *TASKS])}') from None

    def kind_of(self, instruction: str) -> str:
        """Return `lift`, `place` or `stack`."""
        from vla_accel_ros.sim.tasks import parse

        return parse(instruction).kind

    def make(self, image_size: int, max_steps: int | None) -> Tabletop:
        """Build it."""
        return Tabletop(image_size, max_steps, self.cameras)
