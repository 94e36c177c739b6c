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

"""Today's engines against the eager engine of an earlier commit, in turns, and the bars for that.

The earlier commit is checked out into a folder that ends with the run. Each turn measures it, then
today's engines with the same model and threads, and a ratio is of one turn.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
import json
import os
from pathlib import Path
import statistics
import subprocess
import sys
import tempfile
from typing import Any, NamedTuple

from vla_accel_ros.bench.table import markdown
from vla_accel_ros.evaluation import conditions
from vla_accel_ros.files.outputs import beginning, check_file, json_with
from vla_accel_ros.files.whole_files import write_whole

COMMAND = 'python -m benchmarks.engine_bars'
RESULTS = Path(__file__).parent / 'results'
FILE, TITLE = 'engine_bars', '# Engines against the eager engine of '
BEFORE = 'a9c09bc'
ROUNDS = {'tabletop-s': 30, 'tabletop-m': 20, 'tabletop-m-oft': 12, 'mid': 5}
# Of these both benches look at the embedded arm, in images of the model's size. The earlier one
# has no such scene for one view; random weights take as long, and their images are resized first.
TRAINED = ('tabletop-s',)
EAGER, BF16, INT8 = 'eager', 'openvino@precision=bfloat16', 'openvino@precision=int8'
EXACT = ('onnxruntime', 'openvino')
NONE, QUARTER = 'none', 'sp_vla_pruning@keep=0.25'
WHOLE, DECODING = 'total', 'decode'


class Bar(NamedTuple):
    """A bound on how many times faster something is.

    Attributes:
        model: Which model.
        engines: Of these the fastest counts.
        method: What prunes.
        stage: Which part of a call.
        least: The bound.
    """

    model: str
    engines: Sequence[str]
    method: str
    stage: str
    least: float


def _each(engines: Sequence[str], method: str, *least: float) -> list[Bar]:
    pairs = zip(ROUNDS, least, strict=False)
    return [Bar(model, engines, method, WHOLE, bound) for model, bound in pairs]


BARS = (
    *_each(EXACT, NONE, 1.9, 1.45, 1.34, 1.28),
    *_each((EAGER,), NONE, 1.08, 1.08, 1.08, 1.08),
    Bar('tabletop-s', EXACT, NONE, DECODING, 3.2),
    *_each(EXACT, QUARTER, 2.2, 2.2, 2.2),
    *_each((BF16,), NONE, 2.1, 2.05, 2.0, 2.2),
    Bar('tabletop-m-oft', (BF16,), QUARTER, WHOLE, 3.3),
    Bar('mid', (INT8,), NONE, WHOLE, 2.5),
)


def bench(root: Path, words: Sequence[str]) -> dict[str, Any]:
    """Run `vla-accel bench` of a source tree; give its report.

    Raises:
        ChildProcessError: When it gives none; what it said has been shown.
    """
    done = subprocess.run(
        [sys.executable, '-m', 'vla_accel_ros.cli', 'bench', *words, '--json'],
        cwd=root,
        env={**os.environ, 'PYTHONPATH': str(root)},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if not done.stdout.strip():
        raise ChildProcessError(f'bench {" ".join(words)} in {root} ended with {done.returncode}')
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def turn(before: Path, model: str, rounds: int) -> dict[str, Any]:
    """Measure the eager engine of the earlier commit, and then today's engines."""
    common = ['--model', model, '--decoders', 'greedy', '--threads', '1', '--rounds', str(rounds)]
    if model not in TRAINED:
        common.append('--random-weights')
    engines = ','.join((EAGER, *EXACT, BF16, INT8))
    methods = f'{NONE},{QUARTER}'
    old = bench(before, [*common, '--methods', NONE])
    new = bench(conditions.ROOT, [*common, '--methods', methods, '--engines', engines])
    return {
        'before': _ms(old)[EAGER, NONE],
        'rows': new['rows'],
        'others': new['processors']['others'],
    }


def _ms(report: Mapping[str, Any]) -> dict[tuple[str, str], dict[str, float]]:
    """Give the median of a call and of its decoding, ms, by engine and method."""
    found = {}
    # The earlier commit's report is of format 1.
    for row in report['rows'] if 'rows' in report else report['lines']:
        stages = row['stages_ms'] if 'stages_ms' in row else row['ms']
        total = row['total_ms_p50'] if 'total_ms_p50' in row else stages[WHOLE]['p50']
        found[row.get('engine', EAGER), row['method']] = {
            WHOLE: total,
            DECODING: stages[DECODING]['p50'],
        }
    return found


