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

"""The arguments of `vla-accel eval`."""

from __future__ import annotations

import argparse
from pathlib import Path

from vla_accel_ros.acceleration.grammar import add_argument
from vla_accel_ros.cluster.options import add_cluster
from vla_accel_ros.devices import device_name
from vla_accel_ros.engines import wish
from vla_accel_ros.environments import registry
from vla_accel_ros.evaluation import clocks, seeds
from vla_accel_ros.paths import DEFAULT_CHECKPOINT


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add = parser.add_argument
    add(
        '--checkpoint',
        default=DEFAULT_CHECKPOINT,
        help='shipped checkpoint or folder (%(default)s)',
    )
    add(
        '--unnorm-key',
        default=None,
        help='data set whose statistics un-normalise the actions, where there are several',
    )
    add('--episodes', type=int, default=50, help='of each method (%(default)s)')
    add(
        '--seed',
        default='reporting',
        help=(
            'first seed, or the name of a range: '
            + ', '.join(f'{name} from {span.start}' for name, span in seeds.RANGES.items())
            + ' (%(default)s)'
        ),
    )
    add_argument(parser, 'none,sp_vla')
    add('--env', default='tabletop', help=registry.HELP + ' (%(default)s)')
    add(
        '--env-config',
        type=Path,
        default=None,
        metavar='FILE',
        help='YAML on an environment that is not known, see docs/environments.md',
    )
    add(
        '--task',
        default=None,
        help=(
            'an instruction, or for the embedded arm lift, place, stack or all, whose '
            'instructions '
            "take turns (default: all), else the environment's own"
        ),
    )
    add(
        '--clock',
        choices=clocks.CLOCKS,
        default=clocks.STEP,
        help=('step: the world waits for the model; real: it goes on meanwhile (%(default)s)'),
    )
    add(
        '--latency-ms',
        default=None,
        metavar='MS|FILE',
        help=(
            'of each call on the real clock; or the JSON report of an evaluation, whose calls of '
            'the same methods are drawn from; what it takes here and now by default'
        ),
    )
    add(
        '--workers',
        type=int,
        default=None,
        help=(
            'processes; episodes are the same, but calls are timed best with 1 (one for each '
            'core, here or of the cluster)'
        ),
    )
    add_cluster(parser)
    add('--device', type=device_name, default='cpu', help='cpu or cuda (%(default)s)')
    wish.add_arguments(parser)
    add(
        '--image-size',
        type=int,
        default=None,
        help="side of the camera images in pixels; the checkpoint's own by default",
    )
    add(
        '--max-steps',
        type=int,
        default=None,
        help="steps after which an episode is cut off; the task's own by default",
    )
    add(
        '--out',
        type=Path,
        default=None,
        metavar='FILE',
        help=('file for the JSON report; the episodes are kept beside it as they end'),
    )
    add('--resume', action='store_true', help='go on with the episodes that are beside --out')
    add(
        '--report',
        type=Path,
        default=None,
        metavar='PATH',
        help=(
            'page with tables, charts, timelines and films: a folder, or a file ending in .html'
        ),
    )
