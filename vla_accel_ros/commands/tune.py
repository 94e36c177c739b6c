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

"""`vla-accel tune`: search a scheduler's and a pruner's parameters, and confirm what is found."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import ExitStack
import json
from math import inf
from pathlib import Path
import re
import sys

from vla_accel_ros.acceleration.presets import render as render_preset
from vla_accel_ros.cluster.connection import Cluster
from vla_accel_ros.cluster.options import workers_here
from vla_accel_ros.files.output_folder import OutputFolder
from vla_accel_ros.files.outputs import check_outside
from vla_accel_ros.paths import checkpoint_folder
from vla_accel_ros.replay.progress import Bar
from vla_accel_ros.stopping import Interrupt
from vla_accel_ros.tuning.confirm import confirm
from vla_accel_ros.tuning.options import configure
from vla_accel_ros.tuning.outcome import Outcome
from vla_accel_ros.tuning.outputs import remove_outputs, write_outputs
from vla_accel_ros.tuning.picture import draw
from vla_accel_ros.tuning.plans import model_of, plan_of, rule_of
from vla_accel_ros.tuning.points import FASTEST
from vla_accel_ros.tuning.results import chosen_line, comments, render, to_dict
from vla_accel_ros.tuning.search import search
from vla_accel_ros.tuning.shared import Shared
from vla_accel_ros.tuning.spaces import spaces
from vla_accel_ros.tuning.store import PICTURE, PRESETS, RESULTS, Folder, files_of
from vla_accel_ros.tuning.target import Stopped

NONE_CHOSEN = 1
__all__ = ['configure', 'run']


def run(args: argparse.Namespace) -> int:
    """Tune; return 0 when a setting was chosen.

    Returns:
        0, 1 when no setting is good enough, 130 when interrupted.
    """
    out = args.out or Path('out/tune') / ('sim' if args.sim else _name(args.bags))
    files = files_of(out)
    files.check()
    rule, plan = rule_of(args), plan_of(args)
    check_outside(out, (checkpoint_folder(args.checkpoint), *(args.bags or ()), *args.confirm_bag))
    found_in = spaces(args.methods, model_of(args), args.ranges)
    say = (lambda _text: None) if args.json else print
    identity = {
        **plan.identity(),
        'methods': {space.name: space.to_dict() for space in found_in},
        'sampler_seed': args.sampler_seed,
    }
    workers = workers_here() if args.workers is None else args.workers
    with ExitStack() as stack:
        where, cluster = '', None
        if args.cluster is not None:
            cluster = stack.enter_context(Cluster(args.cluster, args.device))
            where, workers = f' on {args.cluster}', args.workers or cluster.room
        stack.enter_context(files)
        stop = stack.enter_context(
            Interrupt('stopping: settings under way are left, those tried are kept')
        )
        shared = None
        if args.storage is not None:
            shared = Shared(args.storage, args.study, identity)
            stack.enter_context(shared.errors())
            stack.enter_context(shared.heart)
        folder = Folder(files, identity)
        for space in found_in:
            say(f'{space.name}: {", ".join(each.name for each in space.dimensions)}')
        say(
            f'starting {workers} worker{"s" * (workers > 1)}{where}, after the unaccelerated '
            'policy was tried'
        )
        bar = Bar(args.trials * len(found_in), 'settings tried')
        found = search(
            plan,
            found_in,
            shared or folder,
            args.trials,
            args.sampler_seed,
            workers,
            bar.show,
            stop,
            cluster,
        )
        bar.end()
        if not found.points:
            stop.end()
        outcome = Outcome(
            plan,
            found,
            rule,
            tuple(space.name for space in found_in),
            interrupted=not found.complete,
        )
        _confirm(outcome, args.points, workers, say, stop, cluster)
        return _conclude(outcome, files, args.json, stop)


def _name(bags: list[Path] | None) -> str:
    # Without any the plan says what is missing.
    return bags[0].resolve().stem if bags else 'bags'


def _confirm(
    outcome: Outcome,
    most: int,
    workers: int,
    say: Callable[[str], None],
    stop: Interrupt,
    cluster: Cluster | None,
) -> None:
    """Try the best points on what the search has not seen, where there is such."""
    held_out, points = outcome.plan.held_out(), outcome.to_confirm(most)
    if held_out is None or not points or outcome.interrupted:
        return
    say(f'confirming {len(points)} settings on {held_out.describe()}')
    rule, bound = outcome.rule
    bar = Bar(len(points), 'settings confirmed')
    try:
        outcome.confirmed = confirm(
            held_out, points, bound if rule == FASTEST else inf, workers, bar.show, stop, cluster
        )
    except Stopped:
        outcome.interrupted = True
    bar.end()


def _conclude(outcome: Outcome, files: OutputFolder, as_json: bool, stop: Interrupt) -> int:
    """Write everything, say what there is to say, and return the exit code."""
    results, chosen = to_dict(outcome), outcome.chosen
    written = [files.write(RESULTS, json.dumps(results, indent=1) + '\n'), files.note(PICTURE)]
    draw(results, files.path / PICTURE)
    if outcome.best:
        files.folder(PRESETS)
    for name, point in outcome.best.items():
        file = f'{PRESETS}/{re.sub("[^A-Za-z0-9_.-]+", "_", name)}.yaml'
        files.write(file, render_preset(point.method, comments(outcome, point)))
    if chosen is not None:
        written += write_outputs(
            chosen.method, outcome.plan.step_s, files, comments(outcome, chosen)
        )
    else:
        remove_outputs(files)
    if as_json:
        print(json.dumps(results))
    else:
        print(f'\n{render(outcome)}\n\n{chosen_line(outcome)}\n')
        print('\n'.join(f'  {path}' for path in written))
    for line in outcome.notes():
        print(f'tune: {line}', file=sys.stderr)
    if outcome.interrupted:
        print('tune: the same command goes on', file=sys.stderr)
        return stop.code
    if chosen is None:
        rule, bound = outcome.rule
        print(f'tune: no setting that {rule} {bound:g} admits has held', file=sys.stderr)
        return NONE_CHOSEN
    return 0
