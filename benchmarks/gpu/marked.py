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

"""Run the tests that are marked `gpu`, with pytest where all is there that it needs."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
import json
import os
from pathlib import Path
import sys
from typing import Any

from benchmarks.gpu import plain_tests
from vla_accel_ros.evaluation.conditions import ROOT

MARK = '@pytest.mark.gpu'


def files(root: Path = ROOT) -> list[Path]:
    """List the test files with such tests: others may need what is not installed."""
    found = sorted((root / 'test').rglob('test_*.py'))
    return [file for file in found if MARK in file.read_text(encoding='utf-8')]


class _Outcomes:
    """A plugin of pytest that notes how each test ended."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, Any]] = {}

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.when == 'call' or report.outcome != 'passed':
            why = '' if report.outcome == 'passed' else str(report.longrepr)[-600:]
            self.found[report.nodeid] = {
                'outcome': report.outcome,
                'why': why,
                'seconds': round(report.duration, 2),
            }


def by_pytest(tests: Sequence[Path]) -> dict[str, dict[str, Any]]:
    """Run them with pytest."""
    import pytest

    noted = _Outcomes()
    pytest.main(['-q', '-m', 'gpu', '-p', 'no:cacheprovider', *map(str, tests)], [noted])
    return noted.found


def main() -> int:
    """Run all of them and write down how they ended.

    Returns:
        The exit status: 0 where none failed.
    """
    out = Path(sys.argv[1])
    os.chdir(ROOT)
    # The suite's own configuration needs both.
    if not all(map(find_spec, ('pytest', 'hypothesis'))):
        found, by = plain_tests.run(files(), ROOT / 'test' / 'helpers'), 'a runner of its own'
    else:
        found, by = by_pytest(files()), 'pytest'
    out.write_text(json.dumps({'by': by, 'tests': found}, indent=1) + '\n', encoding='utf-8')
    ended = [test['outcome'] for test in found.values()]
    print(', '.join(f'{ended.count(kind)} {kind}' for kind in sorted(set(ended))))
    return int('failed' in ended or not ended)


if __name__ == '__main__':
    sys.exit(main())
