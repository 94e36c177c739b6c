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

"""A pytest plugin that runs the tests of the rows again and again, and keeps what they measured.

Load it with `-p benchmarks.faults.plugin`.
"""

from __future__ import annotations

import json
from pathlib import Path
import re

import pytest

AGAIN = 'again'
_MARK = re.compile(rf'{AGAIN}\d+-|-?{AGAIN}\d+')


def plain_id(nodeid: str) -> str:
    """Return the id of a test without the number of its repetition."""
    return _MARK.sub('', nodeid, count=1).replace('[]', '')


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of this plugin."""
    group = parser.getgroup('faults')
    group.addoption('--repetitions', type=int, default=1, help='runs of each test')
    group.addoption('--rows', type=Path, help='JSON list of the ids of the tests to run')
    group.addoption('--measured', type=Path, help='file to append to: one JSON object a run')


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Repeat each test."""
    count = metafunc.config.getoption('repetitions')
    metafunc.fixturenames.append(AGAIN)
    metafunc.parametrize(AGAIN, range(count), ids=[f'{AGAIN}{number}' for number in range(count)])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave only the tests of the rows.

    Raises:
        pytest.UsageError: When a row names a test that is not there.
    """
    wanted = set(json.loads(config.getoption('rows').read_text(encoding='utf-8')))
    if missing := wanted - {plain_id(item.nodeid) for item in items}:
        raise pytest.UsageError(f'no such test: {", ".join(sorted(missing))}')
    items[:] = [item for item in items if plain_id(item.nodeid) in wanted]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item):
    """Append what a run measured, and whether it passed."""
    rig = item.funcargs.get('rig') or getattr(item.funcargs.get('client'), 'rig', None)
    recorder = getattr(rig, 'recorder', None)
    before = len(recorder.held_s) if recorder else 0
    passed = False
    try:
        outcome = yield
        passed = True
        return outcome
    finally:
        held_s = recorder.held_s[before:] if recorder else []
        line = {'test': plain_id(item.nodeid), 'passed': passed, 'held_s': held_s}
        with open(item.config.getoption('measured'), 'a', encoding='utf-8') as file:
            file.write(json.dumps(line) + '\n')
