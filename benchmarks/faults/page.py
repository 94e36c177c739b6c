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

"""The table of `docs/faults.md`, from the rows and from what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from pathlib import Path
import re

from benchmarks.faults.fault import Fault
from benchmarks.faults.rows import ROWS
from vla_accel_ros.files.whole_files import write_whole

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / 'docs/faults.md'
HEADING = (
    '| number | part | what was done | the arm held after, ms (p50 / p99) | reason on '
    '`/diagnostics` | how the motion came back | test |\n'
    '|---|---|---|---|---|---|---|\n'
)
MEASURED = 'not measured yet'
_TABLE = re.compile(r'\| number \|.*\n\|[-|]+\n(?:\| \d+ \|.*\n)*')


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that such a share of them does not exceed.

    Raises:
        ValueError: When there are none.
    """
    if not values:
        raise ValueError('there are no values, expected at least one')
    return sorted(values)[ceil(share * len(values)) - 1]


def held(fault: Fault, runs: Sequence[Mapping]) -> str:
    """Say how long it took until the arm held: ms after the last valid action's end.

    Args:
        fault: The row.
        runs: What each run of its test measured: `passed` and `held_s`, s.
    """
    passed = [run for run in runs if run['passed']]
    count = f'{len(passed)} of {len(runs)}' if len(passed) < len(runs) else f'{len(runs)}x'
    if not runs:
        return fault.held or MEASURED
    if fault.held:
        return f'{fault.held} ({count})'
    times = [1e3 * max(0.0, max(run['held_s'])) for run in runs if run['held_s']]
    if not times:
        return f'{MEASURED} ({count})'
    return f'{percentile(times, 0.5):.0f} / {percentile(times, 0.99):.0f} ({count})'


def line(number: int, fault: Fault, runs: Sequence[Mapping]) -> str:
    """Return a row of the table."""
    reasons = ', '.join(f'`{each}`' for each in fault.reasons.split(', ') if each) or '-'
    cells = (
        str(number),
        fault.part,
        fault.done,
        held(fault, runs),
        reasons,
        fault.back,
        f'`{fault.test.removeprefix("test/")}`',
    )
    return f'| {" | ".join(cells)} |\n'


def table(measured: Mapping[str, Sequence[Mapping]]) -> str:
    """Return the whole table.

    Args:
        measured: The runs of each test, by its id.
    """
    rows = (
        line(number, fault, measured.get(fault.test, ())) for number, fault in enumerate(ROWS, 1)
    )
    return HEADING + ''.join(rows)


def write(measured: Mapping[str, Sequence[Mapping]]) -> None:
    """Put the table into the page.

    Raises:
        ValueError: When the page has no table.
    """
    page = PAGE.read_text(encoding='utf-8')
    if not _TABLE.search(page):
        raise ValueError(f'{PAGE} has no table that begins with | number |')
    write_whole(PAGE, _TABLE.sub(lambda _: table(measured), page, count=1))
