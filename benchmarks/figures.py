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

"""What was measured, in the same form everywhere: rows of percentiles, with the bars to clear."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import numpy as np


@dataclass(frozen=True)
class Row:
    """One distribution.

    Attributes:
        what: What was measured.
        unit: Of all values: 'ms' or 'us'.
        count: Samples, warm-up apart.
        p50: Median.
        p95: 95th percentile.
        p99: 99th percentile.
        largest: Largest sample.
        bars: Largest value that each named percentile may have; empty where there is no bar.
    """

    what: str
    unit: str
    count: int
    p50: float
    p95: float
    p99: float
    largest: float
    bars: dict[str, float] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether every bar is cleared."""
        return all(getattr(self, name) <= bar for name, bar in self.bars.items())


@dataclass(frozen=True)
class Report:
    """What one benchmark found.

    Attributes:
        name: The benchmark's module.
        command: What repeats it.
        rows: What was measured.
        settings: What the benchmark set, by name.
        facts: What else was counted, by name; no bar is on these.
    """

    name: str
    command: str
    rows: tuple[Row, ...]
    settings: dict[str, object] = field(default_factory=dict)
    facts: dict[str, object] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether every row clears its bars."""
        return all(row.holds for row in self.rows)

    def to_dict(self) -> dict[str, object]:
        """Return everything as plain values, for JSON."""
        rows = [{**asdict(row), 'holds': row.holds if row.bars else None} for row in self.rows]
        return {**asdict(self), 'rows': rows, 'holds': self.holds}


def summarise(
    what: str, unit: str, samples: Sequence[float], bars: dict[str, float] | None = None
) -> Row:
    """Summarise samples.

    Args:
        what: What they are.
        unit: 'ms' or 'us'.
        samples: At least one.
        bars: As in `Row`.

    Raises:
        ValueError: When there is no sample, which would pass every bar.
    """
    if len(samples) == 0:
        raise ValueError(f'{what}: not one sample')
    p50, p95, p99, largest = (
        round(float(value), 4) for value in np.percentile(samples, [50, 95, 99, 100])
    )
    return Row(what, unit, len(samples), p50, p95, p99, largest, bars or {})


def to_markdown(report: dict[str, object]) -> str:
    """Return a heading, a table of the rows, and what was set and counted.

    Args:
        report: As `Report.to_dict` gives it.
    """
    lines = [
        f'## {report["name"]}',
        '',
        f'`{report["command"]}`',
        '',
        '| what | unit | n | p50 | p95 | p99 | max | bar | |',
        '|---|---|---|---|---|---|---|---|---|',
    ]
    for row in report['rows']:
        values = ' | '.join(f'{row[name]:.2f}' for name in ('p50', 'p95', 'p99', 'largest'))
        bar = ', '.join(f'{name} ≤ {limit:g}' for name, limit in row['bars'].items())
        verdict = {None: '', True: 'holds', False: '**missed**'}[row['holds']]
        lines.append(
            f'| {row["what"]} | {row["unit"]} | {row["count"]} | {values} | {bar} | {verdict} |'
        )
    lines += ['', f'Set: {_listed(report["settings"])}.', '']
    for name, value in report['facts'].items():
        lines.append(f'- {name}: {_listed(value) if isinstance(value, dict) else value}')
    return '\n'.join(lines) + '\n'


def _listed(values: dict[str, object]) -> str:
    return '; '.join(
        f'{name} ({_listed(value)})' if isinstance(value, dict) else f'{name} {value}'
        for name, value in values.items()
    )
