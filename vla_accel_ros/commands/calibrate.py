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

"""`vla-accel engine calibrate`: record on frames what int8 and float8 are measured on."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
import json
from pathlib import Path

from vla_accel_ros.commands.frames import frames_of
from vla_accel_ros.files.outputs import check_file
from vla_accel_ros.paths import DEFAULT_CHECKPOINT


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of recording, beside those of `frames`."""
    parser.add_argument(
        '--out',
        type=Path,
        metavar='FILE',
        help='calibrate: the file to write (CHECKPOINT-calibration.safetensors)',
    )


def write_calibration(
    args: argparse.Namespace,
    load: Callable[[argparse.Namespace], object],
    ways: Callable[[argparse.Namespace], Mapping],
) -> int:
    """Answer frames and write what programs were given.

    Args:
        args: Of the command line.
        load: Gives the policy.
        ways: Gives what sets pruning and decoding, by name.

    Returns:
        0.

    Raises:
        OutputError: When the file must not be written.
        ValueError: When the frames will not do.
    """
    from vla_accel_ros.engines.calibration import MOST, Calibration
    from vla_accel_ros.models.engine_calibration import calibrate

    if not args.frames and args.bag is None:
        raise ValueError(
            'no frames to calibrate on, expected --bag BAG, or --frames N of the embedded arm'
        )
    args.checkpoint = args.checkpoint or DEFAULT_CHECKPOINT
    file = args.out or Path(f'{Path(args.checkpoint).name}-calibration.safetensors')
    check_file(file, '--out', Calibration.is_one)
    # What several methods share is kept once for each; the frames of the first come first.
    policy, most = load(args), max(MOST, args.frames or 0)
    calibrate(policy, frames_of(args, policy), ways(args), most).save(file)
    size = file.stat().st_size
    if args.json:
        print(json.dumps({'file': str(file), 'bytes': size}))
    else:
        print(
            f'{file}: {size / 1e6:.1f} MB; for --engine-precision int8 or float8 '
            f'--engine-calibration {file}'
        )
    return 0
