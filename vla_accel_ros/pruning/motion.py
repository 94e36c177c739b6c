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


"""What moved: each patch compared with the same patch some policy steps ago (SpecPrune-VLA)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from vla_accel_ros.pruning.interface import Layout


@dataclass(frozen=True, eq=False)
class Patches:
    """An image cut into patches.

    Attributes:
        pixels: float32 [cameras, tokens, patch * patch * 3].
        length: float32 [cameras, tokens], Euclidean; 0 for a black patch.
    """

    pixels: np.ndarray
    length: np.ndarray


def patches_of(images: tuple[np.ndarray, ...], layout: Layout) -> Patches:
    """Cut images into patches.

    Args:
        images: One uint8 [h, w, 3] array a camera, as the model sees it.
        layout: The patch grid.
    """
    side = layout.patch
    pixels = np.empty((layout.cameras, layout.tokens, side * side * 3), dtype=np.float32)
    for cut, image in zip(pixels, images, strict=True):
        cut.reshape(layout.rows, layout.columns, side, side * 3)[...] = (
            image[: layout.rows * side, : layout.columns * side]
            .reshape(layout.rows, side, layout.columns, side * 3)
            .swapaxes(1, 2)
        )
    return Patches(pixels, np.sqrt(np.einsum('ctp,ctp->ct', pixels, pixels)))


def similarity(now: Patches, then: Patches) -> np.ndarray:
    """Give the cosine similarity of corresponding patches.

    Args:
        now: From `patches_of`.
        then: Of the same shape.

    Returns:
        float32 [cameras, tokens]; two black patches are alike, one black one is not.
    """
    products = np.einsum('ctp,ctp->ct', now.pixels, then.pixels)
    # A patch that is not black has a length of 1 at least.
    alike = products / np.maximum(now.length * then.length, 1)
    dark = (now.length == 0) & (then.length == 0)
    return np.where(dark, np.float32(1), alike)


class Frames:
    """The last frames of an episode, cut into patches.

    Args:
        capacity: Frames to remember.
    """

    def __init__(self, capacity: int) -> None:
        self._frames: deque[tuple[int, Patches]] = deque(maxlen=capacity)

    def __len__(self) -> int:
        return len(self._frames)

    def clear(self) -> None:
        """Forget all."""
        self._frames.clear()

    def add(self, stamp_ns: int, patches: Patches) -> None:
        """Remember a frame; one that is older than the last starts afresh."""
        if self._frames and stamp_ns < self._frames[-1][0]:
            self._frames.clear()
        self._frames.append((stamp_ns, patches))

    def before(self, stamp_ns: int, age_ns: int) -> Patches | None:
        """Give the newest frame of at least that age, else the oldest, None when empty."""
        if not self._frames:
            return None
        old = [patches for stamp, patches in self._frames if stamp_ns - stamp >= age_ns]
        return old[-1] if old else self._frames[0][1]
