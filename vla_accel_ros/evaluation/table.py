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

"""The comparison of methods as tables for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from vla_accel_ros.report.text import against, columns

# Heading, and the cell of a summary.
Columns = tuple[tuple[str, Callable[[Mapping], str]], ...]


def _number(key: str, pattern: str, scale: float = 1.0) -> Callable[[Mapping], str]:
    return lambda row: '-' if row[key] is None else format(scale * row[key], pattern)


def _points(row: Mapping) -> str:
    if row['difference'] is None:
        return '-'
    low, high = row['difference_ci']
    return f'{100 * row["difference"]:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})'


def _gain(row: Mapping) -> str:
    return against(row['gain'], row['gain_ci'])


# Shown where an episode goes on after success, and where something denoises.
AT_END, FLOW_STEPS = 'at the end', 'flow steps'
OUTCOME: Columns = (
    ('method', lambda row: row['method']),
    ('success', lambda row: f'{row["successes"]}/{row["episodes"]} = {row["success"]:.1%}'),
    ('95 % interval', lambda row: '{:.1%} to {:.1%}'.format(*row['success_ci'])),
    (AT_END, lambda row: f'{row["successes_at_end"]}/{row["episodes"]}'),
    ('points more than none', _points),
    ('steps', _number('steps_per_success', '.1f')),
    ('calls/step', _number('calls_per_step', '.2f')),
    ('ms/step', _number('model_ms_per_step', '.1f')),
    ('ms/success', _number('model_ms_per_success', '.0f')),
    ('model time vs none', _gain),
)
COST: Columns = (
    ('method', lambda row: row['method']),
    ('ms/call p50', _number('call_ms_p50', '.1f')),
    ('p95', _number('call_ms_p95', '.1f')),
    ('p99', _number('call_ms_p99', '.1f')),
    (
        'tokens kept',
        lambda row: (
            '-'
            if row['keep_ratio'] is None
            else (f'{row["tokens_kept"]:.1f} = {row["keep_ratio"]:.0%}')
        ),
    ),
    ('passes', _number('passes_per_call', '.2f')),
    ('accepted', _number('accepted_per_call', '.2f')),
    (FLOW_STEPS, _number('flow_steps_per_call', '.1f')),
    ('GFLOP/call', _number('gflops_per_call', '.3g')),
    ('/step', _number('gflops_per_step', '.3g')),
    ('path m', _number('path_per_success', '.2f')),
    ('jerk p95 m/s^3', _number('jerk_p95', '.0f')),
    ('seam mm', _number('seam_p95', '.1f', 1e3)),
    ('decisions', lambda row: ', '.join(f'{k} {s:.0%}' for k, s in row['decisions'].items())),
)
# Without a model nothing is said of its time.
_OF_SCHEDULES = (
    'method',
    'success',
    '95 % interval',
    AT_END,
    'points more than none',
    'steps',
    'calls/step',
    'jerk p95 m/s^3',
    'decisions',
)
_SHOWN_IF: Mapping[str, Callable[[Sequence[Mapping]], bool]] = {
    AT_END: lambda rows: any(row['successes_at_end'] != row['successes'] for row in rows),
    FLOW_STEPS: lambda rows: any(row['flow_steps_per_call'] for row in rows),
}
_BY_TITLE = dict((*OUTCOME, *COST))
SCHEDULE: Columns = tuple((title, _BY_TITLE[title]) for title in _OF_SCHEDULES)


def table(wanted: Columns, rows: Sequence[Mapping]) -> str:
    """Return a table, without the columns that say nothing here."""
    shown = [(title, cell) for title, cell in wanted if _SHOWN_IF.get(title, bool)(rows)]
    return columns(
        [[title for title, _ in shown], *([cell(row) for _, cell in shown] for row in rows)]
    )


def render(summaries: Sequence[Mapping]) -> str:
    """Return what came of each method, where there are several kinds of tasks by kind, and cost.

    Steps are those of a successful episode on average; differences are in points of 100.
    """
    parts = [table(OUTCOME, summaries)]
    kinds = sorted({kind for row in summaries for kind in row['by_kind']})
    if len(kinds) > 1:
        parts.append(table((OUTCOME[0], *((kind, _of_kind(kind)) for kind in kinds)), summaries))
    return '\n\n'.join([*parts, table(COST, summaries)])


def _of_kind(kind: str) -> Callable[[Mapping], str]:
    def cell(row: Mapping) -> str:
        own = row['by_kind'].get(kind)
        return (
            '-'
            if own is None
            else (f'{own["successes"]}/{own["episodes"]} = {own["success"]:.0%}')
        )

    return cell
