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

"""The page of the fault matrix and the tests: neither falls behind the other."""

import json
import re
import subprocess
import sys

from benchmarks.faults.__main__ import read
from benchmarks.faults.page import PAGE, table
from benchmarks.faults.rows import PARTS, ROWS

LEAST = 40


def test_the_page_has_the_table_that_rows_and_results_give():
    assert table(read()['tests']) in PAGE.read_text(encoding='utf-8'), (
        'write it with `python -m benchmarks.faults --page`'
    )


def test_there_are_enough_rows_and_some_of_every_part():
    assert len(ROWS) >= LEAST
    assert {row.part for row in ROWS} == set(PARTS)
    assert len({(row.part, row.done) for row in ROWS}) == len(ROWS)


def test_every_reason_is_one_that_the_code_gives(root):
    code = ''.join(
        file.read_text(encoding='utf-8')
        for file in sorted((root / 'vla_accel_ros').rglob('*.py'))
        if file.is_relative_to(root / 'vla_accel_ros/ros')
        or file.relative_to(root / 'vla_accel_ros').parts[0] in ('nodes', 'safety', 'inputs')
    )
    given = {reason for row in ROWS for reason in row.reasons.split(', ') if reason}
    nodes = ('camera', 'scheduler', 'inference', 'arm_command', 'sim_arm')
    for each in sorted(given):
        node, reason = each.split(': ')
        assert node in nodes
        # Some reasons are put together of a word and a kind.
        assert re.search(rf"['/}}]{reason}['/]", code), f'{reason} is nowhere in the code'


def test_every_row_names_a_test_that_is_there(root, tmp_path):
    rows = tmp_path / 'rows.json'
    rows.write_text(json.dumps([row.test for row in ROWS]), encoding='utf-8')
    done = subprocess.run(
        [
            *(sys.executable, '-m', 'pytest', '--collect-only', '-q', '-p', 'no:cacheprovider'),
            *('-p', 'benchmarks.faults.plugin', f'--rows={rows}'),
            *sorted({row.test.partition('::')[0] for row in ROWS}),
        ],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
