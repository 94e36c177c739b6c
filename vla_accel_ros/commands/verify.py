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

"""`vla-accel verify`: compare a checkpoint, array by array, with the original's numbers."""

from __future__ import annotations

import argparse
from dataclasses import asdict
import json
from pathlib import Path

from vla_accel_ros.models.parity.compare import ARRAY_FILES, not_compared, table, verify
from vla_accel_ros.models.parity.oft_compare import verify_oft


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        '--fixture',
        required=True,
        metavar='DIR',
        help='checkpoint folder with inputs.npz, outputs.npz and, if there, crop_outputs.npz; the '
        "example's is in the source tree, not in an installed package",
    )
    parser.add_argument(
        '--oft',
        action='store_true',
        help='compare OpenVLA-OFT, too: its side files and oft_outputs.npz are in the folder',
    )


def run(args: argparse.Namespace) -> int:
    """Run the command.

    Returns:
        0 when all arrays agree, else 1.

    Raises:
        ValueError: When the folder cannot be compared with.
    """
    comparisons, left_out = [], []
    # A folder may hold OFT's numbers alone.
    if not args.oft or (Path(args.fixture) / ARRAY_FILES[1]).exists():
        comparisons += verify(args.fixture)
        left_out += not_compared(args.fixture)
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
