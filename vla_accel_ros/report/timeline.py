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

"""The timeline: its empty chart, which the page fills, and what it fills it with."""

from __future__ import annotations

import base64
import math

from vla_accel_ros.report import masks, palette
from vla_accel_ros.report.charts import kinds_of
from vla_accel_ros.report.data import Report
from vla_accel_ros.report.moments import ShownTrace
from vla_accel_ros.report.plotting import small, values_of
from vla_accel_ros.report.verdict import judge

# Field of `Step`, heading of its row, how it is drawn, share of the height.
_ROWS = (
    ('error', 'error, {units.error}', 'lines', 1.0),
    ('speed', 'speed, {units.speed}', 'lines', 1.0),
    ('kind', 'decision', 'markers', 1.15),
    ('keep_ratio', 'kept, %', 'markers', 0.8),
    ('latency_ms', 'call, ms', 'markers', 1.0),
)


def moments(report: Report) -> dict:
    """Return all that the page can show under the cursor, as plain values for JSON."""
    return {
        'cameras': [
            {'name': c.name, 'rows': c.rows, 'columns': c.columns} for c in report.cameras
        ],
        'methods': [row.name for row in report.methods],
        'kinds': {kind: palette.KINDS.get(kind, palette.OTHER) for kind in _kinds(report)},
        'reference': report.reference,
        # What is shown first: the setting that stands best.
        'best': [
            v.method.name
            for v in sorted(judge(report), key=lambda v: v.method.name == report.reference)
        ],
        'rows': [row[0] for row in _rows(report)],
        'units': {'error': report.units.error, 'speed': report.units.speed},
        'pictures': [[_text(jpeg) for jpeg in views] for views in report.pictures],
        'episodes': [
            {
                'name': episode.name,
                'instruction': episode.instruction,
                'traces': {name: _trace(report, trace) for name, trace in episode.traces.items()},
            }
            for episode in report.episodes
        ],
        'clips': [{'pictures': clip.pictures, 'fps': clip.fps} for clip in report.clips],
    }


def chart(report: Report) -> dict | None:
    """Return the empty chart: a trace a row, and the reference's behind the lines."""
    from plotly.subplots import make_subplots

    rows = _rows(report)
    if not rows:
        return None
    heights = [row[3] for row in rows]
    figure = make_subplots(
        rows=len(rows),
        cols=1,
        shared_xaxes=True,
        vertical_spacing=0.03,
        row_heights=[height / sum(heights) for height in heights],
    )
    for place, (field, _, mode, _) in enumerate(rows, 1):
        if mode == 'lines':
            figure.add_scatter(
                x=[],
                y=[],
                mode=mode,
                hoverinfo='none',
                row=place,
                col=1,
                name='reference',
                line={'width': 1.2, 'dash': 'dot', 'color': palette.OTHER},
            )
        figure.add_scatter(
            x=[],
            y=[],
            mode=mode,
            hoverinfo='none',
            row=place,
            col=1,
            name=field,
            line={'width': 1.5},
            marker={'size': 6, 'symbol': ('square' if field == 'kind' else 'circle')},
        )
    for place, (field, title, _, _) in enumerate(rows, 1):
        figure.update_yaxes(
            title={'text': title.format(units=report.units), 'standoff': 4, 'font': {'size': 12}},
            nticks=4,
            row=place,
            col=1,
        )
        if field == 'kind':
            kinds = _kinds(report)
            figure.update_yaxes(
                type='category',
                categoryorder='array',
                categoryarray=kinds,
                range=[len(kinds) - 0.5, -0.5],
                title='',
                row=place,
                col=1,
            )
        elif field == 'keep_ratio':
            figure.update_yaxes(range=[0, 105], row=place, col=1)
        else:
            figure.update_yaxes(rangemode='tozero', row=place, col=1)
    # Where everything fits, Plotly need not measure it and draw again.
    figure.update_yaxes(automargin=False, tickfont={'size': 12})
    figure.update_xaxes(automargin=False)
    figure.update_xaxes(title=small('time in the episode, s'), row=len(rows), col=1)
    figure.update_layout(
        height=78 * len(rows) + 70,
        hovermode='x',
        hoverdistance=-1,
        showlegend=False,
        margin={'l': 92, 'r': 10, 't': 10, 'b': 48},
        dragmode='zoom',
        shapes=[
            {
                'type': 'line',
                'xref': 'x',
                'yref': 'paper',
                'x0': 0,
                'x1': 0,
                'y0': 0,
                'y1': 1,
                'line': {'width': 1.5, 'color': '#d33f49'},
            }
        ],
    )
    return values_of(figure)


def _rows(report: Report) -> list[tuple[str, str, str, float]]:
    """Return the rows that something is known for."""
    steps = [s for e in report.episodes for trace in e.traces.values() for s in trace.steps]
    return [row for row in _ROWS if any(_finite(getattr(step, row[0])) for step in steps)]


def _kinds(report: Report) -> list[str]:
    return kinds_of(
        {
            step.kind
            for episode in report.episodes
            for trace in episode.traces.values()
            for step in trace.steps
        }
    )


def _trace(report: Report, trace: ShownTrace) -> dict:
    steps = trace.steps
    return {
        'outcome': trace.outcome,
        'picture': trace.pictures,
        'time': [_round(step.time_s, 3) for step in steps],
        'kind': [step.kind for step in steps],
        'reason': [step.reason for step in steps],
        'speed': [_round(step.speed, 4) for step in steps],
        'keep_ratio': [
            None if step.keep_ratio is None else _round(100 * step.keep_ratio, 1) for step in steps
        ],
        'latency_ms': [_round(step.latency_ms, 2) for step in steps],
        'error': [_round(step.error, 4) for step in steps],
        'kept': [
            [_text(bits) for bits in masks.pack(step.kept, report.cameras)] for step in steps
        ],
    }


def _round(value: float | None, digits: int) -> float | None:
    return round(float(value), digits) if _finite(value) else None


def _finite(value: object) -> bool:
    return value is not None and (isinstance(value, str) or math.isfinite(value))


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode('ascii')
