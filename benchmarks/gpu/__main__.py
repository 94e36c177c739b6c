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

"""Measure the engines on a GPU, the most important first, within a time that is given.

Each part is a process of its own and writes its own file, so that a run that is cut short keeps
what it has. `--rehearse` runs all of it on the CPU with small models.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.util import find_spec
import json
from pathlib import Path
import shlex
import signal
import sys
import tempfile
import time
from typing import Any

from benchmarks.gpu.goals import goals, to_markdown
from benchmarks.gpu.plan import (
    ARMS,
    COMPILE,
    FULL,
    MACHINE,
    PLAIN,
    REHEARSAL,
    Part,
    Scale,
    first_parts,
    measured_parts,
)
from benchmarks.gpu.running import Outcome, run, skipped
from vla_accel_ros.evaluation import conditions
from vla_accel_ros.files.whole_files import write_whole

RESULTS = Path(__file__).resolve().parents[1] / 'results'
FILE = 'gpu'
SECONDS = 1450.0
# A part with less time than this share of its own is not begun.
WORTH = 0.25
REHEARSED = 'Rehearsal on the CPU with small models, which says nothing of the goals'


class Run:
    """A run: its parts, and what is known after each of them.

    Args:
        folder: Where the results go.
        facts: What is to be told of the run.
        seconds: Seconds for all parts.
        only: Names of the parts to run; all if empty.
        say: Takes a line.
    """

    def __init__(
        self,
        folder: Path,
        facts: dict[str, Any],
        seconds: float,
        only: Sequence[str] = (),
        say: Callable[[str], object] = print,
    ) -> None:
        self._folder, self._facts, self._only, self._say = folder, facts, only, say
        self._end = time.monotonic() + seconds
        self.outcomes: list[Outcome] = []
        self._tables: list[str] = []

    def take(self, part: Part) -> None:
        """Run a part, as far as there is time, and write down what is known then."""
        # Without it nobody knows which engines work.
        needed = part.name == MACHINE and not self.found(MACHINE)
        if self._only and part.name not in self._only and not needed:
            return
        left = self._end - time.monotonic()
        if left < WORTH * part.seconds:
            outcome = skipped(part, f'{max(left, 0):.0f} s were left')
        else:
            self._say(f'{part.name}: at most {min(part.seconds, left):.0f} s')
            outcome = run(part, self._folder, left)
        self.outcomes.append(outcome)
        self._take_table(part)
        ended = outcome.remark or ('done' if outcome.fine else f'exit status {outcome.code}')
        self._say(f'{part.name}: {ended}, {outcome.seconds:.0f} s')
        if not outcome.fine:
            self._say('\n'.join(f'    {line}' for line in outcome.tail[-8:]))
        self.write()

    def found(self, part: str) -> dict[str, Any]:
        """Give what a part wrote, nothing where it wrote nothing that can be read."""
        try:
            return json.loads((self._folder / f'{part}.json').read_text(encoding='utf-8'))
        except (OSError, ValueError):
            return {}

    def write(self) -> None:
        """Write the results for programs and for people."""
        reached = goals(
            {name: self.found(name).get('rows', ()) for name in ('exact', COMPILE, 'slots', ARMS)}
        )
        report = {
            **self._facts,
            'parts': [outcome.plain() for outcome in self.outcomes],
            'goals': [goal.plain() for goal in reached],
        }
        text = json.dumps(report, indent=1, ensure_ascii=False) + '\n'
        write_whole(self._folder / f'{FILE}.json', text)
        words = [
            f'# {self._facts["title"]}',
            '',
            f'{self._facts["date"]}, by `{self._facts["command"]}`.',
            '',
            to_markdown(reached),
            '| part | seconds | ended |',
            '|---|---|---|',
            *(
                f'| {one.name} | {one.seconds:.0f} | '
                f'{one.remark or ("done" if one.fine else f"exit status {one.code}")} |'
                for one in self.outcomes
            ),
            '',
            *self._tables,
        ]
        write_whole(self._folder / f'{FILE}.md', '\n'.join(words) + '\n')

    def _take_table(self, part: Part) -> None:
        """Take in the table that a part wrote for people: one file is enough."""
        table = self._folder / f'{part.name}.md'
        if table.exists():
            text = table.read_text(encoding='utf-8').partition('\n')[2]
            self._tables.append(f'## {part.name}\n{text}')
            table.unlink()


def everything(scale: Scale, run_of: Run, folder: Path) -> None:
    """Run all parts: first what says which engines work, then these."""
    for part in first_parts(scale, folder):
        run_of.take(part)
    there = run_of.found(MACHINE)
    tried = there.get('engines', {})
    working = [name for name, how in tried.items() if how['works']] or ['eager']
    plain = find_spec(PLAIN) is not None
    edges = find_spec('cv2') is not None
    for part in measured_parts(scale, folder, working, plain, edges):
        run_of.take(part)


def main(words: Sequence[str] | None = None) -> int:
    """Run it.

    Returns:
        The exit status: 0 where every part ran to its end.
    """
    parser = argparse.ArgumentParser('benchmarks/gpu.sh', description=__doc__.split('\n')[0])
    add = parser.add_argument
    add('--out', type=Path, help='folder, instead of the one of this machine kind')
    add('--seconds', type=float, default=SECONDS, help='for all of it (%(default)g)')
    add(
        '--only',
        default='',
        metavar='A,B',
        help=f'parts, instead of all of them; {MACHINE} always, where its file is not there yet',
    )
    add('--rehearse', action='store_true', help='on the CPU, with small models')
    add('--models', metavar='A,B', help='that answers in tokens, and in one pass; as for bench')
    options = parser.parse_args(words)
    scale = REHEARSAL if options.rehearse else FULL
    if options.models:
        tokens, slots = options.models.split(',')
        scale = replace(scale, tokens=tokens, slots=slots)
    machine = conditions.machine()
    if not options.rehearse and machine['gpu'] is None:
        parser.error('this machine has no GPU: --rehearse runs on the CPU')
    folder = options.out
    if folder is None and options.rehearse:
        folder = Path(tempfile.mkdtemp(prefix='vla-accel-rehearsal-'))
    folder = folder or RESULTS / conditions.machine_kind(machine)
    folder.mkdir(parents=True, exist_ok=True)
    facts = {
        'kind': 'benchmarks.gpu',
        'title': REHEARSED if options.rehearse else str(machine['gpu']),
        'date': conditions.today(),
        'command': shlex.join(['benchmarks/gpu.sh', *(words or sys.argv[1:])]),
        'machine': machine,
        'versions': conditions.versions(),
    }
    only = [name for name in options.only.split(',') if name]
    # Whoever ends the run ends its part, too, which writes down what it has.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    begun = Run(folder, facts, options.seconds, only)
    try:
        everything(scale, begun, folder)
    except KeyboardInterrupt:
        print(f'stopped: {folder} has what was found', file=sys.stderr)
        return 130
    print((folder / f'{FILE}.md').read_text(encoding='utf-8'))
    return 0 if all(outcome.fine for outcome in begun.outcomes) else 1


if __name__ == '__main__':
    sys.exit(main())
