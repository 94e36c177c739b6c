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

"""Run every benchmark and write down what it found, under what conditions.

The results go to `benchmarks/results/<machine kind>/`: JSON for programs, Markdown for people.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
import shlex
import subprocess
import sys
import time

from benchmarks.figures import to_markdown
from vla_accel_ros.evaluation import conditions
from vla_accel_ros.files.outputs import beginning, check_file, json_with
from vla_accel_ros.files.whole_files import write_whole

BENCHMARKS = ('ridge_step', 'camera_latency', 'stream_jitter', 'intuitive_path')
RESULTS = Path(__file__).resolve().parent / 'results'
COMMAND = 'python -m benchmarks.run'
# Beside those of other benchmarks of this machine kind.
FILE = 'nodes'
# Above it somebody else's work is in the figures.
QUIET = 0.05
PROBE_S = 2.0


def others(seconds: float = PROBE_S) -> float:
    """Return the share of the processors that others use, looking for so many seconds."""
    meter = conditions.CpuMeter()
    time.sleep(seconds)
    return meter.shares()['others']


def wait_for_quiet(minutes: float) -> float:
    """Wait until others leave the machine alone, or the time is over; return their share."""
    end = time.monotonic() + 60 * minutes
    share = others()
    while share > QUIET and time.monotonic() < end:
        share = others()
    return share


def run(name: str, seconds: float | None) -> dict[str, object]:
    """Run a benchmark in a process of its own, and return its report.

    Raises:
        RuntimeError: When it fails; a bar that is missed is no failure.
    """
    words = [sys.executable, '-m', f'benchmarks.{name}', '--json']
    if seconds:
        words += ['--seconds', str(seconds)]
    done = subprocess.run(
        words, cwd=conditions.ROOT, stdout=subprocess.PIPE, text=True, check=False
    )
    try:
        return json.loads(done.stdout)
    except ValueError:
        raise RuntimeError(f'{name} gave no report, exit code {done.returncode}') from None


def write(folder: Path, facts: dict[str, object], reports: list[dict[str, object]]) -> None:
    """Write the results for programs and for people."""
    write_whole(
        folder / f'{FILE}.json',
        json.dumps({**facts, 'reports': reports}, indent=1, ensure_ascii=False) + '\n',
    )
    machine, libraries = facts['machine'], facts['versions']
    lines = [
        f'# {machine["processor"]}, {machine["cores"]} cores, {machine["gpu"] or "no GPU"}',
        '',
        f'{facts["date"]}, by `{facts["command"]}`. {machine["system"]}, '
        f'{machine["memory_gib"]} GiB; '
        + ', '.join(f'{name} {number}' for name, number in libraries.items())
        + f'. Others used {facts["others before"]:.1%} of the processors when it began. '
        + facts['remark'],
        '',
    ]
    text = '\n'.join(lines) + '\n' + '\n'.join(map(to_markdown, reports))
    write_whole(folder / f'{FILE}.md', text)


def check_outputs(folder: Path) -> None:
    """Refuse a folder whose files others made; nothing is made.

    Raises:
        OutputError: When it holds such files, or cannot be written.
    """
    check_file(folder / f'{FILE}.json', '--out', json_with('machine', 'versions', 'reports'))
    check_file(folder / f'{FILE}.md', '--out', beginning(f'by `{COMMAND}', within=2000))


def main() -> int:
    """Run them all.

    Returns:
        The exit status: 0 when every bar is cleared.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--seconds', type=float, help="of each, instead of each one's own")
    parser.add_argument(
        '--only', default=','.join(BENCHMARKS), metavar='A,B', help='which (default all)'
    )
    parser.add_argument(
        '--wait',
        type=float,
        default=0.0,
        metavar='MINUTES',
        help='wait so long for others to leave the machine alone',
    )
    parser.add_argument('--remark', default='', help='goes into the results')
    parser.add_argument('--out', type=Path, help='folder, instead of the one of this machine kind')
    options = parser.parse_args()
    names = options.only.split(',')
    for name in names:
        if name not in BENCHMARKS:
            parser.error(f'there is no {name!r}, expected some of {", ".join(BENCHMARKS)}')
    found = conditions.machine()
    folder = options.out or RESULTS / conditions.machine_kind(found)
    try:
        check_outputs(folder)
    except ValueError as error:
        parser.error(str(error))
    before = wait_for_quiet(options.wait)
    if before > QUIET:
        print(f'others use {before:.0%} of the processors: the figures will be theirs, too')
    facts = {
        'date': conditions.today(),
        'machine': found,
        'versions': conditions.versions(),
        'command': shlex.join([*COMMAND.split(), *sys.argv[1:]]),
        'others before': before,
        'remark': options.remark,
    }
    reports = []
    for name in names:
        print(f'{name} ...', flush=True)
        reports.append(run(name, options.seconds))
    write(folder, facts, reports)
    print((folder / f'{FILE}.md').read_text(encoding='utf-8'))
    return 0 if all(report['holds'] for report in reports) else 1


if __name__ == '__main__':
    sys.exit(main())
