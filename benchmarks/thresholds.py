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

"""Do thresholds carry over to another arm, another rate? The expert in the model's place says.

Each environment runs in the virtual environment that has it. What is there of others is kept:

    .venv/bin/python -m benchmarks.thresholds tabletop
    .venv-libero/bin/python -m benchmarks.thresholds libero
    .venv-simpler/bin/python -m benchmarks.thresholds carrot spoon cube
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
import json
from pathlib import Path
import subprocess
import sys
from typing import NamedTuple

from vla_accel_ros.evaluation import conditions
from vla_accel_ros.files.whole_files import write_whole

RESULTS = Path(__file__).resolve().parent / 'results'
JSON, PAGE = RESULTS / 'thresholds.json', RESULTS / 'thresholds.md'
METHODS = 'none,hold,tuned_hold,sp_vla_scheduling,tuned_sp_vla_scheduling,trust,tuned_trust'


class Place(NamedTuple):
    """Where the expert acts.

    Attributes:
        env: As `vla-accel env` has it.
        episodes: Of each method.
        seed: The first.
    """

    env: str
    episodes: int
    seed: int


PLACES = {
    'tabletop': Place('tabletop', 100, 2_000_000),
    'libero': Place('libero:object', 50, 0),
    # Each of the layouts once.
    'carrot': Place('simpler:carrot', 24, 0),
    'spoon': Place('simpler:spoon', 24, 0),
    'cube': Place('simpler:cube', 24, 0),
}


def command(place: Place) -> list[str]:
    """Return the words of `vla-accel`."""
    return [
        'env',
        place.env,
        '--policy',
        'expert',
        '--methods',
        METHODS,
        '--episodes',
        str(place.episodes),
        '--seed',
        str(place.seed),
        '--json',
    ]


def page(found: dict) -> str:
    """Return the results for people.

    Args:
        found: By name of the place, what `vla-accel env` said, and `date` and `machine`.
    """
    lines = [
        '# Do thresholds carry over?',
        '',
        'The scripted expert of each environment stands in the place of the model. It is asked '
        "when a method's schedule would ask its model, so nothing is lost by pruning or decoding. "
        'The settings are the defaults and those of `config/presets`, found on `tabletop`, used '
        'as they are. [docs/environments.md](../../docs/environments.md) says what follows.',
        '',
    ]
    for name, place in PLACES.items():
        if name not in found:
            continue
        result = found[name]
        lines += [
            f'## {place.env}, {1 / result["step_s"]:.0f} Hz',
            '',
            f'    vla-accel {" ".join(command(place))}',
            '',
            f'{result["date"]}, {result["machine"]["processor"]}.',
            '',
            '| schedule | success | at the end | points more than none | calls/step | steps | '
            'jerk p95, m/s^3 |',
            '|---|---|---|---|---|---|---|',
            *map(_row, result['methods']),
            '',
        ]
    return '\n'.join(lines)


def _row(row: dict) -> str:
    points = '-'
    if row['difference_ci'] is not None:
        low, high = (100 * bound for bound in row['difference_ci'])
        points = f'{100 * row["difference"]:+.1f} ({low:+.1f} to {high:+.1f})'
    steps = '-' if row['steps_per_success'] is None else f'{row["steps_per_success"]:.1f}'
    return (
        f'| {row["method"]} | {row["successes"]}/{row["episodes"]} | {row["successes_at_end"]} | '
        f'{points} | {row["calls_per_step"]:.2f} | {steps} | {row["jerk_p95"]:.0f} |'
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for, and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'places', nargs='+', choices=PLACES, metavar='PLACE', help=', '.join(PLACES)
    )
    found = json.loads(JSON.read_text(encoding='utf-8')) if JSON.is_file() else {}
    for name in parser.parse_args(arguments).places:
        words = [sys.executable, '-m', 'vla_accel_ros.cli', *command(PLACES[name])]
        done = subprocess.run(words, check=False, stdout=subprocess.PIPE)
        if done.returncode:
            return done.returncode
        machine = {'date': conditions.today(), 'machine': conditions.machine()}
        found[name] = {**json.loads(done.stdout), **machine}
        write_whole(JSON, json.dumps(found, indent=1) + '\n')
        write_whole(PAGE, page(found))
    print(PAGE.read_text(encoding='utf-8'))
    return 0


if __name__ == '__main__':
    sys.exit(main())
