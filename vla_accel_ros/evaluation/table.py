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

"""The comparison of methods as a table for people."""

from __future__ import annotations

from collections.abc import Sequence

COLUMNS = (
    'method', 'success', '95 % interval', 'steps', 'calls', 'calls/step', 'ms/call p50', 'p95',
    'ms/step', 'ms/success', 'against the first',
)


def _number(value: float | None, pattern: str) -> str:
    return '-' if value is None else format(value, pattern)


def _row(summary: dict, first: dict) -> list[str]:
    low, high = summary['success_ci']
    mine, base = summary['model_ms_per_success'], first['model_ms_per_success']
    gain = f'{base / mine:.2f}x less model time' if mine and base and summary is not first else ''
    return [
        summary['method'],
        f'{summary["successes"]}/{summary["episodes"]} = {summary["success"]:.0%}',
        f'{low:.0%} to {high:.0%}',
        _number(summary['steps_per_success'], '.1f'),
        str(summary['model_calls']),
        _number(summary['calls_per_step'], '.2f'),
        _number(summary['call_ms_p50'], '.1f'),
        _number(summary['call_ms_p95'], '.1f'),
        _number(summary['model_ms_per_step'], '.1f'),
        _number(summary['model_ms_per_success'], '.0f'),
        gain,
    ]


def render(summaries: Sequence[dict]) -> str:
    """Return the table; steps are those of a successful episode on average."""
    rows = [list(COLUMNS), *(_row(summary, summaries[0]) for summary in summaries)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(COLUMNS))]
    lines = ['  '.join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
             for row in rows]
    lines.insert(1, '-' * max(len(line) for line in lines))
    return '\n'.join(lines)
