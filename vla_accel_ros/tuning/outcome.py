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

"""What came of a search: which points are best, which held, and which one is taken."""

from __future__ import annotations

from dataclasses import dataclass, field

from vla_accel_ros.tuning.confirm import FELL, Confirmation
from vla_accel_ros.tuning.points import Point, front, in_order
from vla_accel_ros.tuning.search import Found
from vla_accel_ros.tuning.target import Plan, Run

# Processes that want each core, from which on measured times say much about the others.
BUSY = 1.0


@dataclass
class Outcome:
    """All that is known at the end.

    Attributes:
        plan: What was tuned on.
        found: The trials.
        rule: How the best point is chosen, and its bound.
        names: The methods that were searched.
        confirmed: What held-out episodes say, in the order in which points would be taken.
        interrupted: Whether something is left to be done.
    """

    plan: Plan
    found: Found
    rule: tuple[str, float]
    names: tuple[str, ...]
    confirmed: list[Confirmation] = field(default_factory=list)
    interrupted: bool = False

    @property
    def plain_cost(self) -> float:
        """What the unaccelerated policy costs."""
        return Run([], self.found.baseline['costs'], self.found.baseline['per']).cost

    @property
    def front(self) -> list[Point]:
        """The points that no other beats, nor the unaccelerated policy, the cheapest first."""
        return front(self._useful)

    @property
    def _useful(self) -> list[Point]:
        """The points that cost less than the unaccelerated policy, or win something."""
        plain = self.plain_cost
        return [p for p in self.found.points if p.score.cost < plain or p.score.loss < 0]

    @property
    def admitted(self) -> list[Point]:
        """The points that the rule admits, the best of the front first, then the others."""
        best = in_order(self.front, *self.rule)
        known = {point.name for point in best}
        cheaper = (p for p in self._useful if not p.score.stopped and p.name not in known)
        return [*best, *in_order(list(cheaper), *self.rule)]

    @property
    def best(self) -> dict[str, Point]:
        """The best point of each method, of those that have one."""
        found = {}
        for name in self.names:
            mine = front(p for p in self.found.points if p.space == name)
            if ordered := in_order(mine, *self.rule):
                found[name] = ordered[0]
        return found

    def to_confirm(self, most: int) -> list[Point]:
        """Return what is worth held-out episodes: the front, the best of each method, others.

        Others are there in case that those fall.
        """
        on_front = in_order(self.front, *self.rule)
        wanted: dict[tuple, Point] = {}
        for point in (*on_front, *self.best.values(), *self.admitted):
            # The same values, drawn again, are no other setting.
            wanted.setdefault((point.space, *sorted(point.values.items())), point)
        return list(wanted.values())[:most]

    def confirmation(self, name: str) -> Confirmation | None:
        """Return what held-out episodes say of a point."""
        return next((each for each in self.confirmed if each.name == name), None)

    @property
    def chosen(self) -> Point | None:
        """The first admitted point that held-out episodes did not refute.

        The order was settled before they were looked at: they refute, they do not choose.
        """
        for point in self.admitted:
            held = self.confirmation(point.name)
            if not self.confirmed or (held is not None and held.verdict != FELL):
                return point
        return None

    def notes(self) -> list[str]:
        """Return what a reader must know first."""
        found, lines = self.found, []
        if self.interrupted:
            done, missing = len(found.points), found.missing
            lines.append(f'interrupted: {done} of {done + missing} settings were tried')
        if not self.confirmed:
            lines.append(
                'nothing was confirmed on held-out episodes: the figures are those that '
                'the points were picked by, and flatter them'
            )
        facts = [point.score.facts for point in found.points]
        busiest = max(each['load'] for each in (found.baseline, *facts))
        if self.plan.timed and busiest > BUSY:
            slower = [each['slower'] for each in facts]
            lines.append(
                f'the machine was busy, up to {busiest:g} processes wanted each core: a fixed '
                f'call took {min(slower):.2f} to {max(slower):.2f} times as long as beside the '
                'unaccelerated policy. Times are corrected by that, and estimates all the same'
            )
        return lines
