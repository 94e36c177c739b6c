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

"""Writing the page: one file, whole or not at all, that asks the network for nothing."""

from __future__ import annotations

import base64
from collections.abc import Iterable
import hashlib
from itertools import groupby
import json
import math
from pathlib import Path

from vla_accel_ros.files.own_outputs import write_whole
from vla_accel_ros.report import charts, palette, scatter, timeline, wording
from vla_accel_ros.report.data import Measure, Report
from vla_accel_ros.report.verdict import WORDS, headline, judge

_TEMPLATES = Path(__file__).resolve().parent / 'templates'
_SCRIPTS = ('theme.js', 'table.js', 'charts.js', 'moments.js', 'viewer.js', 'clips.js')


def write(report: Report, path: Path) -> Path:
    """Write the page.

    Args:
        report: What to show.
        path: Of the page, such as `out/report.html`; its folder is made.

    Returns:
        The path.
    """
    write_whole(path, render(report))
    return path


def render(report: Report) -> str:
    """Return the page as text."""
    import jinja2
    from plotly.offline import get_plotlyjs

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update(
        interval=wording.interval,
        number=wording.number,
        limit=wording.limit,
        times=wording.times,
        words=WORDS.__getitem__,
        finite=math.isfinite,
    )
    scripts = [
        get_plotlyjs(),
        '\n'.join((_TEMPLATES / name).read_text(encoding='utf-8') for name in _SCRIPTS),
    ]
    verdicts = judge(report)
    differing, shared = _settings(report)
    figures = {
        'pareto': scatter.pareto(report),
        'shares': charts.shares(report),
        'latency': charts.latencies(report),
        'timeline': timeline.chart(report),
    }
    return environment.get_template('page.html.j2').render(
        report=report,
        verdicts=verdicts,
        headline=headline(report, verdicts),
        tables=_tables(report.measures),
        settings=differing,
        shared=shared,
        figures=figures,
        summary=_tables([m for m in report.measures if m.headline] or report.measures),
        diamond=any(
            row.name == report.reference and row.values.get(report.quality)
            for row in report.methods
        ),
        quality=report.measure(report.quality),
        cost=report.measure(report.cost),
        style=(_TEMPLATES / 'page.css').read_text(encoding='utf-8'),
        scripts=scripts,
        hashes=[_hash(script) for script in scripts],
        data={
            'figures-data': _json(figures),
            'looks-data': _json(palette.templates()),
            'moments-data': _json(timeline.moments(report)),
        },
    )


def _tables(measures: Iterable[Measure]) -> list[tuple[str, list[Measure]]]:
    """Return the measures by group, each group where it comes first."""
    order: dict[str, int] = {}
    for measure in measures:
        order.setdefault(measure.group, len(order))
    ordered = sorted(measures, key=lambda measure: order[measure.group])
    return [(group, list(found)) for group, found in groupby(ordered, lambda m: m.group)]


def _settings(report: Report) -> tuple[dict[str, list], dict[str, object]]:
    """Return the settings that differ, with a value a method, and those that all share."""
    differing, shared = {}, {}
    for name in dict.fromkeys(name for row in report.methods for name in row.settings):
        values = [row.settings.get(name) for row in report.methods]
        if all(value == values[0] for value in values) and len(values) > 1:
            shared[name] = values[0]
        else:
            differing[name] = values
    return differing, shared


def _json(value: object) -> str:
    """Return JSON that can stand in a script element: nothing in it ends one."""
    text = json.dumps(value, separators=(',', ':'), ensure_ascii=True, allow_nan=False)
    for mark in '<>&':
        text = text.replace(mark, f'\\u{ord(mark):04x}')
    return text


def _hash(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
