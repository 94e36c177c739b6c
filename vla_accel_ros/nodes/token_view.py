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


"""What the model saw: the frame with the dropped visual tokens dimmed."""

from __future__ import annotations

import numpy as np

DIMMED = 0.25


def dim_dropped(frame: np.ndarray, kept_ids: np.ndarray, cameras: int, grid: int) -> np.ndarray:
    """Dim the patches whose tokens were dropped.

    Args:
        frame: uint8 [cameras * size, size, 3], the views stacked.
        kept_ids: int [kept], the tokens kept: camera * grid^2 + row * grid + column.
        cameras: Views in the frame.
        grid: Patches along a side of a view.

    Returns:
        uint8 [cameras * size, size, 3], a copy.
    """
    size = frame.shape[1]
    kept = np.zeros(cameras * grid * grid, dtype=bool)
    kept[kept_ids] = True
    # The model's patches cover whole pixels only: what is left over at the edge is never seen.
    patch = size // grid
    light = np.full((cameras, size, size), DIMMED, dtype=np.float32)
    seen = kept.reshape(cameras, grid, grid).repeat(patch, 1).repeat(patch, 2)
    light[:, : grid * patch, : grid * patch][seen] = 1.0
    return (frame * light.reshape(cameras * size, size)[..., None]).astype(np.uint8)
