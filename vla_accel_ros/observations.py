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

"""Observations: what flows from the cameras to the policy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Observation:
    """One instant as the policy sees it.

    Attributes:
        images: One uint8 [h, w, 3] RGB array a camera, in the checkpoint's order.
        instruction: What to do, in words.
        stamp_ns: Oldest capture stamp among the images, nanoseconds.
        proprio: float [m] proprioception for checkpoints that want it, else None.

    Raises:
        ValueError: When there is no image, or one is not uint8 [h, w, 3].
    """

    images: tuple[np.ndarray, ...]
    instruction: str
    stamp_ns: int = 0
    proprio: np.ndarray | None = None

    def __post_init__(self) -> None:
        if not self.images:
            raise ValueError('observation has no image, expected at least 1')
        for index, image in enumerate(self.images):
            if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
                raise ValueError(
                    f'image {index} is {image.dtype} {list(image.shape)}, expected uint8 [h, w, 3]'
                )


def stack_views(views: list[np.ndarray]) -> np.ndarray:
    """Stack views top to bottom.

    Args:
        views: uint8 [h, w, 3] each, all of one size.

    Returns:
        uint8 [n * h, w, 3]; a single view is handed back as it is.

    Raises:
        ValueError: When the views differ in size.
    """
    if any(view.shape != views[0].shape for view in views):
        raise ValueError(f'views are {[list(view.shape) for view in views]}, expected one size')
    return views[0] if len(views) == 1 else np.concatenate(views)


def split_views(stacked: np.ndarray, cameras: int) -> tuple[np.ndarray, ...]:
    """Split views that were stacked top to bottom.

    Args:
        stacked: uint8 [cameras * h, w, 3].
        cameras: How many views it holds.

    Returns:
        One view uint8 [h, w, 3] a camera, without copying.

    Raises:
        ValueError: When the height is no multiple of the number of cameras.
    """
    height = stacked.shape[0]
    if cameras < 1 or height % cameras:
        raise ValueError(f'a frame of {height} rows does not hold {cameras} views of equal height')
    step = height // cameras
    return tuple(stacked[i * step : (i + 1) * step] for i in range(cameras))
