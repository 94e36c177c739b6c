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


"""How much there is to see in a patch: the entropy of its grey levels (VLA-InfoEntropy)."""

from __future__ import annotations

import numpy as np

from vla_accel_ros.pruning.interface import Layout

LEVELS = 256
# Of red, green and blue in grey, as ITU-R BT.601 and OpenCV have it.
GREY = np.array([0.299, 0.587, 0.114], dtype=np.float32)


def grey_entropy(images: tuple[np.ndarray, ...], layout: Layout) -> np.ndarray:
    """Give the entropy of each patch's histogram of grey levels.

    H = - sum_g p_g log2 p_g, p_g the share of the patch's pixels of grey level g of 256.

    Args:
        images: One uint8 [h, w, 3] RGB array a camera, as the model sees it. Pixels beyond the
            last whole patch are looked at by no token and count for none.
        layout: The patch grid.

    Returns:
        float32 [cameras, tokens], bits; 0 for a patch of one grey level.
    """
    side = layout.patch
    pixels = side * side
    # A count is at most a patch's pixels, so that a table spares the logarithms.
    counts = np.arange(pixels + 1, dtype=np.float32)
    table = counts * np.log2(np.maximum(counts, 1))
    token = np.arange(layout.tokens, dtype=np.int64).reshape(layout.rows, 1, layout.columns, 1)
    found = []
    for image in images:
        whole = image[: layout.rows * side, : layout.columns * side].astype(np.float32)
        grey = (whole @ GREY + 0.5).astype(np.int64)
        grey = grey.reshape(layout.rows, side, layout.columns, side) + LEVELS * token
        histogram = np.bincount(grey.ravel(), minlength=LEVELS * layout.tokens)
        spread = table[histogram].reshape(layout.tokens, LEVELS).sum(1)
        found.append(np.log2(np.float32(pixels)) - spread / pixels)
    entropy: np.ndarray = np.maximum(np.stack(found), 0).astype(np.float32)
    return entropy