def faster(turns: Sequence[Mapping[str, Any]], bar: Bar) -> dict[str, list[float]]:
    """Give how many times faster each engine of a bar is, turn by turn."""
    found: dict[str, list[float]] = {engine: [] for engine in bar.engines}
    for each in turns:
        now = _ms(each)
        for engine in bar.engines:
            if (engine, bar.method) in now:
                ms = now[engine, bar.method][bar.stage]
                found[engine].append(each['before'][bar.stage] / ms)
    return {engine: ratios for engine, ratios in found.items() if ratios}


def to_markdown(found: Mapping[str, Any]) -> str:
    """Write the page."""
    machine, held, rows = found['machine'], [], []
    others = max(each['others'] for turns in found['turns'].values() for each in turns)
    for bar in BARS:
        if not found['turns'].get(bar.model):
            continue
        stage = 'decoding alone' if bar.stage == DECODING else 'whole call'
        what = [bar.model, f'{bar.method}, {stage}']
        ratios = faster(found['turns'][bar.model], bar)
        if not ratios:
            held.append(False)
            engines, least = ', '.join(bar.engines), f'≥ {bar.least:g}x'
            rows.append([*what, engines, least, 'not measured', '', '**no**'])
            continue
        engine = max(ratios, key=lambda name: statistics.median(ratios[name]))
        median = statistics.median(ratios[engine])
        held.append(median >= bar.least)
        rows.append(
            [
                *what,
                engine,
                f'≥ {bar.least:g}x',
                f'{median:.2f}x',
                f'{min(ratios[engine]):.2f} to {max(ratios[engine]):.2f}',
                'yes' if held[-1] else '**no**',
            ]
        )
    head = ['model', 'what', 'engine', 'bar', 'median', 'turns from to', 'holds']
    lines = [
        f'{TITLE}`{found["before"]}`',
        '',
        f'By `{COMMAND}`, {machine["processor"]}, {machine["cores"]} cores, one thread: times '
        'faster than eager was then, without pruning. Both take turns; of several engines the '
        f'fastest counts. {" and ".join(TRAINED)} with its own weights, on frames of the embedded '
        'arm; the others with random weights, on larger images that are resized in each call.',
        '',
        *markdown([head, *rows]),
        '',
        f'{sum(held)} of {len(held)} bars hold. {found["date"]}; others used at most '
        f'{others:.0%} of the processors meanwhile.',
    ]
    return '\n'.join(lines) + '\n'


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, and write after each model what is known; return 0 when all bars hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add('--models', default=','.join(ROUNDS), metavar='A,B', help='which (%(default)s)')
    add('--before', default=BEFORE, metavar='REV', help='earlier commit (%(default)s)')
    add('--turns', type=int, default=3, help='of both (%(default)s)')
    add('--out', type=Path, help='folder, instead of the one of this machine kind')
    options = parser.parse_args(argv)
    machine = conditions.machine()
    folder = options.out or RESULTS / conditions.machine_kind(machine)
    models = options.models.split(',')
    try:
        if unknown := set(models) - set(ROUNDS):
            raise ValueError(f'--models has {sorted(unknown)}, expected some of {list(ROUNDS)}')
        check_file(folder / f'{FILE}.json', '--out', json_with('turns', 'before'))
        check_file(folder / f'{FILE}.md', '--out', beginning(TITLE))
    except ValueError as error:
        parser.error(str(error))
    turns: dict[str, list[dict[str, Any]]] = {model: [] for model in models}
    found: dict[str, Any] = {'before': options.before, 'machine': machine, 'turns': turns}
    with tempfile.TemporaryDirectory() as place:
        before = Path(place) / 'before'
        clone = ['git', 'clone', '--quiet', '--no-checkout', str(conditions.ROOT), str(before)]
        subprocess.run(clone, check=True)
        subprocess.run(['git', 'checkout', '--quiet', options.before], cwd=before, check=True)
        for model in models:
            for number in range(options.turns):
                print(f'{model}: turn {number + 1} of {options.turns}', file=sys.stderr)
                turns[model].append(turn(before, model, ROUNDS[model]))
                found['date'] = conditions.today()
                write_whole(folder / f'{FILE}.json', json.dumps(found, indent=1) + '\n')
                write_whole(folder / f'{FILE}.md', to_markdown(found))
    page = to_markdown(found)
    print(page)
    return int('**no**' in page)


if __name__ == '__main__':
    sys.exit(main())
