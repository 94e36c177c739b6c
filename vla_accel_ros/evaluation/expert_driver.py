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

"""A scripted expert in the model's place: what scheduling alone does to an episode."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from vla_accel_ros.acceleration import BASELINE, Method
from vla_accel_ros.environments.interface import Environment
from vla_accel_ros.environments.rehearsal import actor
from vla_accel_ros.evaluation import metrics
from vla_accel_ros.evaluation.closed_loop import run_episode
from vla_accel_ros.evaluation.episode import EpisodeResult
from vla_accel_ros.evaluation.piloted import Piloted
from vla_accel_ros.evaluation.records import Call
from vla_accel_ros.observations import Observation
from vla_accel_ros.scheduling.decision import Request


class ExpertDriver(Piloted):
    """Have an expert answer where a method would ask its model; ours.

    It answers at once and knows the simulator's state, so that what is lost is lost by the
    schedule. Of the method only the scheduler's settings count.

    Args:
        act: Gives the expert's action now, float64 [7].
        method: How to schedule.
    """

    def __init__(self, act: Callable[[], np.ndarray], method: Method) -> None:
        super().__init__(method)
        self._act = act

    def answer(
        self, request: Request, observe: Callable[[], Observation]
    ) -> tuple[np.ndarray, Call]:
        """Have the expert answer, see `Piloted.answer`; nothing is drawn."""
        none = np.empty(0, dtype=int)
        call = Call(0.0, 0.0, 0, none, 1.0, 'no_model', 0, 0, 0.0, request.stamp_ns, 0)
        return np.asarray(self._act(), dtype=np.float64)[None], call


def compare(
    environment: Environment,
    methods: Sequence[Method],
    seeds: range,
    instructions: Sequence[str],
    show: Callable[[int], None],
) -> list[dict]:
    """Run each method's schedule on the same episodes, with the expert in the model's place.

    Args:
        environment: Where the expert acts.
        methods: Schedules; compared with `none` where that is among them.
        seeds: One an episode.
        instructions: What to ask for, in turn.
        show: Told how many episodes are done.

    Returns:
        One summary a method, see `metrics.summarise`.

    Raises:
        ValueError: When the environment has no expert.
    """
    results: dict[str, list[EpisodeResult]] = {method.name: [] for method in methods}
    for seed in seeds:
        for method in methods:
            driver = ExpertDriver(
                actor('expert', environment, seed), method.at_step(environment.step_s)
            )
            instruction = instructions[seed % len(instructions)]
            results[method.name].append(run_episode(driver, environment, seed, instruction))
            show(sum(map(len, results.values())))
    plain = results.get(BASELINE)
    return [
        metrics.summarise(name, found, None if name == BASELINE else plain)
        for name, found in results.items()
    ]
