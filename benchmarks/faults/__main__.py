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

"""Do every fault of the matrix again and again, and write what the arm did into `docs/faults.md`.

`python -m benchmarks.faults` runs each row's test 20 times. What was measured is kept in
`benchmarks/results/faults.json`; rows that are not asked for keep what is there.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
import subprocess
import sys
import tempfile

from benchmarks.faults.page import ROOT, percentile, write
from benchmarks.faults.rows import ROWS
from vla_accel_ros.evaluation import conditions
from vla_accel_ros.files.whole_files import write_whole

COMMAND = 'python -m benchmarks.faults'
RESULTS = ROOT / 'benchmarks/results/faults.json'
# What the watchdog promises, and what the witness adds: a message's way to arm_command and back.
BOUND_S = 0.1


def read() -> dict:
    """Return what was measured before: `machines` and `tests`."""
    if RESULTS.is_file():
        return json.loads(RESULTS.read_text(encoding='utf-8'))
    return {'kind': COMMAND, 'machines': {}, 'tests': {}}


def numbers(text: str) -> list[int]:
    """Return the rows of `3,7-9`.

    Raises:
        ValueError: When it names a row that is not there.
    """
    found = []
    for part in text.split(','):
        first, _, last = part.partition('-')
        found += range(int(first), int(last or first) + 1)
    if wrong := [number for number in found if not 1 <= number <= len(ROWS)]:
        raise ValueError(f'row {wrong[0]}, expected 1 to {len(ROWS)}')
    return found


def run(tests: list[str], repetitions: int) -> list[dict]:
    """Run tests in one session of pytest, and return what each run measured."""
    with tempfile.TemporaryDirectory() as folder:
        wanted, measured = Path(folder, 'rows.json'), Path(folder, 'measured.jsonl')
        wanted.write_text(json.dumps(tests), encoding='utf-8')
        measured.touch()
        words = [sys.executable, '-m', 'pytest', '-q', '-p', 'benchmarks.faults.plugin']
        words += [f'--repetitions={repetitions}', f'--rows={wanted}', f'--measured={measured}']
        words += sorted({test.partition('::')[0] for test in tests})
        # Those of two hosts run only where they are asked for.
        variables = {**os.environ, 'VLA_ACCEL_NETWORK': '1'}
        subprocess.run(words, cwd=ROOT, check=False, stdout=sys.stderr, env=variables)
        return [json.loads(each) for each in measured.read_text(encoding='utf-8').splitlines()]


def late(measured: dict[str, list[dict]]) -> list[str]:
    """List the rows that missed the bound, or whose test failed."""
    found = []
    for number, fault in enumerate(ROWS, 1):
        runs = measured.get(fault.test, [])
        times = [max(each['held_s']) for each in runs if each['held_s']]
        if not all(each['passed'] for each in runs):
            found.append(f'{number}: its test failed')
        elif not fault.held and times and percentile(times, 0.99) > BOUND_S:
            found.append(f'{number}: held after {1e3 * percentile(times, 0.99):.0f} ms')
    return found


def main() -> int:
    """Run the rows and write page and results; return 0 when each was in time."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add('--repetitions', type=int, default=20, metavar='N', help='of each (%(default)s)')
    add('--rows', default=f'1-{len(ROWS)}', metavar='1,4-6', help='which (%(default)s)')
    add('--page', action='store_true', help='run nothing, write the page from the results')
    options = parser.parse_args()
    try:
        chosen = numbers(options.rows)
    except ValueError as error:
        parser.error(str(error))
    found = read()
    if not options.page:
        files: dict[str, list[str]] = {}
        for number in chosen:
            test = ROWS[number - 1].test
            files.setdefault(test.partition('::')[0], []).append(test)
        machine = conditions.machine_kind(conditions.machine())
        for tests in files.values():
            meter = conditions.CpuMeter()
            runs = run(tests, options.repetitions)
            shares = meter.shares()
            # What was skipped, for want of rights, keeps what is there.
            for test in {each['test'] for each in runs}:
                found['tests'][test] = [
                    {'passed': each['passed'], 'held_s': [round(s, 4) for s in each['held_s']]}
                    for each in runs
                    if each['test'] == test
                ]
            # Share of all cores: the tests, their nodes, and whoever else was there.
            found['machines'][machine] = {
                'date': conditions.today(),
                'busy': round(shares['benchmark'] + shares['others'], 3),
                'versions': conditions.versions(),
            }
            write_whole(RESULTS, json.dumps(found, indent=1) + '\n')
    write(found['tests'])
    for each in (missed := late(found['tests'])):
        print(each, file=sys.stderr)
    return 1 if missed else 0


if __name__ == '__main__':
    sys.exit(main())
