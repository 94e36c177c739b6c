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

"""The scatter of quality against cost, with intervals, bounds and the best trade-offs."""

from __future__ import annotations

import math
from typing import NamedTuple

from vla_accel_ros.report import labels, palette
from vla_accel_ros.report.data import Bound, Estimate, Measure, MethodRow, Report
from vla_accel_ros.report.plotting import plain, small, values_of
from vla_accel_ros.report.wording import heading, in_full, limit


class Point(NamedTuple):
    """A method in the scatter: its place in the report, its row, its cost and quality."""

    index: int
    row: MethodRow
    x: Estimate
    y: Estimate


def pareto(report: Report) -> dict | None:
    """Return the scatter of quality against cost with intervals, None without a point."""
    import plotly.graph_objects as go

    quality, cost = report.measure(report.quality), report.measure(report.cost)
    points = [
        Point(index, row, row.values[cost.key], row.values[quality.key])
        for index, row in enumerate(report.methods)
        if _is_known(row.values.get(cost.key)) and _is_known(row.values.get(quality.key))
    ]
    if not points:
        return None
    figure = go.Figure()
    front = _front(points, quality)
    figure.add_scatter(
        x=[point.x.value for point in front],
        y=[point.y.value for point in front],
        mode='lines',
        line={'dash': 'dot', 'width': 1.5, 'color': palette.OTHER},
        hoverinfo='skip',
    )
    reference = next(row for row in report.methods if row.name == report.reference)
    spent = reference.values.get(cost.key)
    # Room on the right for the names.
    x_range = (0.0, 1.18 * max(_end(x) for x in [*(p.x for p in points), spent] if _is_known(x)))
    y_range = _range_of([point.y for point in points], report.bounds, quality)
    places = labels.place(
        [(point.x.value, point.y.value) for point in points],
        [point.row.name for point in points],
        x_range,
        y_range,
    )
    for point, place in zip(points, places, strict=True):
        _draw(figure, point, place, report, quality, cost)
    for bound in report.bounds:
        if bound.measure == quality.key:
            _draw_bound(figure, bound, quality)
    if _is_known(spent) and not _is_known(reference.values.get(quality.key)):
        figure.add_vline(
            x=spent.value,
            line={'width': 1.5, 'dash': 'dash', 'color': palette.OTHER},
            annotation={'text': plain(reference.name), 'font': {'size': 12}},
            annotation_position='top left',
        )
    figure.update_layout(
        margin={'l': 10, 'r': 10, 't': 26, 'b': 10},
        hovermode='closest',
        height=400,
        showlegend=False,
    )
    figure.update_xaxes(title=_title(cost), range=x_range)
    figure.update_yaxes(title=_title(quality), range=y_range)
    return values_of(figure)


def _draw(
    figure, point: Point, place: str | None, report: Report, quality: Measure, cost: Measure
) -> None:
    name = point.row.name
    figure.add_scatter(
        x=[point.x.value],
        y=[point.y.value],
        error_x=_bars(point.x),
        error_y=_bars(point.y),
        mode='markers+text' if place else 'markers',
        text=[plain(name)],
        textposition=place,
        name=plain(name),
        cliponaxis=False,
        marker={
            'size': 11,
            'color': palette.of_method(point.index),
            'symbol': 'diamond' if name == report.reference else 'circle',
        },
        hovertemplate=plain(
            f'{name}\n{quality.title}: {in_full(quality, point.y)}\n'
            f'{cost.title}: {in_full(cost, point.x)}'
        )
        + '<extra></extra>',
    )


def _draw_bound(figure, bound: Bound, quality: Measure) -> None:
    figure.add_hline(
        y=bound.limit,
        line={'width': 1.5, 'dash': 'dash', 'color': '#c94f4f'},
        annotation={'text': plain(limit(bound, quality)), 'font': {'size': 12}},
        annotation_position='top right',
    )


def _bars(estimate: Estimate) -> dict:
    if estimate.low is None:
        return {'visible': False}
    return {
        'type': 'data',
        'symmetric': False,
        'array': [estimate.high - estimate.value],
        'arrayminus': [estimate.value - estimate.low],
        'thickness': 1.2,
        'width': 4,
    }


def _front(points: list[Point], quality: Measure) -> list[Point]:
    """Return the points that no other beats in both, the cheapest first."""
    sign = -1 if quality.better == 'higher' else 1
    front: list[Point] = []
    for point in sorted(points, key=lambda p: (p.x.value, sign * p.y.value)):
        if not front or sign * point.y.value < sign * front[-1].y.value:
            front.append(point)
    return front


def _is_known(estimate: Estimate | None) -> bool:
    return estimate is not None and math.isfinite(estimate.value)


def _end(estimate: Estimate) -> float:
    return estimate.value if estimate.high is None else max(estimate.value, estimate.high)


def _range_of(
    values: list[Estimate], bounds: tuple[Bound, ...], quality: Measure
) -> tuple[float, float]:
    """Return the range that holds all intervals and the bound, with a margin."""
    ends = [
        end for value in values for end in (value.value, value.low, value.high) if end is not None
    ]
    ends += [bound.limit for bound in bounds if bound.measure == quality.key]
    margin = 0.08 * (max(ends) - min(ends)) or 1.0
    return min(ends) - margin, max(ends) + margin


def _title(measure: Measure) -> dict:
    wish = {'lower': ' (less is better)', 'higher': ' (more is better)', '': ''}
    return small(plain(heading(measure) + wish[measure.better]))
