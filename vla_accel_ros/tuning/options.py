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

"""The arguments of `vla-accel tune`."""

from __future__ import annotations

import argparse
from pathlib import Path

from vla_accel_ros.cluster.options import add_cluster
from vla_accel_ros.evaluation import seeds
from vla_accel_ros.replay import options as replay
from vla_accel_ros.tuning.points import RULES
from vla_accel_ros.tuning.target import UNITS

# What is confirmed is chosen by it, so that these are tuning seeds, too.
CONFIRM_SEED = seeds.RANGES['tuning'].start + 500_000
# Points of success; and in simulation so many times more is hopeless.
WITHIN_POINTS, HOPELESS = 3.0, 5.0
# Of a replay's own error.
WITHIN_ERROR = 1.0
ERROR = 'reference_translation_mm'


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add = parser.add_argument
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        '--bag', nargs='+', type=Path, metavar='BAG', dest='bags', help='tune on recorded bags'
    )
    where.add_argument('--sim', action='store_true', help='tune on the embedded arm')
    add(
        '--methods',
        default='hold,sp_vla',
        help=(
            'what is searched, each by itself, separated by commas: names, presets and settings '
            'as of vla-accel eval; what stands behind an @ is not searched (%(default)s)'
        ),
    )
    add(
        '--range',
        action='append',
        default=[],
        metavar='NAME=LOW:HIGH',
        dest='ranges',
        help=('search a parameter elsewhere than it would be; choices as NAME=ONE/OTHER'),
    )
    add('--trials', type=int, default=20, help='of each method (%(default)s)')
    add('--sampler-seed', type=int, default=0, help='of the draws (%(default)s)')
    add(
        '--cost',
        choices=tuple(UNITS),
        default='time',
        help=(
            'what is to become less: time of the model as measured, or without noise its FLOPs or '
            'calls (%(default)s)'
        ),
    )
    add(
        '--choose',
        nargs=2,
        metavar=('RULE', 'BOUND'),
        default=None,
        help=(
            f'{RULES[0]} LOSS takes the cheapest that loses no more, {RULES[1]} COST the one that '
            f'loses least and costs no more ({RULES[0]} {WITHIN_POINTS:g} points of success, or '
            f'{WITHIN_ERROR:g} of the error on bags)'
        ),
    )
    add(
        '--hopeless',
        type=float,
        default=None,
        metavar='LOSS',
        help=(
            f'give a setting up early that loses more ({HOPELESS:g} times the bound of --choose)'
        ),
    )
    add('--points', type=int, default=6, help='confirmed at most, the best first (%(default)s)')
    add(
        '--workers',
        type=int,
        default=None,
        help='processes, each trying a setting (one for each core, here or of the cluster)',
    )
    add_cluster(parser)
    add(
        '--storage',
        metavar='URL',
        default=None,
        help=(
            'share the search with the same command on other machines, in this database '
            '(postgresql://user@host/name, mysql://... or sqlite:///file.db); without it trials '
            'are kept in --out'
        ),
    )
    add(
        '--study',
        default='tune',
        metavar='NAME',
        help='of the search in --storage, which holds several (%(default)s)',
    )
    add(
        '--out',
        type=Path,
        default=None,
        metavar='DIR',
        help=(
            'where trials and results are kept; the same command goes on there (out/tune/sim or '
            'out/tune/NAME OF THE BAG)'
        ),
    )
    sim = parser.add_argument_group('with --sim')
    sim.add_argument('--episodes', type=int, default=24, help='of each trial (%(default)s)')
    sim.add_argument(
        '--seed',
        type=int,
        default=seeds.RANGES['tuning'].start,
        help='first tuning seed (%(default)s)',
    )
    sim.add_argument(
        '--task',
        default='all',
        help=(
            'an instruction, or lift, place or stack for all of that kind in turn (%(default)s)'
        ),
    )
    sim.add_argument(
        '--max-steps',
        type=int,
        default=None,
        help="steps after which an episode is cut off; the task's own by default",
    )
    sim.add_argument(
        '--confirm',
        type=int,
        default=60,
        metavar='N',
        help=('held-out episodes that the best are confirmed on, 0 for none (%(default)s)'),
    )
    sim.add_argument(
        '--confirm-seed',
        type=int,
        default=CONFIRM_SEED,
        help='first held-out tuning seed (%(default)s)',
    )
    bags = parser.add_argument_group('with --bag')
    bags.add_argument(
        '--confirm-bag',
        nargs='+',
        type=Path,
        default=[],
        metavar='BAG',
        help='other bags, that the best are confirmed on',
    )
    bags.add_argument(
        '--error',
        default=ERROR,
        help=(
            'what of vla-accel replay is to stay small: {reference,recorded}_{translation_mm,'
            'rotation_deg,drift_1s_mm,drift_5s_mm}, of joints {joint_rad,drift_1s_rad,'
            'drift_5s_rad} (%(default)s)'
        ),
    )
    replay.reading(parser)
