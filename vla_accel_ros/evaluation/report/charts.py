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

"""The charts that stand still: quality against cost, shares of decisions, latencies."""

from __future__ import annotations

import json

import numpy as np

from vla_accel_ros.evaluation.report import palette
from vla_accel_ros.evaluation.report.data import Bound, Estimate, Measure, MethodRow, Report
from vla_accel_ros.evaluation.report.wording import heading, in_full, limit, number

_BINS = 60


def pareto(report: Report) -> dict | None:
    """Return the scatter of quality against cost with intervals, None without a point."""
    import plotly.graph_objects as go

    quality, cost = report.measure(report.quality), report.measure(report.cost)
    points = [
        (index, row, row.values[cost.key], row.values[quality.key])
        for index, row in enumerate(report.methods)
        if row.values.get(cost.key) and row.values.get(quality.key)]
    if not points:
        return None
    figure = go.Figure()
    front = _front([(x.value, y.value) for _, _, x, y in points], quality)
    figure.add_scatter(
        x=[points[i][2].value for i in front], y=[points[i][3].value for i in front],
        mode='lines', line={'dash': 'dot', 'width': 1.5, 'color': palette.OTHER},
        hoverinfo='skip')
    by_cost = sorted(points, key=lambda point: point[2].value)
    for place, (index, row, x, y) in enumerate(by_cost):
        figure.add_scatter(
            x=[x.value], y=[y.value], error_x=_bars(x), error_y=_bars(y), mode='markers+text',
            text=[_plain(row.name)], name=_plain(row.name), cliponaxis=False,
            textposition='top right' if place % 2 else 'bottom right',
            marker={'size': 11, 'color': palette.of_method(index), 'symbol': (
                'diamond' if row.name == report.reference else 'circle')},
            hovertemplate=_plain(
                f'{row.name}\n{quality.title}: {in_full(quality, y)}\n'
                f'{cost.title}: {in_full(cost, x)}') + '<extra></extra>')
    for bound in report.bounds:
        if bound.measure == quality.key:
            _draw_bound(figure, bound, quality)
    reference = next(row for row in report.methods if row.name == report.reference)
    spent = reference.values.get(cost.key)
    if spent and not reference.values.get(quality.key):
        figure.add_vline(
            x=spent.value, line={'width': 1.5, 'dash': 'dash', 'color': palette.OTHER},
            annotation={'text': _plain(reference.name), 'font': {'size': 12}},
            annotation_position='top left')
    figure.update_layout(
        margin={'l': 10, 'r': 10, 't': 26, 'b': 10}, hovermode='closest', height=400,
        showlegend=False)
    # Room on the right for the names.
    spending = [*(x for _, _, x, _ in points), *([spent] if spent else [])]
    furthest = max(x.high if x.high is not None else x.value for x in spending)
    figure.update_xaxes(title=_title(cost), range=[0, 1.18 * furthest])
    figure.update_yaxes(title=_title(quality))
    return _plain_values(figure)


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
            y=[_plain(row.name) for row in rows], x=percent, orientation='h', name=_plain(kind),
            marker={'color': palette.KINDS.get(kind, palette.OTHER)},
            text=[f'{value:.0f} %' if value >= 6 else '' for value in percent],
            textposition='inside', insidetextanchor='middle', textfont={'color': '#ffffff'},
            hovertemplate='%{y}: %{x:.1f} % ' + _plain(kind) + '<extra></extra>')
    figure.update_layout(
        barmode='stack', height=90 + 34 * len(rows), bargap=0.3,
        margin={'l': 10, 'r': 10, 't': 34, 'b': 10},
        legend={'orientation': 'h', 'x': 0, 'y': 1, 'yanchor': 'bottom', 'traceorder': 'normal'})
    figure.update_xaxes(title=_small('share of the steps, %'), range=[0, 100])
    figure.update_yaxes(autorange='reversed', showgrid=False)
    return _plain_values(figure)


