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

"""The comparison for people, on a terminal or as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vla_accel_ros.models.stopwatch import STAGES
from vla_accel_ros.report.text import FASTER, against, columns

Report = Mapping[str, Any]
BARS = 'Bars'
PLANNER = 'Planner: projector, layers and choice, ms, by tokens kept; up to how many a drop pays'
# Columns on the left of a table that stay when it is folded.
KEPT = {BARS: 1, PLANNER: 2}
HEAD = (
    'engine',
    'method',
    'decoder',
    'kept',
    'selection',
    'prefill',
    'decode',
    'total',
    'p95',
    'p99',
    'floor',
    'passes',
    'prefill against none',
    'selection / saved',
    'total against none',
    'total against eager none',
    'as it must be',
    'as eager',
)


def _number(value: float | None, pattern: str) -> str:
    return '-' if value is None else format(value, pattern)


def _ms(value: float) -> str:
    """Write milliseconds with three digits, or all before the point."""
    return f'{value:.0f}' if value >= 100 else f'{value:.1f}' if value >= 10 else f'{value:.2f}'


def _summary(row: Mapping) -> list[str]:
    stages = row['stages_ms']
    same, alike = (
        '' if row[name] is None else f'{row[name]}/{row["rounds"]}'
        for name in ('same', 'as_eager')
    )
    return [
        row['engine'],
        row['method'],
        row['decoding'],
        f'{row["kept"]:.0f}',
        *(_ms(stages[stage]['p50']) for stage in ('selection', 'prefill', 'decode')),
        *(_ms(row[f'total_ms_{p}']) for p in ('p50', 'p95', 'p99')),
        _ms(row['floor_ms']['total']),
        f'{row["passes"]:.1f}',
        against(row['prefill_gain'], words=FASTER),
        _number(row['selection_share'], '.1%'),
        against(row['total_gain'], words=FASTER),
        against(row['eager_gain'], words=FASTER),
        same,
        alike,
    ]


def _stages(row: Mapping) -> list[str]:
    cells = [row['engine'], row['method'], row['decoding']]
    for stage in STAGES:
        cell = ' / '.join(_ms(row['stages_ms'][stage][p]) for p in ('p50', 'p95', 'p99'))
        floor = row['floor_ms'].get(stage)
        cells.append(cell if floor is None else f'{cell} ({_ms(floor)})')
    return cells


def tables(report: Report, held: bool = False) -> list[tuple[str, list[list[str]]]]:
    """Give each table's heading and rows, the first row being the columns' names.

    Args:
        report: As `report.make` gives it.
        held: Whether the run is held against the bars; otherwise none of them is missed.
    """
    rows = report['rows']
    found = [
        ('Milliseconds, p50 where not said otherwise', [list(HEAD), *map(_summary, rows)]),
        (
            'Stages, ms: p50 / p95 / p99 (floor)',
            [['engine', 'method', 'decoder', *STAGES], *map(_stages, rows)],
        ),
    ]
    if report['planner']:
        found.append((PLANNER, _plans(report['planner'])))
    if report['bars']:
        found.append(
            (
                BARS,
                [['bar', 'bound', 'measured', ''], *(_bar(bar, held) for bar in report['bars'])],
            )
        )
    return found


def _plans(rows: Sequence[Mapping]) -> list[list[str]]:
    """Write the planner's rows; each has the same counts."""
    counts = list(rows[0]['ms'])
    head = ['engine', 'method', 'dropped', 'choice', *counts, 'without', 'pays up to', 'by rates']
    return [
        head,
        *(
            [
                row['engine'],
                row['method'],
                f'after layer {row["layer"]}' if row['layer'] else 'before the decoder',
                _ms(row['choice_ms']),
                *(_ms(row['ms'][count]) for count in counts),
                _ms(row['full_ms']),
                f'{row["pays_up_to"]}',
                # Reports of before it was measured are read, too.
                f'{row.get("pays_up_to_by_rates", "-")}',
            ]
            for row in rows
        ),
    ]


def _bar(bar: Mapping, held: bool) -> list[str]:
    measured = '; '.join(
        f'{name} {_number(value, ".3g")}' for name, value in bar['measured'].items()
    )
    sign = '≥' if bar['least'] else '≤'
    missed = 'MISSED' if held else 'not reached' if measured else ''
    verdict = 'holds' if bar['holds'] else missed
    return [bar['what'], f'{sign} {bar["bound"]:g}', measured or 'not measured', verdict]


def about(report: Report) -> list[str]:
    """Say what was measured, on what and when, in a few lines."""
    model, machine, floor = report['model'], report['machine'], report['floor']
    shares = report['processors']
    return [
        f'{model["name"]} ({model["weights"]}): {model["parameters"] / 1e6:.0f} M parameters, '
        f'{model["layers"]} layers of {model["width"]}, {model["visual_tokens"]} visual tokens of '
        f'{model["views"]} view{"s" * (model["views"] > 1)}, {model["prompt_tokens"]} of prompt, '
        f'{model["answer"]}; {report["dtype"]}, attention {report["attention"]}.',
        f'Seen: {model["scene"]}.',
        f'{machine["gpu"] if report["device"] != "cpu" else machine["processor"]}, '
        f'{machine["cores"]} cores, {report["threads"]} threads, {machine["memory_gib"]} GiB. '
        f'Floor: copies {floor["copy_gb_s"]:.1f} GB/s ({floor["copied_mb"]:.0f} MB touched), '
        f'matrix products {floor["matrix_gflop_s"]:.0f} GFLOP/s, one operation after the other '
        f'{floor["launch_us"]:.1f} us, measured in the same run.',
        'Engines: '
        + ', '.join(
            f'{each["engine"]} ({each["precision"]}, {each["memory_mib"]} MiB)'
            for each in report['engines']
        )
        + '.',
        f'{report["rounds"]} rounds after {report["warm_up"]} of warm-up, seed {report["seed"]}; '
        f'others used {shares["others"]:.0%} of the processors meanwhile.',
        f'{report["date"]}, `{report["command"]}`; '
        + ', '.join(f'{name} {number}' for name, number in report['versions'].items())
        + '.',
        *report['notes'],
        *(f'Left out: {name}: {why}' for name, why in report.get('left_out', {}).items()),
        *([] if report['complete'] else ['Interrupted: the figures are of fewer rounds.']),
    ]


def to_text(report: Report, held: bool = False) -> str:
    """Write the report for a terminal; see `tables`."""
    parts = [
        f'{heading}\n{columns(rows, kept=KEPT.get(heading, 3))}'
        for heading, rows in tables(report, held)
    ]
    return '\n\n'.join(['\n'.join(about(report)), *parts])


def markdown(rows: Sequence[Sequence[str]]) -> list[str]:
    """Write a table, whose first row names the columns, as lines of Markdown."""
    head, *others = ('| ' + ' | '.join(row) + ' |' for row in rows)
    return [head, '|---' * len(rows[0]) + '|', *others]


def to_markdown(report: Report, held: bool = False) -> str:
    """Write the report as Markdown; see `tables`."""
    parts = [f'# vla-accel bench, {report["model"]["name"]}, {report["device"]}', '']
    for text in about(report):
        parts += [text, '']
    for heading, rows in tables(report, held):
        parts += [f'## {heading}', '', *markdown(rows), '']
    return '\n'.join(parts)
