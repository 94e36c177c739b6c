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

"""Frames to answer: those that come with the package, of the embedded arm, or of a bag."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path

from vla_accel_ros import extras


def frame_arguments(parser: argparse._ActionsContainer) -> None:
    """Add `--frames` and `--bag`."""
    parser.add_argument(
        '--frames',
        type=int,
        default=0,
        metavar='N',
        help='so many frames of the embedded arm, or of the bag; 0 takes three that come with the '
        'package (%(default)s)',
    )
    parser.add_argument('--bag', type=Path, metavar='BAG', help='take the frames from a bag')


def frames_of(args: argparse.Namespace, policy) -> Callable[[], Iterable]:
    """Return what gives the frames, the same each time.

    Raises:
        ValueError: When the number is negative.
    """
    from vla_accel_ros.engines.wish import WEIGHTS
    from vla_accel_ros.models.parity.frames import few_frames

    if args.frames < 0:
        raise ValueError(f'--frames is {args.frames}, expected 0 or more')
    if args.bag is not None:
        extras.require('eval')
        from vla_accel_ros.replay.engine_frames import of_bag

        return lambda: islice(of_bag(args), args.frames or None)
    if args.frames:
        extras.require('sim')
        from vla_accel_ros.evaluation.engine_frames import simulated

        return lambda: simulated(policy, args.frames)
    exact = args.engine_precision in (WEIGHTS, policy.in_use.weights)
    return lambda: few_frames(policy, exact)