def latencies(report: Report) -> dict | None:
    """Return a histogram a method of what its calls took, None where none was timed."""
    from plotly.subplots import make_subplots

    rows = [(index, row, np.asarray(row.latencies_ms, float)) for index, row in
            enumerate(report.methods) if len(row.latencies_ms)]
    if not rows:
        return None
    everything = np.concatenate([values for _, _, values in rows])
    # A few calls that took very long must not press all the others into one bar.
    last = float(np.percentile(everything, 99.5)) * 1.05
    edges = np.linspace(min(0.0, float(everything.min())), max(last, 1e-6), _BINS + 1)
    figure = make_subplots(
        rows=len(rows), cols=1, shared_xaxes=True, vertical_spacing=0.3 / max(2, len(rows)),
        subplot_titles=[_latency_title(row, values, last) for _, row, values in rows])
    for place, (index, row, values) in enumerate(rows, 1):
        counts, _ = np.histogram(np.minimum(values, edges[-1]), edges)
        figure.add_bar(
            x=(edges[:-1] + edges[1:]) / 2, y=counts, width=np.diff(edges), row=place, col=1,
            marker={'color': palette.of_method(index), 'line': {'width': 0}},
            name=_plain(row.name), hovertemplate='%{x:.1f} ms: %{y} calls<extra></extra>')
        for percentile, dash in ((50, 'solid'), (95, 'dash')):
            figure.add_vline(
                x=float(np.percentile(values, percentile)), row=place, col=1,
                line={'width': 1.5, 'dash': dash, 'color': palette.OTHER})
    figure.update_annotations(x=0, xanchor='left', font={'size': 13})
    figure.update_layout(height=90 + 96 * len(rows), showlegend=False, bargap=0,
                         margin={'l': 50, 'r': 10, 't': 30, 'b': 48})
    figure.update_yaxes(title='', nticks=3, automargin=False)
    figure.update_xaxes(automargin=False)
    figure.update_xaxes(title=_small('a call of the model, ms'), row=len(rows), col=1)
    return _plain_values(figure)


def kinds_of(found) -> list[str]:
    """Return kinds of decision without repetition, those known first, in their usual order."""
    known = [kind for kind in palette.KINDS if kind in found]
    return known + sorted(set(found) - set(known))


def _plain(text: str) -> str:
    """Escape what Plotly would take for markup: it reads a small part of HTML."""
    for mark, entity in (('&', '&amp;'), ('<', '&lt;'), ('>', '&gt;'), ('%{', '%&#123;')):
        text = text.replace(mark, entity)
    return text.replace('\n', '<br>')


def _title(measure: Measure) -> dict:
    wish = {'lower': ' (less is better)', 'higher': ' (more is better)', '': ''}
    return _small(_plain(heading(measure) + wish[measure.better]))


def _small(text: str) -> dict:
    return {'text': text, 'font': {'size': 13}}


def _bars(estimate: Estimate) -> dict:
    if estimate.low is None:
        return {'visible': False}
    return {
        'type': 'data', 'symmetric': False, 'array': [estimate.high - estimate.value],
        'arrayminus': [estimate.value - estimate.low], 'thickness': 1.2, 'width': 4}


def _front(points: list[tuple[float, float]], quality: Measure) -> list[int]:
    """Return the points that no other beats in both, the cheapest first."""
    sign = -1 if quality.better == 'higher' else 1
    order = sorted(range(len(points)), key=lambda i: (points[i][0], sign * points[i][1]))
    front: list[int] = []
    for index in order:
        if not front or sign * points[index][1] < sign * points[front[-1]][1]:
            front.append(index)
    return front


def _draw_bound(figure, bound: Bound, quality: Measure) -> None:
    figure.add_hline(
        y=bound.limit, line={'width': 1.5, 'dash': 'dash', 'color': '#c94f4f'},
        annotation={'text': _plain(limit(bound, quality)),
            'font': {'size': 12}},
        annotation_position='top right')


def _latency_title(row: MethodRow, values: np.ndarray, last: float) -> str:
    p50, p95, p99 = np.percentile(values, (50, 95, 99))
    over = int((values > last).sum())
    beyond = f', {over} longer in the last bar' if over else ''
    return (f'<b>{_plain(row.name)}</b>  p50 {number(p50)}, p95 {number(p95)}, p99 {number(p99)} '
            f'ms, {len(values)} calls{beyond}')


def _plain_values(figure) -> dict:
    # The template is the page's business: it changes with the theme.
    figure.layout.template = None
    return json.loads(figure.to_json())
