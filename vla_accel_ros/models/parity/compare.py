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
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
import json
from pathlib import Path
import re
import zipfile

import numpy as np

from vla_accel_ros.models.parity.rounding import ROUNDS, decide

# Largest absolute difference by array. Each stage starts from this package's own result of the
# one before, so a difference is never reset on the way.
TOLERANCES = (
    (r'pixel_values.*|dino\d+|siglip\d+', 1e-6),
    (r'projector\d+|hidden\d+|last_logits\d+|step_logits_action\d+|gap\d+', 1e-4),
    (r'attn_text_rows\d+', 1e-5),
    (r'l1_actions\d+|proprio_normalised', 1e-6),
    (r'(film_)?(l1|discrete)_hidden\d+|film_l1_actions\d+', 1e-5),
    (r'gen_ids\d+|action_.*|tok_table_.*|crop\d+_\d+|lanczos\d+|(film_)?discrete_actions\d+', 0.0),
)
# The residual stream grows with depth, and float32's steps with it.
HIDDEN_RELATIVE = 2e-6
ARRAY_FILES = ('inputs.npz', 'outputs.npz')
# A fixture may do without.
CROPS = 'crop_outputs.npz'


class FixtureError(ValueError):
    """A fixture folder that cannot be compared with, with the reason."""


@dataclass(frozen=True)
class Comparison:
    """One array against the original's.

    Attributes:
        array: Its name in the fixture.
        shape: As stored.
        difference: Largest absolute difference, None where none can be formed.
        tolerance: Largest that passes.
        passed: Whether it holds.
        note: What is wrong where there is no difference, or why the tolerance is what it is.
    """

    array: str
    shape: tuple[int, ...]
    difference: float | None
    tolerance: float
    passed: bool
    note: str = ''


def read_arrays(file: Path) -> dict[str, np.ndarray]:
    """Read an npz file.

    Raises:
        FixtureError: When it is missing or no npz of plain arrays.
    """
    if not file.exists():
        raise FixtureError(f'{file} is missing')
    try:
        with np.load(file, allow_pickle=False) as arrays:
            return dict(arrays)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise FixtureError(f'{file} cannot be read: {error}') from error


def tolerance_of(name: str, theirs: np.ndarray | None = None) -> float:
    """Give the tolerance of an array, 0 where nothing else is said."""
    tolerance = next((t for pattern, t in TOLERANCES if re.fullmatch(pattern, name)), 0.0)
    if name.startswith('hidden') and theirs is not None and theirs.size:
        return max(tolerance, HIDDEN_RELATIVE * float(np.abs(theirs).max()))
    return tolerance


def compare(name: str, ours: np.ndarray | None, theirs: np.ndarray | None) -> Comparison:
    """Compare one array; either may be missing, which fails."""
    tolerance = tolerance_of(name, theirs)
    shape = tuple((ours if theirs is None else theirs).shape)
    if theirs is None:
        return Comparison(name, shape, None, tolerance, False, 'not in the fixture')
    if ours is None:
        return Comparison(name, shape, None, tolerance, False, 'nothing here computes it')
    if ours.shape != theirs.shape:
        return Comparison(name, shape, None, tolerance, False, f'ours is {list(ours.shape)}')
    gap = np.abs(ours.astype(np.float64) - theirs.astype(np.float64))
    difference = float(gap.max()) if gap.size else 0.0
    if not np.isfinite(difference):
        return Comparison(name, shape, None, tolerance, False, 'not finite')
    return Comparison(name, shape, difference, tolerance, bool(difference <= tolerance))


def compare_all(ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray]) -> list[Comparison]:
    """Compare all arrays of a file, in our order and then what only the fixture has."""
    names = [*ours, *(name for name in theirs if name not in ours)]
    return [compare(name, ours.get(name), theirs.get(name)) for name in names]


def verify(folder: str | Path) -> list[Comparison]:
    """Run a fixture folder through this package, in float32 on the CPU.

    Args:
        folder: A public checkpoint with `inputs.npz`, `outputs.npz` and, unless its crops are
            not to be compared, `crop_outputs.npz`.

    Returns:
        One comparison an array.

    Raises:
        CheckpointError: When the checkpoint does not load.
        FixtureError: When a file of arrays is missing or corrupt.
    """
    import torch

    from vla_accel_ros.models.checkpoints.folder import load
    from vla_accel_ros.models.parity.reference import crops, image_numbers, outputs

    folder = Path(folder)
    if not folder.is_dir():
        raise FixtureError(f'{folder} is no folder')
    inputs, stored = (read_arrays(folder / name) for name in ARRAY_FILES)
    if not image_numbers(inputs):
        raise FixtureError(f'{folder / ARRAY_FILES[0]} has no image')
    model = load(folder, 'cpu', torch.float32, sides={})
    ours = outputs(model, inputs, stored)

    def exact(_: Iterable[str]) -> dict[str, np.ndarray]:
        return outputs(load(folder, 'cpu', torch.float64, sides={}), inputs, stored, ours)

    comparisons = decide(compare_all(ours, stored), ours, exact)
    if not not_compared(folder):
        comparisons += compare_all(
            crops(model.config.image_size, inputs), read_arrays(folder / CROPS)
        )
    return comparisons


def not_compared(folder: str | Path) -> list[str]:
    """Give the files of arrays that a folder lacks and can do without."""
    file = Path(folder) / CROPS
    return [] if file.exists() or file.is_symlink() else [CROPS]


def table(comparisons: list[Comparison], left_out: Sequence[str] = ()) -> str:
    """Lay the comparisons out for reading.

    Args:
        comparisons: What was compared.
        left_out: Files that were not.
    """
    rows = [('array', 'shape', 'largest difference', 'tolerance', '')]
    for c in comparisons:
        difference = c.note if c.difference is None else f'{c.difference:.1e}'
        limit = f'{c.tolerance:.0e}' if c.tolerance else 'identical'
        verdict = 'pass' if c.passed else 'FAIL'
        if c.note and c.difference is not None:
            verdict += f' ({c.note})'
        rows.append((c.array, 'x'.join(map(str, c.shape)), difference, limit, verdict))
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    lines = [
        '  '.join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    failed = sum(not c.passed for c in comparisons)
    decided = sum(ROUNDS in c.note for c in comparisons)
    if decided:
        lines.append(
            f'{decided} missed the bound in float32, so float64 decided: the tolerance '
            'is what float32 itself is off by here'
        )
    lines += [f'{name} is not there: not compared' for name in left_out]
    lines.append(f'{len(comparisons) - failed} of {len(comparisons)} arrays agree')
    return '\n'.join(lines)


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
        from vla_accel_ros.models.parity.oft_compare import verify_oft

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
