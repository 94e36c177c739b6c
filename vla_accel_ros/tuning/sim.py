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

"""Tuning in simulation: success and cost on tuning seeds, confirmed on others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path

import numpy as np

from vla_accel_ros.acceleration import BASELINE, Method, parse
from vla_accel_ros.evaluation import runner
from vla_accel_ros.evaluation.episode import EpisodeResult
from vla_accel_ros.evaluation.statistics import Interval, paired_difference
from vla_accel_ros.files import fingerprints
from vla_accel_ros.tuning.target import UNITS, Run, Stop, Stopped
from vla_accel_ros.tuning.timing import Pace, load, timed, typical

POINTS = 100.0


@dataclass(frozen=True)
class SimPlan:
    """See `target.Plan`.

    Attributes:
        setup: Checkpoint and environment.
        instructions: Episodes take them in turn.
        seeds: One an episode.
        cost: One of `target.UNITS`.
        hopeless: A setting is given up once it must lose more points than this.
        confirming: Seeds to confirm on, none where empty.
        step_s: Policy step, seconds.
    """

    setup: runner.Setup
    instructions: tuple[str, ...]
    seeds: range
    cost: str
    hopeless: float
    confirming: range = range(0)
    step_s: float = 0.05
    loss_unit = 'points of success'

    @property
    def cost_unit(self) -> str:
        """Unit of the cost."""
        return f'{UNITS[self.cost]} per success'

    @property
    def timed(self) -> bool:
        """Whether the cost is time as measured."""
        return self.cost == 'time'

    def identity(self) -> dict:
        """Return what makes two searches the same."""
        return {
            'tuned on': f'simulation {self.setup.environment!r}',
            'checkpoint': fingerprints.of_folder(Path(self.setup.checkpoint)),
            'device': self.setup.device,
            'engine': [self.setup.engine.title, self.setup.engine.engine_precision],
            **self.setup.engine.calibrated,
            'unnorm_key': self.setup.unnorm_key,
            'max_steps': self.setup.max_steps,
            'image_size': self.setup.image_size,
            'instructions': list(self.instructions),
            'first_seed': self.seeds.start,
            'episodes': len(self.seeds),
            'cost': self.cost,
            'hopeless': self.hopeless,
        }

    def build(self, baseline: dict | None, stop: Stop) -> SimTarget:
        """Build the target."""
        return SimTarget(self, baseline, stop)

    def paths(self) -> tuple[Path, ...]:
        """List what `build` reads."""
        return (Path(self.setup.checkpoint),)

    def at(self, places: Mapping[str, Path]) -> SimPlan:
        """Return the same where that lies elsewhere; the engine must run there as it does here."""
        place = places[str(Path(self.setup.checkpoint).resolve())]
        engine = replace(self.setup.engine, engine_required=True)
        return replace(self, setup=replace(self.setup, checkpoint=str(place), engine=engine))

    def held_out(self) -> SimPlan | None:
        """Return the same on the seeds to confirm on."""
        if not len(self.confirming):
            return None
        return replace(self, seeds=self.confirming, confirming=range(0), hopeless=inf)

    def describe(self) -> str:
        """Say what is tuned on."""
        return f'{len(self.seeds)} episodes, seeds from {self.seeds.start}'

    def interval(self, run: Run) -> Interval:
        """Return the score interval of the paired difference, in points."""
        lost = [float(loss[0]) for loss in run.losses]
        low, high = paired_difference([loss > 0 for loss in lost], [loss < 0 for loss in lost])
        return POINTS * low, POINTS * high


class SimTarget:
    """See `target.Target`."""

    def __init__(self, plan: SimPlan, baseline: dict | None, stop: Stop) -> None:
        self._plan = plan
        self._worker = runner.Worker(plan.setup)
        self._worker.policy = timed(self._worker.policy)
        self._pace = Pace(self._worker.policy)
        self.baseline = baseline or self._measure_baseline(stop)

    def measure(self, method: Method, stop: Stop) -> Run:
        """Run the episodes, until it is certain that too many fail."""
        theirs = self.baseline['per']
        allowed = theirs.count(0) + self._plan.hopeless * len(theirs) / POINTS
        results, paces = self._run(method, stop, allowed)
        slower = typical(paces) / self.baseline['pace_ms'] if paces else 1.0
        won = [int(result.success) for result in results]
        losses = [
            np.array([POINTS * (a - b)]) for a, b in zip(theirs[: len(won)], won, strict=True)
        ]
        return Run(
            losses,
            [self._cost(r) / slower for r in results],
            won,
            len(won) < len(theirs),
            {**facts(results), 'slower': round(slower, 3), 'load': load()},
        )

    def _measure_baseline(self, stop: Stop) -> dict:
        results, paces = self._run(parse(BASELINE), stop, inf)
        return {
            **facts(results),
            'load': load(),
            'pace_ms': typical(paces) if paces else None,
            'costs': [self._cost(result) for result in results],
            'per': [int(result.success) for result in results],
        }

    def _run(
        self, method: Method, stop: Stop, allowed: float
    ) -> tuple[list[EpisodeResult], list[float]]:
        plan, results, paces, failures = self._plan, [], [], 0
        for job in runner.plan([method], plan.seeds, plan.instructions):
            if stop():
                raise Stopped
            if plan.timed:
                paces.append(self._pace())
            results.append(self._worker.run(job, stop))
            failures += not results[-1].success
            if failures > allowed:
                break
        return results, paces

    def _cost(self, result: EpisodeResult) -> float:
        if self._plan.cost == 'time':
            return sum(call.model_ms for call in result.calls)
        if self._plan.cost == 'flops':
            return sum(call.flops for call in result.calls) / 1e9
        return float(len(result.calls))


def facts(results: list[EpisodeResult]) -> dict:
    """Return what more is to be said of episodes, as plain values."""
    calls = [call for result in results for call in result.calls]
    steps = sum(result.steps for result in results)
    count = max(len(calls), 1)
    return {
        'episodes': len(results),
        'success': round(sum(r.success for r in results) / len(results), 4),
        'calls_a_step': round(len(calls) / steps, 4),
        'call_ms': round(sum(call.model_ms for call in calls) / count, 3),
        'keep': round(sum(call.keep for call in calls) / count, 3),
        'passes': round(sum(call.passes for call in calls) / count, 2),
    }
