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

"""A run's log as curves."""

from __future__ import annotations

import json
from pathlib import Path

from vla_accel_ros.files.whole_files import replace_whole

PANELS = (
    ('locate', 'towers: where is each cube', 'nats'),
    ('sight_px', 'towers: error of sight', 'px'),
    ('point', 'decoder: which token is meant', 'nats'),
    ('pointed', 'decoder: tokens pointed at rightly', 'share'),
    ('vector_mm', 'decoder: error of the vector to the cube', 'mm'),
    ('goal_mm', 'decoder: error of the vector to the goal', 'mm'),
    ('action', 'actions: tokens, sum of 7, or square error', 'nats or 1'),
    ('success', 'closed loop, tuning seeds', 'share'),
)


def read(log: str | Path) -> list[dict]:
    """Return a log's lines, each with `total`, the images of all stages so far.

    Args:
        log: A run's `log.jsonl`.
    """
    lines = [json.loads(line) for line in Path(log).read_text(encoding='utf-8').splitlines()]
    before, stage, last = 0, None, 0
    for line in lines:
        if line['stage'] != stage:
            before, stage = before + last, line['stage']
        last = line['images']
        line['total'] = before + last
    return lines


def draw(log: str | Path, picture: str | Path) -> None:
    """Draw a log's curves as a PNG.

    Args:
        log: A run's `log.jsonl`.
        picture: Where to.
    """
    import matplotlib

    matplotlib.use('agg')
    from matplotlib import pyplot

    lines = read(log)
    stages = list(dict.fromkeys(line['stage'] for line in lines))
    figure, axes = pyplot.subplots(2, 4, figsize=(16, 7), layout='constrained')
    for axis, (key, title, unit) in zip(axes.flat, PANELS, strict=True):
        for number, stage in enumerate(stages):
            points = [
                (n['total'] / 1000, n[key]) for n in lines if n['stage'] == stage and key in n
            ]
            if points:
                style = 'o-' if key == 'success' else '-'
                axis.plot(
                    *zip(*points, strict=True),
                    style,
                    label=stage,
                    linewidth=1.2,
                    color=f'C{number}',
                )
        axis.set(title=title, ylabel=unit, xlabel='thousand images')
        if key in ('locate', 'sight_px', 'point', 'vector_mm', 'goal_mm', 'action'):
            axis.set_yscale('log')
        axis.grid(alpha=0.3)
    # A head behind a frozen prefix has no grounding: its first panels are empty.
    drawn = next((axis for axis in axes.flat if axis.get_legend_handles_labels()[0]), None)
    if drawn is not None:
        drawn.legend()
    replace_whole(Path(picture), lambda beside: figure.savefig(beside, dpi=110))
    pyplot.close(figure)
