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

"""Frames of the table top: random scenes to see, and noisy demonstrations to learn doing from."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.sim.env import TabletopEnv
from vla_accel_ros.sim.expert import Expert
from vla_accel_ros.training.chunks import fill_chunk
from vla_accel_ros.training.disturbance import Disturbance
from vla_accel_ros.training.frames import Frames, FrameSpec
from vla_accel_ros.training.labels import label
from vla_accel_ros.training.recipe_parts import KINDS

# Sizes that frames are rendered at before they are fitted, as multiples of the frame's: a camera's
# own size is seldom the model's.
RENDERED = (1, 4 / 3, 2)
# Largest step of the arm, about: what noise is a share of.
STEP = np.array([0.020, 0.020, 0.020, 0.03, 0.03, 0.10])


def wander(
    env: TabletopEnv, random: np.random.Generator, instructions: tuple[str, ...], **_
) -> Iterator[tuple[bool, int]]:
    """Move the arm between random poses, mostly near cubes; yield which instants to keep.

    Nothing is being followed: any instruction stands for it.
    """
    while True:
        state = env.state()
        if random.random() < 0.7:
            cube = state.cubes[list(state.cubes)[random.integers(len(state.cubes))]]
            goal = cube + random.normal(0.0, [0.035, 0.035, 0.0])
            goal[2] = random.uniform(0.03, 0.22)
        else:
            goal = random.uniform([0.36, -0.24, 0.03], [0.62, 0.20, 0.28])
        turn = random.uniform(-0.45, 0.45) - state.ee_yaw
        grip = float(random.random() < 0.25)
        steps = int(random.integers(6, 14))
        for step in range(steps):
            position = env.ee_pose()[0]
            share = 1.0 / (steps - step)
            move = np.clip((goal - position) * share, -0.03, 0.03)
            yaw = np.clip(turn / steps, -0.15, 0.15)
            env.advance(np.concatenate([move, [0.0, 0.0, yaw, grip]]))
            asked = int(random.integers(len(instructions)))
            yield step == steps - 1 or random.random() < 0.15, asked
        if random.random() < 0.2:
            return


def demonstrate(
    env: TabletopEnv,
    random: np.random.Generator,
    expert: Expert,
    instructions: tuple[str, ...],
    disturbance: Disturbance,
) -> Iterator[tuple[bool, int]]:
    """Follow the expert with disturbances; keep a share of the instants."""
    asked = int(random.integers(len(instructions)))
    env.set_task(instructions[asked])
    # Disturbances of several sizes: without any, too, so that plain success is well covered.
    scale = random.choice([0.0, 0.5, 1.0, 1.5])
    moving, grippers = END_EFFECTOR.moving, END_EFFECTOR.grippers
    burst, drift, flipped, after = 0, np.zeros(len(STEP)), False, 0
    for _ in range(env.task.max_steps):
        yield disturbance.keep >= 1 or random.random() < disturbance.keep, asked
        action = expert.action(env.state(), env.task)
        if burst == 0 and random.random() < disturbance.burst * scale:
            burst = int(random.integers(3, 9))
            drift = random.normal(0.0, 0.6, len(STEP)) * STEP
            flipped = random.random() < disturbance.flip
        action[moving] += random.normal(0.0, disturbance.noise * scale, len(STEP)) * STEP
        if burst:
            burst -= 1
            action[moving] += drift
            if flipped:
                action[grippers] = 1.0 - action[grippers]
        if random.random() < disturbance.change:
            asked = int(random.integers(len(instructions)))
            env.set_task(instructions[asked])
        after += env.advance(action)
        if after > 4:
            return


_EPISODES = {'wander': wander, 'demonstration': demonstrate}


def frame(
    env: TabletopEnv,
    spec: FrameSpec,
    expert: Expert,
    kind: str,
    asked: int,
    random: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Return the environment's instant as one frame, labelled, and rendered at some size."""
    size = round(spec.size * random.choice(RENDERED))
    values = label(env, expert, spec.instructions, spec.objects, size, spec.horizon)
    return {**values, 'kind': np.array(KINDS.index(kind)), 'asked': np.array(asked)}


class TabletopMaker:
    """See `world.FrameMaker`.

    Args:
        env: With the frames' cameras and size.
        kind: 'wander' or 'demonstration'.
    """

    def __init__(self, env: TabletopEnv, kind: str) -> None:
        self._env, self._kind = env, kind
        self._expert = Expert()

    def make_chunk(self, frames: Frames, chunk: int, first_seed: int, how: Disturbance) -> None:
        """See `world.FrameMaker.make_chunk`."""
        random = np.random.default_rng([first_seed, chunk])

        def episode(seed: int) -> Iterator[dict[str, np.ndarray]]:
            return self._episode(frames.spec, seed, random, how)

        fill_chunk(frames, chunk, first_seed, episode)

    def _episode(
        self, spec: FrameSpec, seed: int, random: np.random.Generator, how: Disturbance
    ) -> Iterator[dict[str, np.ndarray]]:
        env, expert = self._env, self._expert
        env.reset(seed=seed)
        steps = _EPISODES[self._kind](
            env, random, expert=expert, instructions=spec.instructions, disturbance=how
        )
        for keep, asked in steps:
            if keep:
                yield frame(env, spec, expert, self._kind, asked, random)
