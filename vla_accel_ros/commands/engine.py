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

"""`vla-accel engine`: build what engines need for a checkpoint, list, verify and remove it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import asdict
import json
import os
import sys

from vla_accel_ros.commands.calibrate import add_arguments, write_calibration
from vla_accel_ros.commands.engine_entries import clean, refuse_engines, show
from vla_accel_ros.commands.frames import frame_arguments, frames_of
from vla_accel_ros.devices import device_name
from vla_accel_ros.engines import registry, wish
from vla_accel_ros.paths import DEFAULT_CHECKPOINT, checkpoint_folder

ACTIONS = {
    'build': 'build engines for a checkpoint, compare them with eager and time them',
    'calibrate': 'record what programs are given on frames, for int8 throughout and float8',
    'list': 'what there is on the disk and for which checkpoint, and the timings',
    'verify': 'compare engines with eager on a few frames; `vla-accel verify --engine` takes more',
    'clean': 'remove what there is for a checkpoint, or all of it',
}

MOST_DAYS = 36500


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add(
        'action',
        choices=tuple(ACTIONS),
        help='; '.join(f'{name}: {what}' for name, what in ACTIONS.items()),
    )
    add(
        'checkpoint',
        nargs='?',
        default=None,
        help=f'shipped checkpoint or folder ({DEFAULT_CHECKPOINT}; for list and clean all)',
    )
    add(
        '--engine',
        action='append',
        default=[],
        metavar='NAME',
        help='which engine, once for each (all exact ones that can run here, without compile)',
    )
    wish.add_precision(parser)
    frame_arguments(parser)
    add_arguments(parser)
    add('--device', type=device_name, default='cpu', help='cpu or cuda (%(default)s)')
    add('--unnorm-key', default=None, help='data set, where the checkpoint has several')
    add(
        '--methods',
        default=None,
        metavar='A,B',
        help='pruning methods to build for, separated by commas (all)',
    )
    add(
        '--decoders',
        default=None,
        metavar='A,B',
        help='decoders to build for, separated by commas (all)',
    )
    add(
        '--threads',
        type=int,
        action='append',
        default=[],
        metavar='N',
        help='threads that calls are timed with, once for each (1, and what the node takes)',
    )
    add(
        '--unused-days',
        type=float,
        default=0.0,
        metavar='N',
        help='clean: only what nothing used for so many days; timings stay (0: all)',
    )


def run(args: argparse.Namespace) -> int:
    """Run the command.

    Returns:
        0, or 1 where an engine that was asked for cannot be built or does not agree.

    Raises:
        ValueError: When an argument makes no sense.
        FileNotFoundError: When there is no such checkpoint.
    """
    if args.action in ('list', 'clean'):
        refuse_engines(args)
    if any(count < 1 for count in args.threads):
        raise ValueError(f'--threads is {min(args.threads)}, expected at least 1')
    if not 0 <= args.unused_days <= MOST_DAYS:
        raise ValueError(f'--unused-days is {args.unused_days:g}, expected 0 to {MOST_DAYS}')
    if args.unused_days and args.action != 'clean':
        raise ValueError(f'--unused-days goes with clean alone, not with {args.action}')
    if args.engine_device != registry.AUTO and not args.engine:
        raise ValueError(f'--engine-device is {args.engine_device}, expected --engine with it')
    for name in args.engine:
        _wish(args, name)
        if name == registry.AUTO:
            raise ValueError('--engine is auto, expected engines by name, or none for all')
    actions = {
        'build': _build,
        'calibrate': lambda args: write_calibration(args, _load, _ways),
        'verify': _verify,
        'list': show,
        'clean': clean,
    }
    return actions[args.action](args)


def _wish(args: argparse.Namespace, name: str) -> wish.EngineWish:
    calibration, device = args.engine_calibration, args.engine_device
    return wish.EngineWish(name, args.engine_precision, False, calibration, device)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _load(args: argparse.Namespace):
    from vla_accel_ros.models.policy import Policy

    folder = checkpoint_folder(args.checkpoint or DEFAULT_CHECKPOINT)
    return Policy.load(folder, device=args.device, unnorm_key=args.unnorm_key, threads=1)


def _kinds(args: argparse.Namespace) -> list[registry.EngineKind]:
    """Give the engines that are meant, and say why others are not."""
    if args.engine:
        return [registry.find(name) for name in dict.fromkeys(args.engine)]
    found = []
    for name in registry.names():
        kind = registry.find(name)
        why = kind.probe()
        if why is None:
            try:
                _wish(args, name)
            except ValueError as error:
                why = str(error)
        if why is not None:
            _say(f'{name}: {why}')
        elif kind.usual and name != registry.EAGER:
            found.append(kind)
    if not found and args.engine_precision != wish.WEIGHTS:
        raise ValueError(
            f'--engine-precision is {args.engine_precision}, and no engine can compute so here'
        )
    return found


def _words(text: str | None, known, option: str) -> tuple[str, ...]:
    if text is None:
        return tuple(known)
    words = tuple(filter(None, (word.strip() for word in text.split(','))))
    for word in words:
        if word not in known:
            raise ValueError(f"{option} has '{word}', expected some of {', '.join(known)}")
    return words


def _ways(args: argparse.Namespace):
    from vla_accel_ros.decoding.registry import DECODERS
    from vla_accel_ros.models.engine_build import all_ways
    from vla_accel_ros.pruning.registry import METHODS

    return all_ways(
        _words(args.methods, METHODS, '--methods'), _words(args.decoders, DECODERS, '--decoders')
    )


def _build(args: argparse.Namespace) -> int:
    from vla_accel_ros.engines.interface import EngineError
    from vla_accel_ros.models.engine_build import build
    from vla_accel_ros.models.engine_choice import Means

    ways = _ways(args)
    threads = args.threads or sorted({1, max(1, len(os.sched_getaffinity(0)) - 1)})
    policy, outcomes, failed = _load(args), [], 0
    for kind in _kinds(args):
        precision = args.engine_precision
        if precision == wish.WEIGHTS:
            precision = policy.in_use.weights
        device, file = kind.device(args.engine_device), args.engine_calibration
        try:
            means = Means(built=lambda built, name=kind.name: _say(f'{name}: {built}'))
            found = build(policy, kind, precision, means, ways, threads, file, device)
        except EngineError as error:
            failed += bool(args.engine)
            about = {'engine': kind.name, 'device': device, 'precision': precision}
            outcomes.append({**about, 'failure': str(error)})
        else:
            failed += bool(found.failure)
            facts = asdict(found)
            facts['built'] = [
                {
                    'what': each.what,
                    'seconds': round(each.seconds, 3),
                    'bytes': each.bytes,
                    'why': each.why,
                }
                for each in found.built
            ]
            outcomes.append(facts)
        if not args.json:
            print(_outcome_line(outcomes[-1]), flush=True)
    if args.json:
        print(
            json.dumps({'checkpoint': args.checkpoint or DEFAULT_CHECKPOINT, 'engines': outcomes})
        )
    elif not outcomes:
        print('no engine but eager can run here')
    return 1 if failed else 0


def _outcome_line(facts: Mapping) -> str:
    head = f'{registry.titled(facts["engine"], facts["device"])} in {facts["precision"]}: '
    if facts['failure']:
        return head + f'not used: {facts["failure"]}'
    size = sum(each['bytes'] for each in facts['built']) / 1e6
    built = f'{len(facts["built"])} built, {size:.1f} MB, ' if facts['built'] else 'all there, '
    lines = [f'{head}{built}{facts["seconds"]:.1f} s; agrees with eager']
    by_threads: dict[int, dict[str, float]] = {}
    for timing in facts['timings']:
        by_threads.setdefault(timing['threads'], {})[timing['engine']] = timing['ms']
    for threads, ms in by_threads.items():
        own, eager = ms[facts['engine']], ms['eager']
        lines.append(
            f'  {threads} thread{"s" * (threads > 1)}: {own:.1f} ms a call, eager {eager:.1f} ms, '
            f'{eager / own:.2f}x'
        )
    lines += [f'  {name} runs on eager: {why}' for name, why in facts['reasons'].items()]
    return '\n'.join(lines)


def _verify(args: argparse.Namespace) -> int:
    from vla_accel_ros.models.parity.engine_report import render, verify

    args.checkpoint = args.checkpoint or DEFAULT_CHECKPOINT
    policy, ways = _load(args), _ways(args)
    rows = [
        verify(policy, _wish(args, kind.name), frames_of(args, policy), ways, _say)
        for kind in _kinds(args)
    ]
    print(json.dumps(rows) if args.json else '\n'.join(map(render, rows)))
    return 0 if all(row['agrees'] for row in rows) else 1
