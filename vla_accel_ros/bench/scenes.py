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

"""What the models look at while they are measured: an episode, the same for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.self_test import OF_THE_ARM
from vla_accel_ros.motion import Motion
from vla_accel_ros.observations import Observation

# As most cameras give it.
HEIGHT, WIDTH = 480, 640
STEP_S = 0.1


@dataclass(frozen=True)
class Frame:
    """One step of an episode.

    Attributes:
        observation: What the policy is asked about.
        motion: The last action's.
    """

    observation: Observation
    motion: Motion


@dataclass(frozen=True)
class Scene:
    """An episode that goes round for as long as a measurement lasts.

    Attributes:
        about: What is seen, in a line.
        views: For each step its images.
        motions: For each step the motion of the action before.
        instruction: What is asked for.
        proprio: For each step what a checkpoint is told that wants proprioception.
    """

    about: str
    views: Sequence[tuple[np.ndarray, ...]]
    motions: Sequence[Motion]
    instruction: str
    proprio: Sequence[np.ndarray] | None = None

    def frame(self, index: int) -> Frame:
        """Give a step; stamps go on where the episode begins anew."""
        place = index % len(self.views)
        motion = self.motions[place]
        stamp = round((1 + index) * motion.step_s * 1e9)
        proprio = None if self.proprio is None else self.proprio[place]
        return Frame(Observation(self.views[place], self.instruction, stamp, proprio), motion)


def synthetic(
    config: VLAConfig, steps: int = 64, seed: int = 0, instruction: str = OF_THE_ARM
) -> Scene:
    """Make an episode of camera frames: a textured table, blocks on it, one of them moving.

    Args:
        config: Says how many views.
        steps: Until it goes round.
        seed: Of texture, blocks and path.
        instruction: What is asked for.
    """
    generator = np.random.default_rng(seed)
    views = [_table(generator) for _ in range(config.cameras)]
    angle = 2 * np.pi * np.arange(steps) / steps
    path = np.stack([HEIGHT / 2 + 120 * np.sin(angle), WIDTH / 2 + 180 * np.cos(angle)], 1)
    frames = [tuple(_with_block(view, *place) for view in views) for place in path.astype(int)]
    # A reach at 0.25 m/s, where every method prunes.
    motion = Motion((0.02, 0.0, 0.015), (0.0, 0.0, 0.0), STEP_S)
    about = f'synthetic {WIDTH}x{HEIGHT} frames, one block moving, {motion.linear_speed:.2f} m/s'
    proprio = [np.zeros(config.proprio)] * steps if config.proprio else None
    return Scene(about, frames, [motion] * steps, instruction, proprio)


def _table(generator: np.random.Generator) -> np.ndarray:
    coarse = generator.integers(90, 150, (HEIGHT // 40, WIDTH // 40, 1))
    image = np.repeat(np.repeat(coarse, 40, 0), 40, 1) + generator.integers(
        -8, 9, (HEIGHT, WIDTH, 3)
    )
    image = image.astype(np.uint8)
    for _ in range(3):
        top, left = generator.integers(0, (HEIGHT - 70, WIDTH - 70))
        image[top : top + 70, left : left + 70] = generator.integers(0, 256, 3)
    return image


def _with_block(image: np.ndarray, row: int, column: int) -> np.ndarray:
    image = image.copy()
    image[row - 35 : row + 35, column - 35 : column + 35] = (200, 30, 30)
    return image


def simulated(config: VLAConfig, seed: int, instruction: str | None = None) -> Scene:
    """Film the scripted expert on the embedded arm.

    Args:
        config: Of a checkpoint of the embedded arm; says how many views, and their size.
            Of one view it is the arm's first.
        seed: Of the start.
        instruction: What the expert does; the first there is if None.

    Raises:
        ValueError: When the model wants more views than the arm has.
    """
    from vla_accel_ros.environments.tabletop import CAMERAS
    from vla_accel_ros.sim.env import TabletopEnv
    from vla_accel_ros.sim.expert import Expert
    from vla_accel_ros.sim.tasks import all_instructions

    if config.cameras > len(CAMERAS):
        raise ValueError(f'the model wants {config.cameras} views, the arm has {len(CAMERAS)}')
    cameras = CAMERAS[: config.cameras]
    env = TabletopEnv(image_size=config.image_size, cameras=cameras)
    expert = Expert()
    instruction = all_instructions()[0] if instruction is None else instruction
    try:
        seen, _ = env.reset(seed=seed, options={'task': instruction})
        views, motions, states, over = [], [], [], False
        action = np.zeros(END_EFFECTOR.width)
        while not over:
            views.append(tuple(seen[name] for name in cameras))
            states.append(env.proprio())
            motions.append(Motion.from_action(action, env.control_dt))
            action = expert.action(env.state(), env.task)
            seen, _, done, cut, _ = env.step(action)
            over = done or cut
    finally:
        env.close()
    about = f"the embedded arm's expert, '{instruction}', seed {seed}, {len(views)} steps"
    return Scene(about, views, motions, instruction, states if config.proprio else None)
