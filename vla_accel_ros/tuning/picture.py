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

"""The search as a picture: what is lost against what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from vla_accel_ros.files.whole_files import replace_whole
from vla_accel_ros.tuning.points import FASTEST

# Of a name in the legend, characters.
LONGEST = 40
# One a setting that was confirmed, by its place; the verdict is the colour.
MARKERS = 'sD^vP>X<ph'
VERDICTS = {'confirmed': '#2ca02c', 'open': '#ff9f40', 'fell': '#d62728'}


def draw(results: Mapping, file: Path) -> None:
    """Draw all settings, the front, what was confirmed and what was chosen.

    Args:
        results: As `results.json` has them.
        file: Where to.
    """
    from matplotlib import colormaps
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 5.5), layout='constrained')
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    trials = [trial for trial in results['trials'] if not trial['stopped']]
    for place, name in enumerate(results['methods']):
        mine = [trial for trial in trials if trial['space'] == name]
        axes.scatter(
            [trial['cost'] for trial in mine],
            [trial['loss'] for trial in mine],
            s=24,
            color=colormaps['tab20'](place % 20),
            label=_short(name),
            alpha=0.8,
        )
    axes.scatter(
        [results['baseline']['cost']],
        [0],
        marker='*',
        s=160,
        color='black',
        label='unaccelerated',
        zorder=3,
    )
    front = results['front']
    axes.plot(
        [point['cost'] for point in front],
        [point['loss'] for point in front],
        drawstyle='steps-post',
        color='0.4',
        linewidth=1,
        label='front',
    )
    _confirmed(axes, results)
    if results['rule'][0] == FASTEST:
        axes.axhline(
            results['rule'][1],
            color='0.6',
            linewidth=1,
            linestyle=':',
            label=f'most that may be lost, {results["rule"][1]:g}',
        )
    else:
        axes.axvline(
            results['rule'][1],
            color='0.6',
            linewidth=1,
            linestyle=':',
            label=f'most that it may cost, {results["rule"][1]:g}',
        )
    axes.set_xlabel(f'cost, {results["cost_unit"]}')
    axes.set_xlim(left=0)
    axes.set_ylabel(f'loss, {results["loss_unit"]}')
    given_up = len(results['trials']) - len(trials)
    axes.set_title(
        f'{len(results["trials"])} settings tried, {given_up} given up early (not shown)',
        fontsize=9,
    )
    axes.legend(fontsize=7, ncols=2)
    replace_whole(file, lambda beside: figure.savefig(beside, dpi=150))


def _confirmed(axes, results: Mapping) -> None:
    for place, each in enumerate(results['confirmed']):
        low, high = each['loss_interval'] or (each['loss'],) * 2
        chosen = each['name'] == results['chosen']
        # Where it would stand among the trials: held-out episodes are longer or shorter.
        axes.errorbar(
            results['baseline']['cost'] / each['gain'],
            each['loss'],
            yerr=[[max(each['loss'] - low, 0)], [max(high - each['loss'], 0)]],
            fmt=MARKERS[place % len(MARKERS)],
            markersize=9 if chosen else 6,
            color=VERDICTS[each['verdict']],
            capsize=2,
            linewidth=1,
            markeredgecolor='black' if chosen else None,
            markeredgewidth=1.5 if chosen else None,
            label=f'{_short(each["name"])}, held out: {each["verdict"]}'
            + (', the best (ringed)' if chosen else ''),
        )


def _short(name: str) -> str:
    """Return a method's name so that the legend leaves room for the points."""
    head, _, number = name.rpartition('#')
    head, number = (head, f'#{number}') if head else (name, '')
    return (head if len(head) <= LONGEST else f'{head[: LONGEST - 3]}...') + number
