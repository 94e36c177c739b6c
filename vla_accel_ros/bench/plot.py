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

"""The comparison as a picture: where each line's time goes, and the device's floor."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vla_accel_ros.files.whole_files import replace_whole
from vla_accel_ros.models.stopwatch import STAGES

# What a file says of its maker, by its ending.
ENDINGS = {
    '.png': {'Software': 'vla-accel'},
    '.svg': {'Creator': 'vla-accel'},
    '.pdf': {'Creator': 'vla-accel'},
}
ROW_INCHES, ROOM_INCHES = 0.24, 1.6
# What is pruned, drafted and chosen stands out; what comes before and after is grey.
COLOURS = {
    'preprocess': '0.55',
    'towers': '0.7',
    'projector': '0.85',
    'selection': '#d62728',
    'prefill': '#1f77b4',
    'decode': '#ff9f40',
    'detokenise': '0.4',
}


def draw(report: Mapping[str, Any], file: Path) -> None:
    """Draw medians by stage, one bar a row, and marks at each row's total and floor.

    The median of a total is not the sum of the medians of its stages, so it has a mark of its own.

    Args:
        report: As `report.make` gives it.
        file: Where to, with one of `ENDINGS`.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = report['rows']
    several = len({row['engine'] for row in rows}) > 1
    figure = Figure(figsize=(10, ROOM_INCHES + ROW_INCHES * len(rows)), layout='constrained')
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    places = range(len(rows))
    left = [0.0] * len(rows)
    for stage in STAGES:
        widths = [row['stages_ms'][stage]['p50'] for row in rows]
        axes.barh(places, widths, left=left, color=COLOURS[stage], label=stage, height=0.8)
        left = [start + width for start, width in zip(left, widths, strict=True)]
    totals = [row['total_ms_p50'] for row in rows]
    axes.plot(
        totals,
        places,
        'D',
        color='black',
        markersize=4,
        markerfacecolor='white',
        label='total, p50',
    )
    floors = [row['floor_ms']['total'] for row in rows]
    axes.plot(floors, places, '|', color='black', markersize=9, markeredgewidth=2, label='floor')
    names = [f'{row["engine"]}: {row["name"]}' if several else row['name'] for row in rows]
    axes.set_yticks(places, names, fontsize=7)
    axes.invert_yaxis()
    axes.set_xlabel('milliseconds: p50 of each stage, one behind the other, and p50 of the total')
    model = report['model']
    axes.set_title(
        f'{model["name"]} ({model["weights"]}), {report["dtype"]}, {report["device"]}', fontsize=9
    )
    # Below the bars, and never on one.
    figure.legend(loc='outside lower center', fontsize=7, ncols=5)
    made_by = ENDINGS[file.suffix.lower()]
    replace_whole(file, lambda beside: figure.savefig(beside, dpi=150, metadata=made_by))
