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

"""Run again what papers have published, as far as this machine has what it takes.

Each row of `reproduce_rows.py` is an evaluation on LIBERO with a public checkpoint. What is not
here is said, with the command that gets it; nothing is downloaded.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib.util import find_spec
import json
from pathlib import Path
import shlex
import subprocess
import sys

from benchmarks.reproduce_rows import ROWS, Row
from vla_accel_ros.evaluation.statistics import wilson

COMMAND = 'python -m benchmarks.reproduce'
# Weights in bfloat16, keys and values, and what is computed, GiB.
MEMORY_GIB = 17.0
AS_PUBLISHED, DIFFERS, OPEN = 'as published', 'differs', 'nothing published'


def missing(row: Row, suite: str, checkpoints: Path, device: str) -> list[str]:
    """Say what this machine lacks for an evaluation, and how to get it; nothing where it runs."""
    found = []
    folder = checkpoints / row.folder(suite)
    if not (folder / 'config.json').is_file():
        hub = row.checkpoint.format(suite=suite)
        found.append(f'checkpoint: hf download {hub} --local-dir {shlex.quote(str(folder))}')
    if row.env.startswith('libero') and find_spec('libero') is None:
        found.append(f'LIBERO: make libero, then .venv-libero/bin/{COMMAND}')
    if device.startswith('cuda'):
        found += _lacking_of_gpu()
    return found


def _lacking_of_gpu() -> list[str]:
    import torch

    if not torch.cuda.is_available():
        return ['GPU: torch sees no CUDA device; --device cpu computes on the processor']
    gib = torch.cuda.mem_get_info()[1] / 2**30
    return [] if gib >= MEMORY_GIB else [f'GPU: {gib:.0f} GiB of memory, {MEMORY_GIB:.0f} needed']


def unnorm_key(folder: Path, suite: str) -> str | None:
    """Return the data set of a checkpoint whose statistics are a suite's.

    Args:
        folder: The checkpoint.
        suite: As LIBERO calls it, without `libero_`.

    Returns:
        None where the checkpoint has one data set only, which needs no name.
    """
    for name in ('dataset_statistics.json', 'config.json'):
        file = folder / name
        if file.is_file():
            held = json.loads(file.read_text(encoding='utf-8'))
            keys = held if name != 'config.json' else held.get('norm_stats', {})
            for key in (f'libero_{suite}', f'libero_{suite}_no_noops'):
                if key in keys and len(keys) > 1:
                    return key
    return None


def command(row: Row, suite: str, folder: Path, out: Path, options: argparse.Namespace) -> list:
    """Return the command line of an evaluation, behind the interpreter."""
    key = unnorm_key(folder, suite)
    return [
        *('-m', 'vla_accel_ros.cli', 'eval', '--env', row.env.format(suite=suite)),
        *('--checkpoint', str(folder), '--methods', row.method, '--device', options.device),
        *('--episodes', str(options.episodes), '--workers', str(options.workers)),
        *(('--unnorm-key', key) if key else ()),
        *('--out', str(out), '--resume', *row.words),
    ]


def evaluate(row: Row, suite: str, options: argparse.Namespace) -> dict | None:
    """Run an evaluation, or go on with it; return its report, None when it failed."""
    out = options.out / f'{row.name}-{suite}.json'
    out.parent.mkdir(parents=True, exist_ok=True)
    words = command(row, suite, options.checkpoints / row.folder(suite), out, options)
    print(shlex.join(['python', *words]), file=sys.stderr, flush=True)
    done = subprocess.run([sys.executable, *words], stdout=subprocess.DEVNULL, check=False)
    return json.loads(out.read_text(encoding='utf-8')) if done.returncode == 0 else None


def judge(published: float | None, found: dict) -> str:
    """Compare a published success with what was measured.

    Args:
        published: Per cent; None where there is none.
        found: A method's entry in a report.
    """
    if published is None:
        return OPEN
    low, high = (100 * bound for bound in found['success_ci'])
    return AS_PUBLISHED if low <= published <= high else DIFFERS


def line(
    row: Row, suite: str, report: dict | None, lacks: Sequence[str], only_listed: bool = False
) -> str:
    """Return a row of the table."""
    at = row.suites.index(suite)
    published = row.success[at] if row.success else None
    cells = [row.name, suite, '' if published is None else f'{published:g}']
    if lacks:
        return f'| {" | ".join([*cells, "", "", "missing"])} |'
    if report is None:
        verdict = 'can run' if only_listed else 'failed'
        return f'| {" | ".join([*cells, "", "", verdict])} |'
    (found,) = report['methods']
    cells += [_success(found), f'{found["call_ms_p50"]:.1f}']
    return f'| {" | ".join([*cells, judge(published, found)])} |'


def mean_line(row: Row, reports: Sequence[dict]) -> str:
    """Return the row of the mean over the suites, which have the same number of episodes."""
    parts = [report['methods'][0] for report in reports]
    won, count = (sum(part[key] for part in parts) for key in ('successes', 'episodes'))
    found = {'success': won / count, 'success_ci': wilson(won, count)}
    published = '' if row.expected is None else f'{row.expected:.1f}'
    verdict = judge(row.expected, found)
    return f'| {row.name} | mean | {published} | {_success(found)} | | {verdict} |'


def _success(found: dict) -> str:
    low, high = (100 * bound for bound in found['success_ci'])
    return f'{100 * found["success"]:.1f} ({low:.1f} to {high:.1f})'


def main(argv: Sequence[str] | None = None, rows: Sequence[Row] = ROWS) -> int:
    """Run what is here.

    Args:
        argv: Words of the command line; those of the process where None.
        rows: The table.

    Returns:
        The exit status: 0 when all that was asked for was run, 1 when something is missing or
        failed.
    """
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__.splitlines()[0])
    names = ', '.join(row.name for row in rows)
    parser.add_argument('--only', default='', metavar='ROW,...', help=f'some of {names}')
    parser.add_argument('--list', action='store_true', help='run nothing, say what is missing')
    parser.add_argument(
        '--checkpoints',
        type=Path,
        default=Path('checkpoints'),
        help='folder of the checkpoints (%(default)s)',
    )
    parser.add_argument('--device', default='cuda', help='where models run (%(default)s)')
    parser.add_argument('--episodes', type=int, default=500, help='of a suite (%(default)s)')
    parser.add_argument('--workers', type=int, default=1, help='each has a model (%(default)s)')
    parser.add_argument(
        '--out', type=Path, default=Path('out/reproduce'), help='folder (%(default)s)'
    )
    options = parser.parse_args(argv)
    asked = options.only.split(',') if options.only else [row.name for row in rows]
    for name in asked:
        if name not in {row.name for row in rows}:
            parser.error(f'there is no row {name!r}, expected some of {names}')
    table, absent, failed = [], {}, 0
    for row in (row for row in rows if row.name in asked):
        reports = []
        for suite in row.suites:
            lacks = missing(row, suite, options.checkpoints, options.device)
            absent.update(dict.fromkeys(lacks))
            report = None
            if not lacks and not options.list:
                report = evaluate(row, suite, options)
                failed += report is None
            reports += [report] if report else []
            table.append(line(row, suite, report, lacks, options.list))
        if len(reports) == len(row.suites) > 1:
            table.append(mean_line(row, reports))
    print('| row | suite | published, % | here, % (95 %) | call p50, ms | verdict |')
    print('|---|---|---|---|---|---|')
    print('\n'.join(table))
    if absent:
        print('\nMissing:')
        print('\n'.join(f'- {each}' for each in absent))
    return 1 if absent or failed else 0


if __name__ == '__main__':
    sys.exit(main())
