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

"""`vla-accel replay`: a bag or a LeRobot dataset, offline or over the real nodes."""

from __future__ import annotations

import argparse
from math import inf
from pathlib import Path
import sys

from vla_accel_ros import extras
from vla_accel_ros.files.outputs import check_outside
from vla_accel_ros.inputs.space_file import read_space
from vla_accel_ros.replay import offline_run as command
from vla_accel_ros.replay import options
from vla_accel_ros.replay.lerobot.layout import SPACE, is_dataset
from vla_accel_ros.replay.roles import NONE


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    options.configure(parser)
    parser.add_argument(
        '--rate',
        type=float,
        default=0.0,
        help=(
            'with --mode graph: times faster than it was recorded at most; 0 as fast as the nodes '
            'decide (%(default)s)'
        ),
    )


def run(args: argparse.Namespace) -> int:
    """Replay; return 0 when the whole bag was, and it was sound.

    Raises:
        ValueError: When bag, checkpoint and arguments do not go together.
    """
    if not 0 <= args.rate < inf:
        raise ValueError(f'--rate is {args.rate}, expected at least 0')
    if is_dataset(args.bag):
        return _dataset(args)
    return _replay(args)


def _dataset(args: argparse.Namespace) -> int:
    # pyarrow takes a while, and bags do without it.
    from vla_accel_ros.replay.lerobot.as_bag import as_bag
    from vla_accel_ros.replay.spaces import check_same

    extras.require('eval')
    said = args.bag / SPACE
    if said.is_file() and args.action_topic != NONE:
        if args.action_space:
            whose = f'{args.bag.name}/{SPACE}'
            check_same(
                read_space(args.action_space), read_space(str(said)), '--action-space', whose
            )
        args.action_space = str(said)
    dataset, args.out = args.bag, args.out or Path('out/replay') / args.bag.resolve().name
    check_outside(args.out, (dataset,))
    with as_bag(dataset, lambda line: print(f'replay: {line}', file=sys.stderr)) as bag:
        args.bag = bag
        return _replay(args)


def _replay(args: argparse.Namespace) -> int:
    if args.mode == 'offline':
        return command.run(args)
    # rclpy takes a while, and offline does without it.
    from vla_accel_ros.graph import replay_graph

    return replay_graph.run(args)
