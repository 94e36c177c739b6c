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
import json
from pathlib import Path
import shlex
import sys

from benchmarks.soak_figures import GROWS, OPEN
from benchmarks.soak_graph import Graph, Part, run
from benchmarks.soak_page import facts_of, page
from vla_accel_ros.evaluation import conditions
from vla_accel_ros.files.outputs import beginning, check_file, json_with
from vla_accel_ros.files.whole_files import write_whole
from vla_accel_ros.paths import DEFAULT_CHECKPOINT

COMMAND = 'python -m benchmarks.soak'
REAL_MIN, SIMULATED_H, LEAST_MIN = 60.0, 24.0, 3.0
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
        check_file(options.out / 'soak.json', '--out', json_with('parts', 'machine'))
        check_file(options.out / 'soak.md', '--out', beginning('# Endurance'))
    except ValueError as error:
        parser.error(str(error))
    minutes = REAL_MIN if options.minutes is None else options.minutes

    def enough(part: Part) -> bool:
        if part.clock == 'real':
            return part.seconds >= 60 * minutes
        late = options.minutes is not None and part.seconds >= 60 * options.minutes
        return late or part.simulated_s >= 3600 * SIMULATED_H

    found = {
        'date': conditions.today(),
        'machine': conditions.machine(),
        'versions': conditions.versions(),
        'command': shlex.join([*COMMAND.split(), *sys.argv[1:]]),
        'checkpoint': options.checkpoint,
        'asked': {'real_minutes': REAL_MIN, 'simulated_hours': SIMULATED_H},
        'remark': options.remark,
        'parts': [],
    }
    clocks = ('real', 'simulated') if options.clock == 'both' else (options.clock,)
    for graph in [Graph(clock == 'simulated', options.checkpoint) for clock in clocks]:
        meter = conditions.CpuMeter()
        part = facts_of(run(graph, enough))
        found['parts'].append({**part, 'machine_withheld': meter.shares()['stolen']})
        # What hours have shown is not lost with what comes after.
        write_whole(options.out / 'soak.md', page(found))
        write_whole(options.out / 'soak.json', json.dumps(found, indent=1) + '\n')
    print(page(found))
    verdicts = [row['verdict'] for part in found['parts'] for row in part['processes']]
    if OPEN in verdicts:
        print('too short to tell of some processes: run it for longer', file=sys.stderr)
    return 1 if GROWS in verdicts else 0


if __name__ == '__main__':
    sys.exit(main())
