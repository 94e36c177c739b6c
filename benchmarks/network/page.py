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

"""The table of episodes over bad links."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from vla_accel_ros.evaluation.statistics import wilson

# The demo's limit of an episode.
USUAL_S = 15.0
TITLES = (
    'link, each way',
    'succeeded',
    '95 %',
    f'within {USUAL_S:g} s',
    'seconds, median of the successes',
    'answer after, ms p50 / p95',
    'link, kbit/s',
    'frames lost',
    'others on the processors',
)


def page(found: Mapping) -> str:
    """Return the page of what `benchmarks.network.episodes` measured."""
    settings, machine = found['settings'], found['machine']
    lines = [
        '# Episodes over a link to inference',
        '',
        f'`{found["kind"]}` runs {settings["checkpoint"]} on the embedded arm in real time: the '
        "robot's side in one network namespace, inference in another, a link of two TAP devices "
        f'between them. Each link has the same episodes, from seed {settings["seed"]} on, all '
        f'tasks in turn, of at most {settings["limit_s"]:g} s each. Parameters are the defaults. '
        "An answer's time is from question to answer at the scheduler. The last column is what "
        'other programs took of the processors meanwhile: where it is large, the machine was not '
        "quiet, and slow answers are not the link's alone.",
        '',
        f'{machine["processor"]}, {machine["cores"]} cores.',
        '',
        f'| {" | ".join(TITLES)} |',
        '|---' * len(TITLES) + '|',
        *(_row(name, run) for name, run in found['links'].items()),
    ]
    return '\n'.join(lines) + '\n'


def _row(name: str, run: Mapping) -> str:
    episodes = run['episodes']
    took = [each['seconds'] for each in episodes if each['success']]
    low, high = wilson(len(took), len(episodes))
    answers = run['answer_ms']
    seconds = sum(each['seconds'] for each in episodes)
    frames = run['carried'] + run['lost']
    cells = (
        name,
        f'{len(took)} of {len(episodes)}',
        f'{100 * low:.0f} to {100 * high:.0f} %',
        str(sum(each <= USUAL_S for each in took)),
        f'{np.median(took):.1f}' if took else '-',
        '{:.0f} / {:.0f}'.format(*np.percentile(answers, [50, 95])) if answers else '-',
        f'{8e-3 * run["bytes"] / seconds:.0f}',
        f'{100 * run["lost"] / max(frames, 1):.1f} %',
        f'{100 * run["others"]:.0f} %',
    )
    return f'| {" | ".join(cells)} |'
