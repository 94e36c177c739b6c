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

"""Frames of LIBERO: its scripted expert, led astray from time to time, by noise or by the policy.

Stretches in which the expert does not decide alone take turns with stretches in which it does.
Frames are of the latter: what the expert does next is then what it did, and nothing has to be
tried out. Where the policy leads, that is DAgger (Ross et al. 2011).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.environments.libero_env import LiberoKind, LiberoSuite
from vla_accel_ros.environments.libero_expert import FAST, TURN
from vla_accel_ros.inputs.views import fit_view
from vla_accel_ros.observations import Observation
from vla_accel_ros.training.chunks import fill_chunk
from vla_accel_ros.training.disturbance import Disturbance
from vla_accel_ros.training.frames import Frames, FrameSpec
from vla_accel_ros.training.recipe_parts import KINDS

# What noise is a share of: m and rad a step, as told.
STEP = np.array([FAST] * 3 + [0.5 * TURN] * 3)
# Steps of a disturbed stretch at most; answers of the policy that are followed at most.
ASTRAY, ANSWERS = 10, 3
# Steps of the expert's own stretch, in chunks: a demonstration's, and behind a policy's.
OWN, BEHIND = (1, 4), (1, 2)
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


def led(policy, suite: LiberoSuite, instruction: str, answers: int) -> Iterator[np.ndarray]:
    """Yield the actions of so many answers of a policy."""
    for _ in range(answers):
        view = suite.observe()
        observation = Observation(view.images, instruction, proprio=view.proprio)
        yield from policy.predict(observation).chunk_values


def demonstrate(
    suite: LiberoSuite,
    spec: FrameSpec,
    random: np.random.Generator,
    keep: float,
    lead: Callable[[], Iterator[np.ndarray]],
    own: tuple[int, int] = OWN,
) -> Iterator[dict[str, np.ndarray]]:
    """Let the expert do an episode that has begun; yield instants as `frames.layout` has them.

    Args:
        suite: Reset.
        spec: Of the frames.
        random: Of how long stretches are, and of which instants are kept.
        keep: Share of the instants that are kept, of those with as many actions behind them as a
            label wants.
        lead: Gives the actions of a stretch in which the expert does not decide alone.
        own: Least and largest length of the stretches in which it does, in chunks.
    """
    horizon, steps, success = spec.horizon, 0, False
    while not success and steps < LONGEST:
        for action in lead():
            success |= suite.step(action).success
            steps += 1
        length = int(random.integers(own[0] * horizon, own[1] * horizon))
        seen: dict[int, dict[str, np.ndarray]] = {}
        actions = []
        for step in range(length):
            if not success and step + horizon <= length and random.random() < keep:
                seen[step] = instant(suite, spec.objects, spec.size)
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
    """See `world.FrameMaker`. A chunk is of one task: another one's meshes take seconds to load.

    Args:
        suite: Sampled.
        spec: Of the frames.
        kind: 'demonstration' or 'dagger'.
        policy: Checkpoint folder of the policy that leads, for 'dagger'.
    """

    def __init__(self, suite: LiberoKind, spec: FrameSpec, kind: str, policy: Path | None) -> None:
        self._tasks = [suite.of_task(task) for task in spec.instructions]
        self._kind = kind
        self._suite: LiberoSuite | None = None
        self._policy = None
        if policy is not None:
            from vla_accel_ros.models.policy import Policy

            self._policy = Policy.load(policy, threads=1)

    def make_chunk(self, frames: Frames, chunk: int, first_seed: int, how: Disturbance) -> None:
        """See `world.FrameMaker.make_chunk`."""
        spec = frames.spec
        asked = chunk % len(self._tasks)
        kind = self._tasks[asked]
        if self._suite is None or self._suite.name != kind.name:
            if self._suite is not None:
                self._suite.close()
            self._suite = kind.make(spec.size, None)
        random = np.random.default_rng([first_seed, chunk])
        labels = {'kind': np.array(KINDS.index(self._kind)), 'asked': np.array(asked)}

        def episode(seed: int) -> Iterator[dict[str, np.ndarray]]:
            self._suite.reset(seed, spec.instructions[asked])
            for values in self._episode(spec, spec.instructions[asked], random, how):
                yield {**values, **labels}

        fill_chunk(frames, chunk, first_seed, episode)

    def _episode(
        self, spec: FrameSpec, instruction: str, random: np.random.Generator, how: Disturbance
    ) -> Iterator[dict[str, np.ndarray]]:
        suite, policy = self._suite, self._policy
        if policy is not None:
            # Its noise depends on the episode alone, whoever made the ones before it.
            policy.reset()

            def lead() -> Iterator[np.ndarray]:
                return led(policy, suite, instruction, int(random.integers(1, ANSWERS + 1)))

            return demonstrate(suite, spec, random, how.keep, lead, BEHIND)
        scale = random.choice([0.0, 0.5, 1.0, 1.5])
        noise = partial(astray, suite, random, how, scale) if scale else partial(iter, ())
        return demonstrate(suite, spec, random, how.keep, noise)
