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

"""Engines, pruning methods and decoders side by side on every embedded model, into one file.

Each run is one of `vla-accel bench`, a process an engine, in turns. What was measured before on a
machine of this kind is measured anew where it is named, the others stay.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
import json
from pathlib import Path
import shlex
import subprocess
import sys
import tempfile
from typing import Any, NamedTuple

from vla_accel_ros.bench.table import PLANNER, about, markdown, tables
from vla_accel_ros.evaluation import conditions
from vla_accel_ros.files.outputs import beginning, check_file, json_with
from vla_accel_ros.files.whole_files import write_whole

COMMAND = 'python -m benchmarks.engines'
RESULTS = Path(__file__).parent / 'results'
FILE = 'engines'
TITLE = '# Engines, '
METHODS = 'none,sp_vla_pruning,fastv,dart,vla_pruner,specprune,info_entropy'


class Run(NamedTuple):
    """What is measured in one run.

    Attributes:
        rounds: Answers of each row that count.
        engines: As `--engines` of bench has them.
        model: As `--model` of bench has it; the run's name if empty.
    """

    rounds: int
    engines: str
    model: str = ''


EXACT = 'eager,onnxruntime,openvino'
FEWER_BITS = 'openvino@precision=bfloat16,openvino@precision=int8'
RUNS = {
    'tabletop-s': Run(30, f'{EXACT},{FEWER_BITS}'),
    'tabletop-m': Run(20, f'{EXACT},{FEWER_BITS}'),
    'tabletop-m-oft': Run(12, f'{EXACT},{FEWER_BITS}'),
    'mid': Run(5, EXACT),
    # With all methods at once the memory may not hold more engines.
    'mid-bfloat16': Run(5, 'eager,openvino@precision=bfloat16', 'mid'),
    'mid-int8': Run(5, 'eager,openvino@precision=int8', 'mid'),
}


def measure(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """Run `vla-accel bench` and give its report.

    Raises:
        ChildProcessError: When it fails.
    """
    run = RUNS[name]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / 'bench.json'
        words = ['bench', '--model', run.model or name]
        words += ['--engines', options.engines or run.engines]
        words += ['--methods', options.methods, '--keep', '0.25', '--decoders', 'greedy,verify']
        words += ['--threads', str(options.threads), '--rounds', str(options.rounds or run.rounds)]
        done = subprocess.run(
            [sys.executable, '-m', 'vla_accel_ros.cli', *words, '--out', str(out)],
            stdout=subprocess.DEVNULL,
            check=False,
        )
        # 1: a row did not answer as it must, which the report says.
        if done.returncode not in (0, 1):
            raise ChildProcessError(f'vla-accel {shlex.join(words)} ended with {done.returncode}')
        report = json.loads(out.read_text(encoding='utf-8'))
        # The folder is gone when somebody reads this.
        report['command'] = report['command'].replace(f' --out {out}', '')
        return report


def in_order(reports: Mapping[str, Any]) -> dict[str, Any]:
    """Give reports by name in the order of the runs."""
    return {name: reports[name] for name in RUNS if name in reports}


def to_markdown(reports: Mapping[str, Mapping[str, Any]]) -> str:
    """Write reports, by name, as one page."""
    machine = next(iter(reports.values()))['machine']
    parts = [f'{TITLE}{machine["processor"]}, {machine["cores"]} cores', '']
    parts += [f'By `{COMMAND}`; [what the columns mean](../../../docs/bench.md).', '']
    for name, report in reports.items():
        parts += [f'## {name}', '']
        for line in about(report):
            parts += [line, '']
        found = tables(report)
        plans = [each for each in found if each[0] == PLANNER]
        for heading, rows in (found[0], *plans):
            parts += [f'{heading}:', '', *markdown(rows), '']
    return '\n'.join(parts)


def main() -> int:
    """Measure; return 0 when every row of eager answered as it must."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add('--models', metavar='A,B', help=f'which runs ({",".join(RUNS)})')
    add('--engines', help="as bench has them, instead of each run's own")
    add('--methods', default=METHODS, help='as bench has them (%(default)s)')
    add('--rounds', type=int, help="instead of each run's own")
    add('--threads', type=int, default=1, help='of each process (%(default)s)')
    add('--out', type=Path, help='folder of the results, instead of that of this kind of machine')
    options = parser.parse_args()
    # Runs of the same model differ in their engines alone.
    own = [name for name, run in RUNS.items() if not (options.engines and run.model)]
    names = options.models.split(',') if options.models else own
    if unknown := [name for name in names if name not in RUNS]:
        parser.error(f"model is '{unknown[0]}', expected some of {', '.join(RUNS)}")
    folder = options.out or RESULTS / conditions.machine_kind(conditions.machine())
    file, page = folder / f'{FILE}.json', folder / f'{FILE}.md'
    try:
        check_file(file, '--out', json_with('kind', 'models'))
        check_file(page, '--out', beginning(TITLE))
    except ValueError as error:
        parser.error(str(error))
    reports: dict[str, Any] = {}
    if file.is_file():
        reports = json.loads(file.read_text(encoding='utf-8'))['models']
    for name in names:
        print(f'{name} ...', file=sys.stderr, flush=True)
        reports = in_order({**reports, name: measure(name, options)})
        whole = {'kind': COMMAND, 'models': reports}
        write_whole(file, json.dumps(whole, indent=1, ensure_ascii=False) + '\n')
        write_whole(page, to_markdown(reports))
    return 0 if all(reports[name]['answers_hold'] for name in names) else 1


if __name__ == '__main__':
    sys.exit(main())
