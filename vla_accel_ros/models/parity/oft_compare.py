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

"""Comparing OpenVLA-OFT with the original's numbers, array by array."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from vla_accel_ros.models.parity.comparison import (
    Comparison,
    FixtureError,
    compare_all,
    read_arrays,
)
from vla_accel_ros.models.parity.rounding import decide

OFT_FILE = 'oft_outputs.npz'


def verify_oft(folder: str | Path) -> list[Comparison]:
    """Run a fixture folder's OFT through this package, in float32 on the CPU.

    Args:
        folder: A public OpenVLA with OFT's side files, `inputs.npz` and `oft_outputs.npz`.

    Returns:
        One comparison an array.

    Raises:
        CheckpointError: When the checkpoint or a side file does not load.
        FixtureError: When a file of arrays is missing or corrupt, or holds nothing to compare.
    """
    import torch

    from vla_accel_ros.models.parity.oft_reference import ARRAY, OFTReference

    folder = Path(folder)
    if not folder.is_dir():
        raise FixtureError(f'{folder} is no folder')
    inputs, stored = (read_arrays(folder / name) for name in ('inputs.npz', OFT_FILE))
    if not any(map(ARRAY.fullmatch, stored)):
        raise FixtureError(f'{folder / OFT_FILE} has no array that OFT gives: {sorted(stored)}')
    ours = OFTReference(folder, stored).outputs(inputs, stored)
    comparisons = compare_all(ours, stored)

    def exact(doubtful: Iterable[str]) -> dict[str, np.ndarray]:
        like = {
            name: array
            for name, array in stored.items()
            if name in doubtful or not ARRAY.fullmatch(name)
        }
        return OFTReference(folder, stored, torch.float64).outputs(inputs, like)

    return decide(comparisons, ours, exact)
