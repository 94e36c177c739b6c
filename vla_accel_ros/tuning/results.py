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

"""Results of a search as plain values, and as a table for the terminal."""

from __future__ import annotations

from collections.abc import Mapping

from vla_accel_ros.evaluation.conditions import command_line, machine, today, versions
from vla_accel_ros.report.text import against, columns
from vla_accel_ros.tuning.confirm import CONFIRMED, FELL, OPEN, Confirmation
from vla_accel_ros.tuning.outcome import Outcome
from vla_accel_ros.tuning.points import Point

SCHEMA = 1
VERDICTS = {
    CONFIRMED: 'on held-out episodes the whole interval of the loss is within the bound',
    OPEN: 'the loss there is within the bound, but its interval is not: not refuted, and too few '
    'episodes to be sure',
    FELL: 'the loss there is beyond the bound',
}


def to_dict(outcome: Outcome) -> dict:
    """Return `results.json`; docs/tune.md says what is in it."""
    plan, chosen, held_out = outcome.plan, outcome.chosen, outcome.plan.held_out()
    return {
        'schema': SCHEMA,
        'complete': not outcome.interrupted,
        'notes': outcome.notes(),
        'command': command_line(),
        'date': today(),
        'search': plan.identity(),
        'held_out': held_out and held_out.describe(),
        'loss_unit': plan.loss_unit,
        'cost_unit': plan.cost_unit,
        'methods': list(outcome.names),
        'baseline': {**outcome.found.baseline, 'cost': outcome.plain_cost},
        'trials': [point.to_dict() for point in outcome.found.points],
        'rule': list(outcome.rule),
        'front': [point.to_dict() for point in outcome.front],
        'confirmed': [each.to_dict() for each in outcome.confirmed],
        'chosen': chosen and chosen.name,
        'best': {name: point.name for name, point in outcome.best.items()},
        'versions': versions(),
        'machine': machine(),
    }


def comments(outcome: Outcome, point: Point) -> list[str]:
    """Return the head of a preset: what it is, and the figures that chose it."""
    plan = outcome.plan
    values = ', '.join(f'{name} {value}' for name, value in _rounded(point.values).items())
    lines = [
        f'{point.space}, tuned: {point.method.summary}.',
        f'Trial {point.name} ({values}).',
        f'On {plan.describe()}: loses {point.score.loss:.2f} {plan.loss_unit} at '
        f'{point.score.cost:.4g} {plan.cost_unit}, unaccelerated {outcome.plain_cost:.4g}.',
    ]
    held = outcome.confirmation(point.name)
    if held is not None:
        lines.append(
            f'Held out, {plan.held_out().describe()}: loses {_loss(held)}, costs '
            f'{against(held.gain, held.gain_interval)}: {held.verdict}.'
        )
    else:
        lines.append('Not confirmed on held-out episodes.')
    return [*lines, f'Made by: {command_line()}']


def render(outcome: Outcome) -> str:
    """Return the result as text."""
    plan, plain = outcome.plan, outcome.plain_cost
    points = outcome.to_confirm(
        max(len(outcome.confirmed), len(outcome.front) + len(outcome.names))
    )
    rows = [('', 'loss', 'cost', 'against', 'held out: loss', 'cost against', '')]
    rows.append(('unaccelerated', '0', f'{plain:.4g}', '', '', '', ''))
    for point in points:
        held, score = outcome.confirmation(point.name), point.score
        cells = (
            ('', '', 'not tried')
            if held is None
            else (_loss(held), against(held.gain, held.gain_interval), held.verdict)
        )
        rows.append(
            (
                point.name,
                f'{score.loss:.2f}',
                f'{score.cost:.4g}',
                against(plain / max(score.cost, 1e-12)),
                *cells,
            )
        )
    lines = [
        f'loss in {plan.loss_unit}, cost in {plan.cost_unit}, both against the unaccelerated '
        'policy;',
        'the best of the front first',
        '',
        columns(rows, right=True, line=False),
    ]
    seen = {each.verdict for each in outcome.confirmed}
    if seen:
        lines.append('')
        lines += [f'{name}: {text}' for name, text in VERDICTS.items() if name in seen]
    if not points:
        lines.append(f'no setting is admitted by {outcome.rule[0]} {outcome.rule[1]:g}')
    return '\n'.join(lines)


def chosen_line(outcome: Outcome) -> str:
    """Say which setting is taken, and whether held-out episodes bear it out."""
    point = outcome.chosen
    if point is None:
        return 'chosen: none'
    held = outcome.confirmation(point.name)
    if held is not None and held.verdict == CONFIRMED:
        return f'chosen: {point.name}, confirmed on held-out episodes'
    why = 'held-out episodes are too few to say' if held else 'no held-out episodes were run'
    return f'best, not confirmed: {point.name} ({why})'


def _rounded(values: Mapping[str, object]) -> dict[str, object]:
    return {k: float(f'{v:.4g}') if isinstance(v, float) else v for k, v in values.items()}


def _loss(held: Confirmation) -> str:
    return f'{held.loss:.2f}{_around(held.loss_interval)}'


def _around(interval: tuple[float, float] | None) -> str:
    return '' if interval is None else f' ({interval[0]:.2f} to {interval[1]:.2f})'
