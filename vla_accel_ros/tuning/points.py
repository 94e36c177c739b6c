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

"""What a search finds: points between what is lost and what it costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from vla_accel_ros.acceleration import Method

FASTEST, CLOSEST = RULES = ('fastest-within', 'closest-within')


@dataclass(frozen=True)
class Score:
    """How one setting did.

    Attributes:
        loss: How much worse than the unaccelerated policy, in the target's unit; below 0 where
            it was better.
        cost: What it took, in the target's unit; above 0.
        stopped: Whether it was given up early as hopeless; then both are of what was run.
        facts: More about it, as plain values.
    """

    loss: float
    cost: float
    stopped: bool = False
    facts: Mapping[str, object] = field(default_factory=dict)

    def to_dict(self) -> dict:
        """Return it as plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Point:
    """One setting and its score.

    Attributes:
        method: The setting; its name tells it from all others of a search.
        space: Name of what was searched.
        values: The parameters that were searched, with what they were set to.
        score: How it did.
    """

    method: Method
    space: str
    values: Mapping[str, object]
    score: Score

    @property
    def name(self) -> str:
        """What it is called."""
        return self.method.name

    def to_dict(self) -> dict:
        """Return it as plain values."""
        return {
            'name': self.name,
            'space': self.space,
            'values': dict(self.values),
            **self.score.to_dict(),
        }


def front(points: Iterable[Point]) -> list[Point]:
    """Return the points that no other one beats in loss and in cost, the cheapest first.

    Those that were given up early are none.
    """
    found: list[Point] = []
    whole = [point for point in points if not point.score.stopped]
    for point in sorted(whole, key=lambda p: (p.score.cost, p.score.loss)):
        if not found or point.score.loss < found[-1].score.loss:
            found.append(point)
    return found


def in_order(points: Sequence[Point], rule: str, bound: float) -> list[Point]:
    """Return the points that a rule admits, the best of them first.

    Args:
        points: Of a front.
        rule: `fastest-within`: the cheapest first of those that lose at most `bound`.
            `closest-within`: the least loss first of those that cost at most `bound`.
        bound: See the rule.

    Raises:
        ValueError: When the rule is unknown.
    """
    if rule not in RULES:
        raise ValueError(f"--choose is '{rule}', expected one of {', '.join(RULES)}")
    if rule == FASTEST:
        admitted = [point for point in points if point.score.loss <= bound]
        return sorted(admitted, key=lambda p: (p.score.cost, p.score.loss))
    admitted = [point for point in points if point.score.cost <= bound]
    return sorted(admitted, key=lambda p: (p.score.loss, p.score.cost))
