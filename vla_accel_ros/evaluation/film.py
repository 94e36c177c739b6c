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

"""Episodes to look at: which are worth it, and what they looked like."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from vla_accel_ros.environments.interface import Environment
from vla_accel_ros.evaluation.episode import EpisodeResult

MOST_SEEDS, MOST_FAILURES = 3, 6


def film(
    environment: Environment, result: EpisodeResult, every: int = 1
) -> Iterator[tuple[tuple[np.ndarray, ...], np.ndarray]]:
    """Show an episode again from what was executed; no policy is asked.

    Args:
        environment: In which it was run.
        result: The episode.
        every: Steps from one picture to the next.

    Yields:
        Before such a step the policy's views, and the one for people.
    """
    environment.reset(result.seed, result.instruction)
    for index, action in enumerate(result.actions):
        if index % every == 0:
            yield environment.observe().images, environment.picture()
        environment.step(action)


def failures(results: Sequence[EpisodeResult]) -> list[EpisodeResult]:
    """Return the first failures, each method's first before anyone's second."""
    failed: dict[str, list[EpisodeResult]] = {}
    for result in results:
        if not result.success:
            failed.setdefault(result.method, []).append(result)
    turns = max(map(len, failed.values()), default=0)
    in_turn = [own[turn] for turn in range(turns) for own in failed.values() if turn < len(own)]
    return in_turn[:MOST_FAILURES]


def seeds_to_show(results: Sequence[EpisodeResult]) -> list[int]:
    """Return the first seed, and the first ones that some method failed and another did not."""
    by_seed: dict[int, set[bool]] = {}
    for result in results:
        by_seed.setdefault(result.seed, set()).add(result.success)
    telling = [seed for seed, outcomes in by_seed.items() if len(outcomes) > 1]
    first = next(iter(by_seed))
    return list(dict.fromkeys([first, *telling]))[:MOST_SEEDS]
