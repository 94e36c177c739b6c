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

"""Endurance: the whole graph at work for hours, and whether anything grows or drifts.

First on the real clock, then on the simulated one as fast as the graph keeps up. The second does
the same work per step and so shows what grows with work done; times are said of the first only.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
import json
from pathlib import Path
import shlex
import sys

from benchmarks.soak_figures import GROWS, OPEN
from benchmarks.soak_graph import Graph, Part, run
from benchmarks.soak_page import REAL_MIN, SIMULATED_H, facts_of, page
from vla_accel_ros.evaluation import conditions
from vla_accel_ros.files.outputs import beginning, check_file, json_with
from vla_accel_ros.files.whole_files import write_whole
from vla_accel_ros.paths import DEFAULT_CHECKPOINT

COMMAND = 'python -m benchmarks.soak'
# The least that is worth a look; how often what was seen so far is written down.
LEAST_MIN, KEPT_MIN = 3.0, 10.0
RESULTS = Path(__file__).resolve().parent / 'results'


def main() -> int:
    """Run the graph and write what was seen.

    Returns:
        The exit status: 1 when something grows, else 0.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        '--minutes',
        type=float,
        default=None,
        metavar='N',
        help=f'wall time of each of the two parts; {REAL_MIN:g} on the real clock by default, and '
        f'as long as {SIMULATED_H:g} hours of the simulated one take',
    )
    parser.add_argument(
        '--clock',
        choices=('real', 'simulated', 'both'),
        default='both',
        help='which of the two parts to run (%(default)s)',
    )
    parser.add_argument('--checkpoint', default=DEFAULT_CHECKPOINT, help='%(default)s')
    parser.add_argument('--remark', default='', help='goes into the results')
    parser.add_argument('--out', type=Path, default=RESULTS, help='folder (%(default)s)')
    options = parser.parse_args()
    if options.minutes is not None and not options.minutes >= LEAST_MIN:
        parser.error(f'--minutes is {options.minutes}, expected at least {LEAST_MIN:g}')
    try:
        check_file(options.out / 'soak.json', '--out', _ours)
        check_file(options.out / 'soak.md', '--out', beginning('# Endurance'))
    except ValueError as error:
        parser.error(str(error))
    conditions_of = {
        'date': conditions.today(),
        'command': shlex.join([*COMMAND.split(), *sys.argv[1:]]),
        'checkpoint': options.checkpoint,
        'remark': options.remark,
        'machine': conditions.machine(),
        'versions': conditions.versions(),
    }
    clocks = ('real', 'simulated') if options.clock == 'both' else (options.clock,)
    found = {}
    for graph in [Graph(clock == 'simulated', options.checkpoint) for clock in clocks]:
        meter = conditions.CpuMeter()

        def keep(part: Part, complete: bool = False, meter: conditions.CpuMeter = meter) -> None:
            found[part.clock] = {
                **conditions_of,
                **facts_of(part),
                'complete': complete,
                'machine_withheld': meter.shares()['stolen'],
            }
            _write(found, options.out)

        keep(run(graph, _until(options.minutes, keep)), complete=True)
    print(page(list(found.values())))
    verdicts = [row['verdict'] for part in found.values() for row in part['processes']]
    if OPEN in verdicts:
        print('too short to tell of some processes: run it for longer', file=sys.stderr)
    return 1 if GROWS in verdicts else 0


def _ours(path: Path) -> bool:
    """Whether a file holds parts as they are written here."""
    if not json_with('parts')(path):
        return False
    parts = json.loads(path.read_text(encoding='utf-8'))['parts']
    return all('clock' in part and 'machine' in part for part in parts)


def _until(minutes: float | None, keep: Callable[[Part], None]) -> Callable[[Part], bool]:
    """Return what says whether a part is long enough, and keeps what it has shown so far."""
    real_min = REAL_MIN if minutes is None else minutes
    due_s = 60 * KEPT_MIN

    def enough(part: Part) -> bool:
        nonlocal due_s
        if part.seconds >= due_s:
            due_s += 60 * KEPT_MIN
            keep(part)
        if part.clock == 'real':
            return part.seconds >= 60 * real_min
        late = minutes is not None and part.seconds >= 60 * minutes
        return late or part.simulated_s >= 3600 * SIMULATED_H

    return enough


def _write(found: dict[str, dict], folder: Path) -> None:
    """Write what was found; a part that was not run stays as it is there."""
    file = folder / 'soak.json'
    before = json.loads(file.read_text(encoding='utf-8'))['parts'] if file.exists() else []
    parts = sorted(
        {**{part['clock']: part for part in before}, **found}.values(),
        key=lambda part: part['clock'],
    )
    write_whole(file, json.dumps({'parts': parts}, indent=1) + '\n')
    write_whole(folder / 'soak.md', page(parts))


if __name__ == '__main__':
    sys.exit(main())
