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

"""`vla-accel verify`: compare with the original's numbers, or an engine with eager."""

from __future__ import annotations

import argparse
from dataclasses import asdict
import json
from pathlib import Path
import sys

from vla_accel_ros.commands.frames import frame_arguments, frames_of
from vla_accel_ros.devices import device_name
from vla_accel_ros.engines import registry, wish
from vla_accel_ros.paths import DEFAULT_CHECKPOINT, checkpoint_folder


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    original = parser.add_argument_group("the original's numbers")
    original.add_argument(
        '--fixture',
        metavar='DIR',
        help='checkpoint folder of any family with inputs.npz and outputs.npz; the '
        "example's is in the source tree, not in an installed package",
    )
    original.add_argument(
        '--oft',
        action='store_true',
        help='compare OpenVLA-OFT, too: its side files and oft_outputs.npz are in the folder',
    )
    engines = parser.add_argument_group('an engine')
    add = engines.add_argument
    add(
        'checkpoint',
        nargs='?',
        default=DEFAULT_CHECKPOINT,
        help='shipped checkpoint or folder (%(default)s)',
    )
    add('--engine', metavar='NAME', help=f'compare this one with eager: {", ".join(registry.OWN)}')
    wish.add_precision(engines)
    frame_arguments(engines)
    add(
        '--methods',
        default='none',
        metavar='A,B',
        help='pruning methods to compare with, or all (%(default)s)',
    )
    add(
        '--decoders',
        default='greedy',
        metavar='A,B',
        help='decoders to compare with, or all (%(default)s)',
    )
    add(
        '--bound',
        type=float,
        metavar='X',
        help='how far it may be: mean bins of tokens, or largest difference of normalised numbers '
        '(no token but for ties, or 0.001; of fewer bits 1 bin, or 0.1)',
    )
    add('--device', type=device_name, default='cpu', help='cpu or cuda (%(default)s)')
    add('--unnorm-key', default=None, help='data set, where the checkpoint has several')


def run(args: argparse.Namespace) -> int:
    """Run the command.

    Returns:
        0 when all agrees, else 1.

    Raises:
        ValueError: When there is nothing to compare, or it cannot be compared.
    """
    if (args.fixture is None) == (args.engine is None):
        raise ValueError('nothing to compare, expected either --fixture DIR or --engine NAME')
    return _engine(args) if args.engine is not None else _original(args)


def _engine(args: argparse.Namespace) -> int:
    from vla_accel_ros.decoding.registry import DECODERS
    from vla_accel_ros.models.engine_build import all_ways
    from vla_accel_ros.models.parity.engine_report import render, verify
    from vla_accel_ros.models.policy import Policy
    from vla_accel_ros.pruning.registry import METHODS

    asked = wish.wish_of(args)
    if asked.engine == registry.AUTO:
        raise ValueError('--engine is auto, expected an engine by name')
    ways = all_ways(
        _words(args.methods, METHODS, '--methods'), _words(args.decoders, DECODERS, '--decoders')
    )
    folder = checkpoint_folder(args.checkpoint)
    policy = Policy.load(folder, device=args.device, unnorm_key=args.unnorm_key, threads=1)
    row = verify(
        policy,
        asked,
        frames_of(args, policy),
        ways,
        lambda line: print(line, file=sys.stderr),
        args.bound,
    )
    row['checkpoint'] = args.checkpoint
    print(json.dumps(row, indent=1) if args.json else render(row))
    return 0 if row['agrees'] else 1


def _words(text: str, known, option: str) -> tuple[str, ...]:
    if text == 'all':
        return tuple(known)
    words = tuple(filter(None, (word.strip() for word in text.split(','))))
    for word in words:
        if word not in known:
            raise ValueError(f"{option} has '{word}', expected all or some of {', '.join(known)}")
    return words


def _original(args: argparse.Namespace) -> int:
    from vla_accel_ros.models.parity.compare import ARRAY_FILES, table
    from vla_accel_ros.models.parity.oft_compare import verify_oft
    from vla_accel_ros.models.parity.registry import verify

    comparisons, left_out = [], []
    # A folder may hold OFT's numbers alone.
    if not args.oft or (Path(args.fixture) / ARRAY_FILES[1]).exists():
        compared, missing = verify(args.fixture)
        comparisons += compared
        left_out += missing
    if args.oft:
        comparisons += verify_oft(args.fixture)
    passed = all(c.passed for c in comparisons)
    if getattr(args, 'json', False):
        print(
            json.dumps(
                {
                    'fixture': str(args.fixture),
                    'passed': passed,
                    'not_compared': left_out,
                    'arrays': [asdict(c) for c in comparisons],
                },
                indent=1,
            )
        )
    else:
        print(table(comparisons, left_out))
    return 0 if passed else 1
