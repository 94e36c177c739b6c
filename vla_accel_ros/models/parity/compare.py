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

"""A checkpoint's numbers against those of the original, array by array, as a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from vla_accel_ros.models.families.openvla.family import OpenVLAFamily
from vla_accel_ros.models.parity.comparison import (
    Comparison,
    FixtureError,
    compare_all,
    read_arrays,
)
from vla_accel_ros.models.parity.rounding import ROUNDS, decide

ARRAY_FILES = ('inputs.npz', 'outputs.npz')
# A fixture may do without.
CROPS = 'crop_outputs.npz'


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
    family = OpenVLAFamily()
    model = load(folder, 'cpu', torch.float32, family=family)
    ours = outputs(model, inputs, stored)

    def exact(_: Iterable[str]) -> dict[str, np.ndarray]:
        exact_model = load(folder, 'cpu', torch.float64, family=family)
        return outputs(exact_model, inputs, stored, ours)

    comparisons = decide(compare_all(ours, stored), ours, exact)
    crop_file = folder / CROPS
    if crop_file.exists() or crop_file.is_symlink():
        comparisons += compare_all(crops(model.config.image_size, inputs), read_arrays(crop_file))
    return comparisons


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
