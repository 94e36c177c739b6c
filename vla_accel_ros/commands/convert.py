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

"""`vla-accel convert`: a checkpoint of others as a folder of our own, in safetensors."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
import sys

DTYPES = ('float32', 'bfloat16', 'float16')


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add('folder', metavar='FOLDER', help='checkpoint of any family that can be read')
    add('out', metavar='OUT', help='folder to make; one that is there must be empty')
    add(
        '--dtype',
        choices=DTYPES,
        help='type of the stored weights, those apart that stay float32 (as they are)',
    )
    add(
        '--tokenizer',
        metavar='FILE',
        help="tokenizer.json or tokenizer.model to put there (the folder's own)",
    )


def run(args: argparse.Namespace) -> int:
    """Run the command.

    Returns:
        0 when the folder is there.

    Raises:
        CheckpointError: When the checkpoint cannot be used.
        OSError: When the folder cannot be written.
    """
    import torch

    from vla_accel_ros.models.checkpoints.config_file import read_config
    from vla_accel_ros.models.checkpoints.convert import convert
    from vla_accel_ros.models.checkpoints.folder import resolve
    from vla_accel_ros.models.families import registry
    from vla_accel_ros.paths import user_path

    folder, out = resolve(args.folder), user_path(args.out)
    family = registry.of(read_config(folder))
    notes = family.notes(folder)
    for note in notes:
        print(note, file=sys.stderr)
    tenths = [0]

    def progress(share: float, name: str) -> None:
        if int(10 * share) > tenths[0]:
            tenths[0] = int(10 * share)
            print(f'{tenths[0] * 10:3} % read, {name}', file=sys.stderr)

    dtype = getattr(torch, args.dtype) if args.dtype else None
    tokenizer = user_path(args.tokenizer) if args.tokenizer else None
    files = convert(folder, out, dtype, tokenizer, progress)
    size = sum(file.stat().st_size for file in files)
    if args.json:
        names = [file.name for file in files]
        row = {'family': family.name, 'out': str(out), 'files': names, 'bytes': size}
        print(json.dumps(row | {'notes': notes}, indent=1))
    else:
        print(f'{family.name}: {len(files)} files, {size / 1e6:.1f} MB, in {Path(out)}')
    return 0
