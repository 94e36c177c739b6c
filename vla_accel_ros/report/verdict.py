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

"""Whether a method can be trusted: its numbers against the bounds, and nothing else.

A bound is kept when the whole 95 % interval keeps it, broken when the whole interval breaks it,
and undecided where the interval reaches to both sides. Without an interval the number decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
import math

from vla_accel_ros.report.data import Bound, Estimate, Measure, MethodRow, Report
from vla_accel_ros.report.wording import NOTHING, interval, number, times


class Standing(str, Enum):
    """How a method or one of its numbers stands to the bounds, from good to bad."""

    WITHIN = 'within'
    UNKNOWN = 'unknown'
    UNDECIDED = 'undecided'
    OUTSIDE = 'outside'


WORDS = {
    Standing.WITHIN: 'within bounds',
    Standing.UNKNOWN: 'not measured',
    Standing.UNDECIDED: 'undecided',
    Standing.OUTSIDE: 'out of bounds',
}
_ORDER = list(Standing)


@dataclass(frozen=True)
class Finding:
    """One bound and how a method stands to it.

    Attributes:
        figure: The number, in words.
        standing: How the number stands to it.
        distance: Its interval, and how far that is from the bound, in words.
    """

    figure: str
    standing: Standing
    distance: str


@dataclass(frozen=True)
class Verdict:
    """How one method stands to all bounds.

    Attributes:
        method: The method.
        standing: The worst of its findings; None for the reference and where nothing is bounded.
        findings: One a bound.
        cost: What it costs, in words.
        saving: How many times less than the reference, None where either is not known.
    """

    method: MethodRow
    standing: Standing | None
    findings: tuple[Finding, ...]
    cost: str
    saving: float | None


def judge(report: Report) -> tuple[Verdict, ...]:
    """Return a verdict a method: the reference first, then the best standing and saving."""
    verdicts = [_judge_one(report, row) for row in report.methods]
    return tuple(
        sorted(
            verdicts,
            key=lambda v: (
                v.method.name != report.reference,
                _ORDER.index(v.standing) if v.standing else 0,
                -(v.saving or 0.0),
            ),
        )
    )


def headline(report: Report, verdicts: tuple[Verdict, ...]) -> str:
    """Return the answer in one sentence."""
    others = [v for v in verdicts if v.method.name != report.reference]
    if not others:
        return f'Only {report.reference} was run: there is nothing to compare it with.'
    if not report.bounds:
        return 'No bound was set, so nothing is judged: the figures speak for themselves.'
    kept = [v for v in others if v.standing is Standing.WITHIN]
    if not kept:
        open_ones = sum(v.standing is not Standing.OUTSIDE for v in others)
        more = f'; {open_ones} could not be decided' if open_ones else ''
        return f'No accelerated setting is shown to keep every bound{more}.'
    verb = 'keeps' if len(kept) == 1 else 'keep'
    many = f'{len(kept)} of {len(others)} accelerated settings {verb} every bound'
    best = max(kept, key=lambda v: v.saving or 0.0)
    if best.saving is None or best.saving <= 1:
        return f'{many}; none of them costs less than {report.reference}.'
    cost = report.measure(report.cost).title
    return (
        f'{many}; {best.method.name} saves the most: {times(best.saving)} {cost} than '
        f'{report.reference}.'
    )


def _judge_one(report: Report, row: MethodRow) -> Verdict:
    cost = report.measure(report.cost)
    mine = row.values.get(report.cost)
    own = number(mine.value if mine else None, cost.digits, cost.unit)
    if row.name == report.reference:
        return Verdict(row, None, (), own, None)
    findings = tuple(
        _find(report.measure(bound.measure), bound, row.values.get(bound.measure))
        for bound in report.bounds
    )
    standing = max((f.standing for f in findings), key=_ORDER.index, default=None)
    reference = next(r for r in report.methods if r.name == report.reference)
    saving = _ratio(reference.values.get(report.cost), mine)
    return Verdict(row, standing, findings, own, saving)


def _ratio(reference: Estimate | None, mine: Estimate | None) -> float | None:
    if reference is None or mine is None or not mine.value > 0 or not reference.value > 0:
        return None
    return reference.value / mine.value


def _find(measure: Measure, bound: Bound, estimate: Estimate | None) -> Finding:
    most = measure.better != 'higher'
    if estimate is None or not math.isfinite(estimate.value):
        return Finding(NOTHING, Standing.UNKNOWN, 'no value')
    figure = number(estimate.value, measure.digits, measure.unit)
    span = interval(estimate, measure.digits)
    span = f'{span}, ' if span else ''
    ends = (estimate.low, estimate.high)
    if estimate.low is None:
        ends = (estimate.value, estimate.value)
    # Room to the limit at either end of the interval, positive where it is kept.
    room = sorted(bound.limit - end if most else end - bound.limit for end in ends)
    far = [number(abs(r), measure.digits) for r in room]
    if room[0] >= 0:
        return Finding(figure, Standing.WITHIN, f'{span}{far[0]} to spare')
    if room[1] < 0:
        return Finding(figure, Standing.OUTSIDE, f'{span}{far[1]} beyond')
    return Finding(figure, Standing.UNDECIDED, f'{span}reaches {far[0]} beyond')
