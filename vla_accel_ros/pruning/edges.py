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


"""Which patches hold an edge (SP-VLA's spatial tokens)."""

from __future__ import annotations

import numpy as np

from vla_accel_ros.pruning.interface import Layout


def edge_patches(
    images: tuple[np.ndarray, ...], layout: Layout, low: float = 100.0, high: float = 200.0
) -> np.ndarray:
    """Mark the patches that hold at least one Canny edge pixel.

    Args:
        images: One uint8 [h, w, 3] RGB array a camera, as the model sees it. Pixels beyond
            the last whole patch are looked at by no token and count for none.
        layout: The patch grid.
        low: Canny's lower threshold on the gradient of 0..255 grey levels.
        high: Its upper threshold.

    Returns:
        bool [cameras, tokens].
    """
    # OpenCV loads in a third of a second, which only users of this method should pay.
    import cv2

    marks = []
    for image in images:
        grey = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY)
        edges = cv2.Canny(grey, low, high)
        side = layout.patch
        # Rows of pixels first: whole lines at once, which is many times faster than both axes.
        lines = edges[: layout.rows * side, : layout.columns * side]
        strips = lines.reshape(layout.rows, side, -1).max(1)
        marks.append(strips.reshape(layout.tokens, side).max(1) > 0)
    return np.stack(marks)
