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

"""`vla-accel eval`: closed-loop success on the embedded arm, with and without acceleration."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
import sys
import time

from vla_accel_ros.evaluation import methods, runner, seeds
from vla_accel_ros.evaluation.environments.tabletop import TabletopKind
from vla_accel_ros.evaluation.methods.grammar import help_text
from vla_accel_ros.evaluation.metrics import EpisodeResult, summarise
from vla_accel_ros.evaluation.table import render
from vla_accel_ros.paths import checkpoint_folder

INTERRUPTED = 130


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add('--checkpoint', default='tabletop-s', help='shipped checkpoint or folder (%(default)s)')
    add('--episodes', type=int, default=50, help='of each method (%(default)s)')
    add('--seed', type=int, default=seeds.RANGES['reporting'].start,
        help='first seed; the reporting range by default (%(default)s)')
    add('--methods', default='none,sp_vla', help=help_text())
    add('--task', default='lift', help=(
        'an instruction, or lift, place or stack for all of that kind in turn (%(default)s)'))
    add('--workers', type=int, default=os.cpu_count() or 1,
        help='processes; changes nothing but the time (%(default)s)')
    add('--device', default='cpu', help='cpu or cuda (%(default)s)')
    add('--image-size', type=int, default=None,
        help="side of the camera images in pixels; the checkpoint's own by default")
    add('--max-steps', type=int, default=None,
        help="steps after which an episode is cut off; the task's own by default")
    add('--out', type=Path, default=None, help='file for the JSON report')


def seeds_of(first: int, count: int) -> tuple[str, range]:
    """Return what the seeds are for, and the seeds.

    Raises:
        ValueError: When there is no episode, or they are not all for reporting or for tuning.
    """
    purpose = 'tuning' if first in seeds.RANGES['tuning'] else 'reporting'
    return purpose, seeds.require(purpose, first, count)


def report(results: list[EpisodeResult], names: list[str], about: dict) -> dict:
    """Return the report: what was run, and each method's summary."""
    by_method = {name: [r for r in results if r.method == name] for name in names}
    return {
        **about, 'methods': [summarise(name, rs) for name, rs in by_method.items() if rs],
    }


def run(args: argparse.Namespace) -> int:
    """Evaluate; return 0 when every episode was run."""
    chosen = methods.find(args.methods)
    instructions = TabletopKind().instructions(args.task)
    purpose, numbers = seeds_of(args.seed, args.episodes)
    folder = checkpoint_folder(args.checkpoint)
    names = [method.name for method in chosen]
    jobs = runner.plan(chosen, numbers, instructions)
    results: list[EpisodeResult] = []
    interrupted = False
    start = time.monotonic()
    live = sys.stderr.isatty()
    try:
        setup = runner.Setup(
            str(folder), TabletopKind(), args.device, args.image_size, args.max_steps)
        for result in runner.run(jobs, setup, args.workers):
            results.append(result)
            if live:
                _progress(results, names, len(jobs), time.monotonic() - start)
    except KeyboardInterrupt:
        interrupted = True
    if live:
        print(file=sys.stderr)
    about = {
        'checkpoint': folder.name, 'task': args.task, 'clock': 'step', 'seeds': purpose,
        'first_seed': numbers.start, 'complete': not interrupted,
        'seconds': round(time.monotonic() - start, 1),
    }
    if not results:
        print('interrupted before the first episode was over', file=sys.stderr)
        return INTERRUPTED
    whole = report(results, names, about)
    if args.out is not None:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps(whole, indent=1) + '\n', encoding='utf-8')
    if args.json:
        print(json.dumps(whole))
    else:
        print(f'{folder.name}, {args.task}, {purpose} seeds from {numbers.start}, step clock')
        print(render(whole['methods']))
    if interrupted:
        print(f'interrupted: {len(results)} of {len(jobs)} episodes were run', file=sys.stderr)
    return INTERRUPTED if interrupted else 0


def _progress(results: list[EpisodeResult], names: list[str], total: int, took: float) -> None:
    parts = []
    for name in names:
        mine = [r.success for r in results if r.method == name]
        if mine:
            parts.append(f'{name} {sum(mine)}/{len(mine)}')
    left = took / len(results) * (total - len(results))
    print(f'\r{len(results)}/{total}  {"  ".join(parts)}  {left:.0f} s left \x1b[K',
          end='', file=sys.stderr, flush=True)
