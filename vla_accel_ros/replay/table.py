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

"""The short table on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from vla_accel_ros.action_space import ActionSpace
from vla_accel_ros.replay.errors import drift_unit, main_error
from vla_accel_ros.replay.measures import KINDS
from vla_accel_ros.report.data import Estimate, MethodRow

# Key, heading, decimals, whether its interval is shown.
Column = tuple[str, str, int, bool]


def columns(space: ActionSpace) -> tuple[Column, ...]:
    """Return the columns for actions of a space; the costs' intervals are on the page."""
    _, error = main_error(space)
    unit = error.rpartition('_')[2]
    digits = 4 if unit == 'rad' else 2
    drift, drift_digits = drift_unit(space), 4 if unit == 'rad' else 1
    return (
        (f'reference_{error}', f'off none {unit}', digits, True),
        *(
            (('reference_gripper_agreement', 'gripper %', 1, False),)
            if len(space.grippers)
            else ()
        ),
        (f'reference_drift_1s_{drift}', f'1 s drift {drift}', drift_digits, True),
        (f'recorded_{error}', f'off bag {unit}', digits, True),
        ('calls', 'calls', 2, False),
        ('tokens_kept', 'tokens %', 0, False),
        ('model_ms', 'ms/step', 1, False),
        ('effective_hz', 'Hz', 1, False),
    )


def render(rows: Sequence[MethodRow], space: ActionSpace) -> str:
    """Return a line a method: departures with their intervals, costs, who took the steps."""
    shown = columns(space)
    width = max(len('method'), *(len(row.name) for row in rows))
    cells = [[title for _, title, _, _ in shown]]
    cells += [
        [_cell(row.values.get(key), digits, interval) for key, _, digits, interval in shown]
        for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    names = ['method', *(row.name for row in rows)]
    lines = []
    for name, line in zip(names, cells, strict=True):
        fields = '  '.join(f'{text:>{w}}' for text, w in zip(line, widths, strict=True))
        lines.append(f'{name:<{width}}  {fields}'.rstrip())
    lines.append('')
    lines += [f'{row.name:<{width}}  {_decisions(row)}' for row in rows]
    return '\n'.join(lines)


def _cell(estimate: Estimate | None, digits: int, interval: bool) -> str:
    if estimate is None:
        return '-'
    text = f'{estimate.value:.{digits}f}'
    if estimate.low is None or not interval:
        return text
    return f'{text} ({estimate.low:.{digits}f}-{estimate.high:.{digits}f})'


def _decisions(row: MethodRow) -> str:
    known = [kind for kind in KINDS if row.decisions.get(kind)]
    others = sorted(set(row.decisions) - set(KINDS))
    return ', '.join(f'{kind} {row.decisions[kind]:.0%}' for kind in (*known, *others))
