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

"""`vla-accel replay`: a bag offline, or over the real nodes."""

from __future__ import annotations

import argparse
from math import inf

from vla_accel_ros.replay import offline_run as command
from vla_accel_ros.replay import options


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
    if args.mode == 'offline':
        return command.run(args)
    # rclpy takes a while, and offline does without it.
    from vla_accel_ros.graph import replay_graph

    return replay_graph.run(args)
