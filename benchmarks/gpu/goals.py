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

"""What the engines are to reach on an H200, held against what was measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.gpu.plan import ARMS, COMPILE, PLAIN

Row = Mapping[str, Any]
# Rows of each part, by the part's name.
Rows = Mapping[str, Sequence[Row]]


@dataclass(frozen=True)
class Goal:
    """A goal, and the best that was measured.

    Attributes:
        what: What is to be reached.
        bound: The bound itself.
        least: Whether it is the least value, or the largest one.
        value: What was measured; None where it was not.
        by: Engine and method of that value.
    """

    what: str
    bound: float
    least: bool
    value: float | None
    by: str

    @property
    def holds(self) -> bool | None:
        """Whether it is reached; None where nothing was measured."""
        if self.value is None:
            return None
        return self.value >= self.bound if self.least else self.value <= self.bound

    def plain(self) -> dict[str, Any]:
        """Give it as plain values."""
        return {**asdict(self), 'holds': self.holds}


def goals(rows: Rows) -> list[Goal]:
    """Hold what was measured against the goals."""

    def best(part: str, chosen: Callable[[Row], bool]) -> Row | None:
        parts = (part, COMPILE) if part == 'exact' else (part,)
        found = [row for name in parts for row in rows.get(name, ()) if chosen(row)]
        return min(found, key=lambda row: row['total_ms_p50'], default=None)

    def at_most(what: str, bound: float, row: Row | None) -> Goal:
        value = None if row is None else row['total_ms_p50']
        return Goal(what, bound, False, value, _by(row))

    exact = best('exact', lambda row: row['method'] == 'none' and row['decoder'] == 'greedy')
    plain = best('exact', lambda row: row['method'] == PLAIN)
    drafted = best('exact', lambda row: row['method'] == 'none' and row['decoder'] == 'verify')
    full = best('slots', lambda row: row['method'] == 'none')
    quarter = best('slots', lambda row: row['keep'] == 0.25)
    by_arms = {row['arms']: row['ms_p95'] for row in rows.get(ARMS, ()) if row['way'] == 'one'}
    shared = by_arms[8] / by_arms[1] if {1, 8} <= set(by_arms) else None
    gain = None
    if plain is not None and exact is not None:
        gain = plain['total_ms_p50'] / exact['total_ms_p50']
    return [
        at_most('OpenVLA-7B, exact and greedy: ms', 31, exact),
        Goal('the same: times faster than transformers', 6, True, gain, _by(exact)),
        at_most('OpenVLA-7B, every draft right: ms', 12, drafted),
        at_most('OpenVLA-7B-OFT, two images: ms', 16, full),
        at_most('OpenVLA-7B-OFT, two images, 25 % kept: ms', 9, quarter),
        Goal('OpenVLA-7B, eight arms: p95 over that of one', 1.5, False, shared, 'eager'),
    ]


def _by(row: Row | None) -> str:
    return '' if row is None else f'{row["engine"]}, {row["method"]}'


def to_markdown(found: Sequence[Goal]) -> str:
    """Write the goals as a table."""
    lines = ['| goal | bound | measured | by | reached |', '|---|---|---|---|---|']
    for goal in found:
        value = '-' if goal.value is None else f'{goal.value:.1f}'
        reached = {None: 'not measured', True: 'yes', False: 'no'}[goal.holds]
        bound = f'{"≥" if goal.least else "≤"} {goal.bound:g}'
        lines.append(f'| {goal.what} | {bound} | {value} | {goal.by} | {reached} |')
    return '\n'.join(lines) + '\n'
