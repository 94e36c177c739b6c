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

"""One evaluation: what is asked for, and what its report says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vla_accel_ros import __version__
from vla_accel_ros.acceleration import BASELINE, Method
from vla_accel_ros.acceleration.settings import settings_of
from vla_accel_ros.evaluation import conditions, metrics, runner
from vla_accel_ros.evaluation.episode import EpisodeResult
from vla_accel_ros.evaluation.latency import Latency
from vla_accel_ros.evaluation.spread import Spread
from vla_accel_ros.files import fingerprints


@dataclass(frozen=True)
class Evaluation:
    """What is asked for.

    Attributes:
        setup: Checkpoint and environment.
        methods: What is compared.
        latencies: The clock of each; None for the step clock.
        task: As on the command line.
        instructions: What it means; episodes take them in turn.
        purpose: What the seeds are for.
        seeds: One an episode of each method.
        engine: What ran the policy, as `models.in_use.InUse.facts` says it; None before.
        spread: The cluster that ran the episodes; None for this machine.
    """

    setup: runner.Setup
    methods: tuple[Method, ...]
    latencies: tuple[Latency | None, ...]
    task: str
    instructions: tuple[str, ...]
    purpose: str
    seeds: range
    engine: dict[str, str] | None = None
    spread: Spread | None = None

    @property
    def clock(self) -> str:
        """`step` or `real`."""
        return 'step' if self.latencies[0] is None else 'real'

    def jobs(self) -> list[runner.Job]:
        """Return all episodes, in the order in which they are run."""
        return runner.plan(self.methods, self.seeds, self.instructions, self.latencies)

    def settings(self) -> dict:
        """Return all that decides the results, for a journal to know its own evaluation by."""
        setup = self.setup
        return {
            'version': __version__,
            'checkpoint': fingerprints.of_folder(Path(setup.checkpoint)),
            'environment': repr(setup.environment),
            'device': setup.device,
            'engine': setup.engine.title,
            'engine_precision': setup.engine.engine_precision,
            **setup.engine.calibrated,
            'image_size': setup.image_size,
            'max_steps': setup.max_steps,
            'unnorm_key': setup.unnorm_key,
            'instructions': list(self.instructions),
            'first_seed': self.seeds.start,
            'episodes': len(self.seeds),
            'methods': {
                method.name: {**settings_of(method), 'latency': clock and clock.about()}
                for method, clock in zip(self.methods, self.latencies, strict=True)
            },
        }

    def report(self, results: Sequence[EpisodeResult], seconds: float) -> dict:
        """Return the report of the episodes that were run, as `docs/eval.md` has it.

        Args:
            results: At least one.
            seconds: What it took.
        """
        by_method = {m.name: [r for r in results if r.method == m.name] for m in self.methods}
        baseline = by_method.get(BASELINE)
        rows = []
        for method, clock in zip(self.methods, self.latencies, strict=True):
            if not by_method[method.name]:
                continue
            rows.append(
                {
                    **metrics.summarise(
                        method.name,
                        by_method[method.name],
                        None if method.name == BASELINE else baseline,
                        self.setup.environment.kind_of,
                    ),
                    'summary': method.summary,
                    'latency': clock and clock.about(),
                    'settings': settings_of(method),
                }
            )
        complete = len(results) == len(self.seeds) * len(self.methods)
        return {
            'checkpoint': Path(self.setup.checkpoint).name,
            'environment': self.setup.environment.name,
            'task': self.task,
            'clock': self.clock,
            'seeds': self.purpose,
            'first_seed': self.seeds.start,
            'complete': complete,
            'seconds': round(seconds, 1),
            'notes': self.notes(complete),
            'date': conditions.today(),
            'machine': conditions.machine(),
            'engine': self.engine,
            'versions': conditions.versions(),
            'cluster': self.spread and self.spread.about(),
            'methods': rows,
        }

    def notes(self, complete: bool = True) -> list[str]:
        """Return what a reader must know first."""
        found = []
        if self.engine and self.engine['reason']:
            name, asked, reason = (self.engine[key] for key in ('name', 'asked', 'reason'))
            found.append(f'the policy ran on {name}, {asked} was asked for: {reason}')
        if self.spread:
            found += self.spread.notes()
        if not complete:
            found.append('interrupted: some episodes were not run')
        if self.purpose != 'reporting':
            found.append(f'the seeds are of the {self.purpose} range: no result to report')
        if any(clock is not None and not clock.deterministic for clock in self.latencies):
            found.append('latencies are as measured: another run gives other episodes')
        if BASELINE not in [method.name for method in self.methods]:
            found.append(f'{BASELINE} was not run, so there is nothing to compare with')
        return found
