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

"""Bars: who took the steps, and what the calls of the model took."""

from __future__ import annotations

import numpy as np

from vla_accel_ros.report import palette
from vla_accel_ros.report.data import MethodRow, Report
from vla_accel_ros.report.plotting import plain, small, values_of
from vla_accel_ros.report.wording import number

_BINS = 60


def shares(report: Report) -> dict | None:
    """Return bars of who took the steps, None where no method has them."""
    import plotly.graph_objects as go

    rows = [row for row in report.methods if row.decisions]
    if not rows:
        return None
    figure = go.Figure()
    for kind in kinds_of([kind for row in rows for kind in row.decisions]):
        percent = [100 * row.decisions.get(kind, 0.0) for row in rows]
        figure.add_bar(
            y=[plain(row.name) for row in rows],
            x=percent,
            orientation='h',
            name=plain(kind),
            marker={'color': palette.KINDS.get(kind, palette.OTHER)},
            text=[f'{value:.0f} %' if value >= 6 else '' for value in percent],
            textposition='inside',
            insidetextanchor='middle',
            textfont={'color': '#ffffff'},
            hovertemplate='%{y}: %{x:.1f} % ' + plain(kind) + '<extra></extra>',
        )
    figure.update_layout(
        barmode='stack',
        height=90 + 34 * len(rows),
        bargap=0.3,
        margin={'l': 10, 'r': 20, 't': 34, 'b': 10},
        legend={'orientation': 'h', 'x': 0, 'y': 1, 'yanchor': 'bottom', 'traceorder': 'normal'},
    )
    figure.update_xaxes(title=small('share of the steps, %'), range=[0, 100])
    figure.update_yaxes(autorange='reversed', showgrid=False)
    return values_of(figure)


def latencies(report: Report) -> dict | None:
    """Return a histogram a method of what its calls took, None where none was timed."""
    from plotly.subplots import make_subplots

    rows = [
        (index, row, np.asarray(row.latencies_ms, float))
        for index, row in enumerate(report.methods)
        if len(row.latencies_ms)
    ]
    if not rows:
        return None
    everything = np.concatenate([values for _, _, values in rows])
    # A few calls that took very long must not press all the others into one bar.
    last = float(np.percentile(everything, 99.5)) * 1.05
    edges = np.linspace(min(0.0, float(everything.min())), max(last, 1e-6), _BINS + 1)
    figure = make_subplots(
        rows=len(rows),
        cols=1,
        shared_xaxes=True,
        vertical_spacing=0.42 / max(2, len(rows)),
        subplot_titles=[_latency_title(row, values, last) for _, row, values in rows],
    )
    for place, (index, row, values) in enumerate(rows, 1):
        counts, _ = np.histogram(np.minimum(values, edges[-1]), edges)
        figure.add_bar(
            x=(edges[:-1] + edges[1:]) / 2,
            y=counts,
            width=np.diff(edges),
            row=place,
            col=1,
            marker={'color': palette.of_method(index), 'line': {'width': 0}},
            name=plain(row.name),
            hovertemplate='%{x:.1f} ms: %{y} calls<extra></extra>',
        )
        for percentile, dash in ((50, 'solid'), (95, 'dash')):
            figure.add_vline(
                x=float(np.percentile(values, percentile)),
                row=place,
                col=1,
                line={'width': 1.5, 'dash': dash, 'color': palette.OTHER},
            )
    figure.update_annotations(x=0, xanchor='left', font={'size': 13})
    figure.update_layout(
        height=90 + 112 * len(rows),
        showlegend=False,
        bargap=0,
        margin={'l': 50, 'r': 10, 't': 46, 'b': 48},
    )
    figure.update_yaxes(title='', nticks=3, automargin=False)
    figure.update_xaxes(automargin=False)
    figure.update_xaxes(title=small('a call of the model, ms'), row=len(rows), col=1)
    return values_of(figure)


def kinds_of(found) -> list[str]:
    """Return kinds of decision without repetition, those known first, in their usual order."""
    known = [kind for kind in palette.KINDS if kind in found]
    return known + sorted(set(found) - set(known))


def _latency_title(row: MethodRow, values: np.ndarray, last: float) -> str:
    p50, p95, p99 = np.percentile(values, (50, 95, 99))
    over = int((values > last).sum())
    beyond = f', {over} longer in the last bar' if over else ''
    return (
        f'<b>{plain(row.name)}</b><br>p50 {number(p50)}, p95 {number(p95)}, p99 {number(p99)} '
        f'ms, {len(values)} calls{beyond}'
    )
