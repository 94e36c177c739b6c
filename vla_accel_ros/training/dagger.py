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

"""DAgger (Ross et al. 2011): the policy acts, the expert says what would have been right."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import numpy as np

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.sim.env import TabletopEnv
from vla_accel_ros.sim.expert import Expert
from vla_accel_ros.training.chunks import chunk_seeds
from vla_accel_ros.training.frames import Frames
from vla_accel_ros.training.recipe_parts import FramesRecipe
from vla_accel_ros.training.rollout import Rollout, RolloutEpisode
from vla_accel_ros.training.tabletop_frames import STEP, frame

AT_ONCE = 24
LONGEST = 110


def collect_dagger(
    frames: Frames,
    recipe: FramesRecipe,
    policy: Callable[[], Rollout],
    progress: Callable[[int, int], None] | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Fill a set with the states that the policy itself gets into.

    An episode runs until it succeeds or for `LONGEST` steps, so hovering is seen but does not
    fill the set.

    Args:
        frames: Where to.
        recipe: Of the set.
        policy: Gives the policy in the closed loop, its noise from the beginning. Each chunk asks
            anew, so that interruptions change nothing.
        progress: Called with frames made and frames wanted.
        stopped: Asked at every step whether to stop before the end.
    """
    for chunk in map(int, np.flatnonzero(~frames.done)):
        with closing(policy()) as rollout:
            _fill(frames, chunk, recipe, rollout, stopped)
        if stopped():
            return
        if progress is not None:
            progress(len(frames.ready()), len(frames))


def _fill(
    frames: Frames, chunk: int, recipe: FramesRecipe, rollout: Rollout, stopped: Callable[[], bool]
) -> None:
    """Fill one chunk; it stays unfinished when stopped."""
    spec, expert, span = frames.spec, Expert(), frames.spec.span(chunk)
    random = np.random.default_rng([recipe.seed, chunk])
    unused = iter(chunk_seeds(recipe.seed, chunk))
    at = span.start

    def visit(env: TabletopEnv, episode: RolloutEpisode) -> None:
        nonlocal at
        if at == span.stop:
            return
        asked = spec.instructions.index(episode.instruction)
        frames.write(at, frame(env, spec, expert, 'dagger', asked, random))
        at += 1

    def noise(action: np.ndarray) -> np.ndarray:
        scale = recipe.disturbance.noise
        action[END_EFFECTOR.moving] += random.normal(0.0, scale, len(STEP)) * STEP
        return action

    def begin() -> RolloutEpisode:
        seed = next(unused)
        instruction = spec.instructions[int(random.integers(len(spec.instructions)))]
        return rollout.start(seed, instruction)

    episodes = [begin() for _ in range(AT_ONCE)]
    while at < span.stop:
        if stopped():
            return
        rollout.advance(episodes, visit, noise)
        episodes = [begin() if e.over or e.steps >= LONGEST else e for e in episodes]
    frames.finish(chunk)
