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

"""Frames of LIBERO: its scripted expert, led astray from time to time.

Stretches in which the arm is disturbed take turns with stretches in which it is not. Frames are of
the latter: what the expert does next is then what it did, and nothing has to be tried out.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.environments.libero_env import LiberoKind, LiberoSuite
from vla_accel_ros.environments.libero_expert import FAST, TURN
from vla_accel_ros.evaluation import seeds
from vla_accel_ros.inputs.views import fit_view
from vla_accel_ros.training.disturbance import Disturbance
from vla_accel_ros.training.frames import Frames, FrameSpec
from vla_accel_ros.training.recipe import KINDS, SEEDS_A_CHUNK

# What noise is a share of: m and rad a step, as told.
STEP = np.array([FAST] * 3 + [0.5 * TURN] * 3)
# Steps of a disturbed stretch at most; of one that is not, in chunks.
ASTRAY = 10
CLEAN = (1, 4)
# Steps after which an expert that is disturbed so often has failed for good.
LONGEST = 400


def astray(
    suite: LiberoSuite, random: np.random.Generator, how: Disturbance, scale: float
) -> Iterator[np.ndarray]:
    """Yield the actions of a stretch in which the arm is disturbed."""
    moving, grippers = END_EFFECTOR.moving, END_EFFECTOR.grippers
    drift, flipped = np.zeros(len(STEP)), False
    if random.random() < 0.5:
        drift = random.normal(0.0, 0.4 * scale, len(STEP)) * STEP
        flipped = random.random() < how.flip
    for _ in range(int(random.integers(1, ASTRAY + 1))):
        action = suite.expert_action()
        action[moving] += drift + random.normal(0.0, how.noise * scale, len(STEP)) * STEP
        if flipped:
            action[grippers] = 1.0 - action[grippers]
        yield action


def demonstrate(
    suite: LiberoSuite,
    objects: tuple[str, ...],
    size: int,
    horizon: int,
    random: np.random.Generator,
    how: Disturbance,
) -> Iterator[dict[str, np.ndarray]]:
    """Let the expert do an episode that has begun; yield instants as `frames.layout` has them.

    Args:
        suite: Reset.
        objects: To be located.
        size: Pixels of a side.
        horizon: Actions that a label looks ahead.
        random: Of the disturbances, and of which instants are kept.
        how: How it is disturbed.
    """
    scale = random.choice([0.0, 0.5, 1.0, 1.5])
    steps, success = 0, False
    while not success and steps < LONGEST:
        if scale:
            for action in astray(suite, random, how, scale):
                success |= suite.step(action).success
                steps += 1
        length = int(random.integers(CLEAN[0] * horizon, CLEAN[1] * horizon))
        seen: dict[int, dict[str, np.ndarray]] = {}
        actions = []
        for step in range(length):
            if not success and step + horizon <= length and random.random() < how.keep:
                seen[step] = instant(suite, objects, size)
            actions.append(suite.expert_action())
            success |= suite.step(actions[-1]).success
        steps += length
        for step, values in seen.items():
            yield {**values, 'actions': np.stack(actions[step : step + horizon])[None]}


def instant(suite: LiberoSuite, objects: tuple[str, ...], size: int) -> dict[str, np.ndarray]:
    """Return what a frame has of the environment's instant, without its actions."""
    view = suite.observe()
    tool = suite.tool_position()
    points = np.concatenate([suite.positions(objects[:-1]), tool[None]])
    there = np.isfinite(points).all(1)
    places, seen = [], []
    for camera in suite.cameras:
        shares, depth = suite.project(np.where(there[:, None], points, tool), camera)
        inside = there & (depth > 0) & ((shares > 0) & (shares < 1)).all(1)
        places.append(np.where(inside[:, None], shares, 0.0))
        seen.append(inside)
    return {
        'views': np.stack([fit_view(image, size) for image in view.images]),
        'proprio': view.proprio,
        'vectors': np.where(there[:, None], points - tool, 0.0),
        'turns': np.zeros(len(objects)),
        'width': np.float32(suite.fingers_apart()),
        'places': np.stack(places),
        'seen': np.stack(seen),
    }


class LiberoMaker:
    """See `world.Maker`. A chunk is of one task: another one's meshes take seconds to load.

    Args:
        kind: Of the suite, sampled.
        spec: Of the frames.
    """

    def __init__(self, kind: LiberoKind, spec: FrameSpec) -> None:
        self._tasks = [kind.of_task(task) for task in spec.instructions]
        self._suite: LiberoSuite | None = None

    def make_chunk(self, frames: Frames, chunk: int, first_seed: int, how: Disturbance) -> None:
        """See `world.Maker.make_chunk`."""
        spec = frames.spec
        span, asked = spec.span(chunk), chunk % len(self._tasks)
        kind = self._tasks[asked]
        if self._suite is None or self._suite.name != kind.name:
            if self._suite is not None:
                self._suite.close()
            self._suite = kind.make(spec.size, None)
        random = np.random.default_rng([first_seed, chunk])
        labels = {'kind': KINDS.index('demonstration'), 'asked': asked}
        at = span.start
        start = first_seed + chunk * SEEDS_A_CHUNK
        for seed in seeds.require('training', start, SEEDS_A_CHUNK):
            self._suite.reset(seed, spec.instructions[asked])
            for values in demonstrate(
                self._suite, spec.objects, spec.size, spec.horizon, random, how
            ):
                frames.write(at, {**values, **labels})
                at += 1
                if at == span.stop:
                    frames.finish(chunk)
                    return
        raise RuntimeError(f'{SEEDS_A_CHUNK} episodes did not fill chunk {chunk}')
