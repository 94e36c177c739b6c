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

"""The closed loop of every method on held-out seeds: run it, and make the tables of the results.

Each run is one call of `vla-accel eval`, which goes on where it was interrupted. Run it on a
quiet machine: the times are those of the calls.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
import json
import os
from pathlib import Path
import subprocess
import sys
from typing import NamedTuple

from vla_accel_ros.files.own_outputs import journal_beside
from vla_accel_ros.report.text import against

OUT = Path('out') / 'closed_loop'


class Run(NamedTuple):
    """One evaluation of all tasks.

    Attributes:
        methods: What is compared.
        episodes: Of each.
        seed: The first, of the reporting range.
        checkpoint: What drives.
        clock_of: On the real clock, with the latencies of this run, or calls of so many
            milliseconds; empty for the step clock.
        engine: What runs the model.
        precision: What it computes in.
        env: What is driven in; others than the table top run where they are installed only.
    """

    methods: str
    episodes: int
    seed: int
    checkpoint: str = 'tabletop-s'
    clock_of: str = ''
    engine: str = 'eager'
    precision: str = 'auto'
    env: str = 'tabletop'


def _coarse(checkpoint: str, seed: int, precision: str) -> Run:
    return Run('none', 200, seed, checkpoint, engine='openvino', precision=precision)


# Where a chunk is left for the next one.
HORIZONS = (
    'overlap=true',
    'execute_rows=4',
    'execute_rows=12',
    'execute=rule,rule=trust,trust_longest=0.4,overlap=true',
    'execute=rule,rule=velocity,tau=1,overlap=true',
)
# How many steps a flow takes, and where it begins.
STEPS = (
    'flow_steps=3',
    'flow_steps=10',
    'flow_steps=10,flow_bend=0.05',
    'flow_steps=3,flow_warm=0.7',
)
PRUNED = (
    'pruning=sp_vla',
    'pruning=vla_pruner,keep=0.5',
    'pruning=specprune',
    'pruning=fastv,keep=0.5',
    'pruning=dart,keep=0.5',
    'pruning=info_entropy,keep=0.5',
    'pruning=random,keep=0.5',
)


def _beside(method: str, changes: Sequence[str]) -> str:
    """Name a method between `none` and its changes, one at a time."""
    joint = ',' if '@' in method else '@'
    return ','.join(('none', method, *(f'{method}{joint}{change}' for change in changes)))


FLOW_METHODS = _beside('flow_fast', (*HORIZONS, *STEPS, *PRUNED))
DIT_METHODS = _beside('diffusion_fast', (*HORIZONS, 'flow_steps=10', *PRUNED))
# How a new chunk follows on the old one. Guidance needs some steps of the flow to act in.
SEAM_METHODS = _beside(
    'flow_fast@overlap=true,flow_steps=5',
    (
        'seam=none',
        'seam=fade',
        'seam=none,rtc=exp',
        'seam=none,rtc=exp,rtc_weight=2',
        'seam=none,rtc=linear,rtc_weight=2',
    ),
)


def _flow(clock_of: str = '') -> Run:
    return Run(FLOW_METHODS, 200, 2_004_200, 'tabletop-flow', clock_of)


def _dit(clock_of: str = '') -> Run:
    return Run(DIT_METHODS, 200, 2_004_400, 'tabletop-dit', clock_of)


def _seams(latency_ms: str) -> Run:
    return Run(SEAM_METHODS, 100, 2_004_000, 'tabletop-flow', latency_ms)


def _libero(
    methods: str, suite: str = 'object', latency_ms: str = '', policy: str = 'libero-object-s'
) -> Run:
    # From the first reporting seed on: tasks in turn, and after each round the next initial state.
    return Run(methods, 100, 2_000_000, policy, latency_ms, 'eager', env=f'libero:{suite}')


LIBERO_METHODS = (
    'none,sp_vla_scheduling,sp_vla_pruning,sp_vla,vla_pruner,specprune,fastv,random,trust,fast,'
    'lossless'
)

RUNS = {
    # Scheduling and decoding, as published and tuned; then pruning, tuned.
    'small': Run(
        'none,ridge,tuned_sp_vla_scheduling,hold,tuned_hold,trust,tuned_trust,lossless,'
        'tuned_relaxed,sp_vla,tuned_sp_vla_pruning,tuned_vla_pruner,tuned_specprune,'
        'tuned_fastv,tuned_random',
        200,
        2_000_000,
    ),
    # What the papers set; most of it fails, which takes long.
    'published': Run('none,vla_pruner,specprune,fastv,random', 24, 2_000_000),
    # The seeds from 2 000 000 had a say in what `fast` is, so it is judged on others.
    'fast': Run('none,fast', 400, 2_000_800),
    'small_real': Run('none,fast', 60, 2_000_800, clock_of='fast'),
    # A model of any size is this fast on some machine: within a step, over it, four times it.
    'small_40': Run('none,fast', 60, 2_000_800, clock_of='40'),
    'small_80': Run('none,fast', 60, 2_000_800, clock_of='80'),
    'small_200': Run('none,fast', 60, 2_000_800, clock_of='200'),
    # The presets that were tuned anew after `small` had been run.
    'sp_vla': Run('none,tuned_sp_vla_scheduling,tuned_sp_vla', 200, 2_000_000),
    # Earlier weights were judged from 2 001 200 on, while training went on: these are others.
    'middle': Run('none,fast', 200, 2_002_000, 'tabletop-m'),
    'middle_real': Run('none,fast', 60, 2_002_000, 'tabletop-m', 'middle'),
    'middle_oft': Run('none,fast', 200, 2_002_000, 'tabletop-m-oft'),
    'middle_oft_real': Run('none,fast', 60, 2_002_000, 'tabletop-m-oft', 'middle_oft'),
    # A flow; the first is how such policies are run as published: whole chunks, ten steps.
    'flow': _flow(),
    'flow_real': _flow('flow'),
    'flow_80': _flow('80'),
    'flow_200': _flow('200'),
    'dit': _dit(),
    'dit_real': _dit('dit'),
    'dit_80': _dit('80'),
    'dit_200': _dit('200'),
    # Answers that are 0, 2, 4 and 8 steps late.
    'flow_seams_0': _seams(''),
    'flow_seams_2': _seams('100'),
    'flow_seams_4': _seams('200'),
    'flow_seams_8': _seams('400'),
    # Fewer bits, judged as any other acceleration, on the seeds of `none` above.
    'small_bfloat16': _coarse('tabletop-s', 2_000_000, 'bfloat16'),
    'small_int8': _coarse('tabletop-s', 2_000_000, 'int8'),
    'middle_bfloat16': _coarse('tabletop-m', 2_002_000, 'bfloat16'),
    'middle_int8': _coarse('tabletop-m', 2_002_000, 'int8'),
    'middle_oft_bfloat16': _coarse('tabletop-m-oft', 2_002_000, 'bfloat16'),
    'middle_oft_int8': _coarse('tabletop-m-oft', 2_002_000, 'int8'),
    # By .venv-libero/bin/python, which `make libero` makes.
    'libero': _libero(LIBERO_METHODS),
    'libero_20': _libero('none,fast', latency_ms='20'),
    'libero_80': _libero('none,fast', latency_ms='80'),
    'libero_200': _libero('none,fast', latency_ms='200'),
    # The same things in other places, and other things in the same.
    'libero_swap': _libero(LIBERO_METHODS, 'object_swap'),
    # One thing more on the floor, a mug that training never saw.
    'libero_with_mug': _libero('none,sp_vla,vla_pruner,specprune,trust', 'object_with_mug'),
    # One scene, six instructions: what to do has to be read.
    'libero_goal': _libero(LIBERO_METHODS, 'goal/1,2,4,6,8,9', policy='libero-goal-s'),
}


def command(name: str, out: Path, workers: int) -> list[str]:
    """Return the evaluation of a run."""
    run = RUNS[name]
    clock = []
    if run.clock_of:
        calls = run.clock_of if run.clock_of not in RUNS else str(out / f'{run.clock_of}.json')
        clock = ['--clock', 'real', '--latency-ms', calls]
    return [
        'eval',
        '--env',
        run.env,
        '--task',
        'all',
        '--checkpoint',
        run.checkpoint,
        '--methods',
        run.methods,
        '--episodes',
        str(run.episodes),
        '--seed',
        str(run.seed),
        *clock,
        '--engine',
        run.engine,
        '--engine-precision',
        run.precision,
        '--workers',
        str(workers),
        '--out',
        str(out / f'{name}.json'),
    ]


def _between(pair: Sequence[float], scale: float = 1.0, sign: str = '', digits: int = 1) -> str:
    return ' – '.join(f'{scale * x:{sign}.{digits}f}' for x in pair)


def _number(value: float | None, digits: int) -> str:
    return '-' if value is None else f'{value:.{digits}f}'


# Heading and cell of each column, from an object of the report's `methods`.
COLUMNS = {
    'method': lambda m: m['method'],
    'success': lambda m: f'{m["successes"]}/{m["episodes"]}',
    '95 %': lambda m: _between(m['success_ci'], 100),
    'points more than none': lambda m: (
        '-'
        if m['difference_ci'] is None
        else (f'{100 * m["difference"]:+.1f} ({_between(m["difference_ci"], 100, "+")})')
    ),
    'steps': lambda m: _number(m['steps_per_success'], 1),
    'calls/step': lambda m: _number(m['calls_per_step'], 2),
    'tokens kept': lambda m: _number(m['tokens_kept'], 0),
    'passes': lambda m: _number(m['passes_per_call'], 2),
    'flow steps': lambda m: _number(m['flow_steps_per_call'], 1),
    'ms/call p50': lambda m: _number(m['call_ms_p50'], 1),
    'ms/success': lambda m: _number(m['model_ms_per_success'], 0),
    'time against none': lambda m: (
        '-'
        if not m['successes'] or m['gain_ci'] is None
        else (against(m['gain'], m['gain_ci'], between=' – '))
    ),
    'GFLOP/success': lambda m: _number(m['gflops_per_success'], 1),
    'path, m': lambda m: _number(m['path_per_success'], 2),
    'jerk p95': lambda m: _number(m['jerk_p95'], 0),
    'seam p95, mm': lambda m: _number(m['seam_p95'] and 1e3 * m['seam_p95'], 1),
}


def table(report: dict) -> str:
    """Return a report's methods as a table in Markdown."""
    rows = [list(COLUMNS), ['---'] * len(COLUMNS)]
    rows += [[cell(row) for cell in COLUMNS.values()] for row in report['methods']]
    return '\n'.join(f'| {" | ".join(row)} |' for row in rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run evaluations and print their tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'runs',
        nargs='*',
        metavar='RUN',
        help=f'of {", ".join(RUNS)} (default: each of the table top)',
    )
    parser.add_argument('--workers', type=int, default=os.cpu_count() or 1)
    parser.add_argument('--out', type=Path, default=OUT, help='folder of reports (%(default)s)')
    args = parser.parse_args(arguments)
    unknown = sorted(set(args.runs) - set(RUNS))
    if unknown:
        parser.error(f'there is no run {unknown[0]!r}, expected some of {", ".join(RUNS)}')
    args.out.mkdir(parents=True, exist_ok=True)
    for name in args.runs or [name for name, run in RUNS.items() if run.env == 'tabletop']:
        words = command(name, args.out, args.workers)
        resume = ['--resume'] if journal_beside(args.out / f'{name}.json').exists() else []
        done = subprocess.run(
            [sys.executable, '-m', 'vla_accel_ros.cli', *words, *resume],
            check=False,
            stdout=sys.stderr,
        )
        if done.returncode:
            return done.returncode
        report = json.loads((args.out / f'{name}.json').read_text(encoding='utf-8'))
        print(f'    vla-accel {" ".join(words)}\n\n{table(report)}\n')
    return 0


if __name__ == '__main__':
    sys.exit(main())
