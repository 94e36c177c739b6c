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

"""The report page of a closed-loop evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
import shlex

import numpy as np

from vla_accel_ros.acceleration import BASELINE
from vla_accel_ros.evaluation.episode import EpisodeResult
from vla_accel_ros.evaluation.film import failures, film, seeds_to_show
from vla_accel_ros.evaluation.page_measures import BOUNDS, COST, MEASURES, QUALITY, row_of
from vla_accel_ros.evaluation.records import StepRecord
from vla_accel_ros.evaluation.runner import Worker
from vla_accel_ros.evaluation.session import Evaluation
from vla_accel_ros.files import fingerprints
from vla_accel_ros.models.preprocess import fit
from vla_accel_ros.report.data import Provenance, Report
from vla_accel_ros.report.moments import Camera, Clip, ShownEpisode, ShownTrace, Step
from vla_accel_ros.report.page import write
from vla_accel_ros.report.pictures import encode_views

# Pictures on a page, of three views each.
MOST_PICTURES = 500
# What people see beside the policy's own views.
SCENE = 'scene'


def write_page(
    path: Path,
    session: Evaluation,
    report: Mapping,
    results: Sequence[EpisodeResult],
    here: Worker,
    command: Sequence[str],
) -> Path:
    """Write the page.

    Args:
        path: Its file.
        session: What was asked for.
        report: `session.report` of the results.
        results: What was run.
        here: Shows episodes again.
        command: The command line.

    Returns:
        The path.
    """
    pictures = _Pictures(here)
    seeds, failed = seeds_to_show(results), failures(results)
    shown = {(r.method, r.seed): r for r in results if r.seed in seeds or r in failed}
    stride = -(-sum(r.steps for r in shown.values()) // MOST_PICTURES)
    films = {key: pictures.add(result, stride) for key, result in shown.items()}
    rate = 1 / here.environment.step_s
    names = [method.name for method in session.methods]
    setup = session.setup
    return write(
        Report(
            title=f'{report["checkpoint"]} in {report["environment"]}',
            subtitle=f'{len(session.seeds)} episodes of each of {len(names)} methods, '
            f'{session.task}, {session.purpose} seeds, {session.clock} clock',
            reference=BASELINE if BASELINE in names else names[0],
            measures=MEASURES,
            methods=tuple(
                row_of(row, [r for r in results if r.method == row['method']])
                for row in report['methods']
            ),
            bounds=BOUNDS,
            quality=QUALITY,
            cost=COST,
            provenance=Provenance(
                shlex.join(['vla-accel', *command]),
                report['date'],
                {
                    'checkpoint': (
                        f'{setup.checkpoint}, {fingerprints.of_folder(Path(setup.checkpoint))}'
                    )
                },
                report['versions'],
                report['machine'],
                {
                    'seeds': f'{session.seeds.start} to {session.seeds.stop - 1}',
                    'clock': session.clock,
                    'task': session.task,
                    'instructions': '; '.join(session.instructions),
                },
            ),
            cameras=pictures.cameras,
            pictures=pictures.encoded,
            episodes=tuple(_episode(seed, shown, films, here) for seed in seeds),
            clips=tuple(
                Clip(
                    f'{r.method} fails seed {r.seed}',
                    r.instruction,
                    films[r.method, r.seed][::stride],
                    rate / stride,
                )
                for r in failed
            ),
            notes=tuple(report['notes']),
            sampling='Shown are the first seed and the first ones that some methods fail and '
            f'others do not. A picture is taken every {stride} steps.',
        ),
        path,
    )


class _Pictures:
    """Pictures of episodes, as the model sees them, with a view for people behind."""

    def __init__(self, here: Worker) -> None:
        self._environment, self._config = here.environment, here.policy.config
        grid = self._config.grid
        self.cameras = (
            *(Camera(name, grid, grid) for name in here.environment.cameras),
            Camera(SCENE),
        )
        self.encoded: list[tuple[bytes, ...]] = []

    def add(self, result: EpisodeResult, stride: int) -> tuple[int, ...]:
        """Film an episode; return for each step the index of its picture."""
        first = len(self.encoded)
        for images, scene in film(self._environment, result, stride):
            views = [fit(image, self._config) for image in images]
            self.encoded.append(encode_views([*views, scene]))
        return tuple(first + step // stride for step in range(result.steps))


def _episode(
    seed: int,
    shown: Mapping[tuple[str, int], EpisodeResult],
    films: Mapping[tuple[str, int], tuple[int, ...]],
    here: Worker,
) -> ShownEpisode:
    mine = {method: result for (method, number), result in shown.items() if number == seed}
    traces = {
        method: ShownTrace(
            tuple(_step(index, record, here) for index, record in enumerate(result.records)),
            films[method, seed],
            'success' if result.success else 'failure',
        )
        for method, result in mine.items()
    }
    return ShownEpisode(f'seed {seed}', next(iter(mine.values())).instruction, traces)


def _step(index: int, record: StepRecord, here: Worker) -> Step:
    call = record.call
    kept: tuple[np.ndarray, ...] = ()
    if call is not None and call.keep < 1:
        tokens = here.policy.config.tokens_per_image
        # The scene behind them is nothing that the policy sees.
        kept = tuple(
            call.kept_ids[call.kept_ids // tokens == camera] % tokens
            for camera in range(here.policy.cameras + 1)
        )
    return Step(
        index * here.environment.step_s,
        record.kind,
        record.reason,
        record.speed,
        None if call is None else call.keep,
        None if call is None else call.latency_ms or call.model_ms,
        None,
        kept,
    )
