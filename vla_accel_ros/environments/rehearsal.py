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

"""Episodes without a model: a scripted expert or random actions, to try an environment out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import time

import numpy as np

from vla_accel_ros.environments.interface import Environment

POLICIES = ('expert', 'random')
Act = Callable[[], np.ndarray]


@dataclass(frozen=True)
class Rehearsal:
    """What became of one episode.

    Attributes:
        seed: Of the start.
        success: Whether what was asked is done.
        steps: Taken.
        at_end: Whether it is done at the last step, too.
        step_ms: What each step took, without pictures and without the policy.
    """

    seed: int
    success: bool
    steps: int
    at_end: bool
    step_ms: tuple[float, ...]


def actor(policy: str, environment: Environment, seed: int) -> Act:
    """Return what gives the next action of a policy in an episode.

    Args:
        policy: One of `POLICIES`.
        environment: Where it acts; has `limits` for random actions, `expert_action` for an
            expert.
        seed: Of random actions, which are uniform within the limits.

    Raises:
        ValueError: When the policy is unknown, or the environment has no such expert.
    """
    if policy == 'random':
        low, high = environment.limits()
        draw = np.random.default_rng(seed)
        return lambda: draw.uniform(low, high)
    if policy != 'expert':
        raise ValueError(f"policy '{policy}' is unknown, expected one of {', '.join(POLICIES)}")
    act = getattr(environment, 'expert_action', None)
    if act is None:
        raise ValueError(f'{environment.name} has no scripted expert: --policy random')
    return act


def rehearse(environment: Environment, policy: str, seed: int, instruction: str) -> Rehearsal:
    """Run one episode.

    Raises:
        ValueError: As `actor`, or when the environment refuses the instruction.
    """
    environment.reset(seed, instruction)
    act = actor(policy, environment, seed)
    took, outcome = [], None
    while outcome is None or not outcome.done:
        action = act()
        start = time.perf_counter()
        outcome = environment.step(action)
        took.append(1e3 * (time.perf_counter() - start))
    at_end = outcome.success if outcome.now is None else outcome.now
    return Rehearsal(seed, outcome.success, len(took), at_end, tuple(took))


def views_side_by_side(environment: Environment) -> tuple[np.ndarray, float]:
    """Return all views of this instant next to each other, and the ms that drawing them took.

    Returns:
        uint8 [h, n * w, 3], lower ones padded at the bottom; milliseconds.
    """
    environment.observe()  # The first picture of a size makes a renderer.
    start = time.perf_counter()
    images = environment.observe().images
    took = 1e3 * (time.perf_counter() - start)
    height = max(image.shape[0] for image in images)
    padded = [np.pad(i, ((0, height - i.shape[0]), (0, 0), (0, 0))) for i in images]
    return np.concatenate(padded, axis=1), took
