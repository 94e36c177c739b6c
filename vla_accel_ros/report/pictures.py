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

"""Pictures of a report: small JPEGs of bounded size, so that the page stays small."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# What a recorder keeps, 660 moments of this size, is 8.8 MB in base64; with Plotly's 4.8 MB the
# page stays below 15 MB whatever the cameras see.
MOMENT_BYTES = 10_000
SIDE = 192
_QUALITIES = (80, 65, 50, 35)
_SMALLEST = 16


def encode_views(
    images: Sequence[np.ndarray], side: int = SIDE, most_bytes: int = MOMENT_BYTES
) -> tuple[bytes, ...]:
    """Encode the views of one moment.

    Args:
        images: uint8 [h, w, 3] RGB, one a camera, as the model sees them.
        side: Longest side of a picture, pixels; smaller views keep their size.
        most_bytes: What all views together may take. Quality goes down first, then size.

    Returns:
        One JPEG a camera.

    Raises:
        ValueError: When there is no view, or one is not uint8 [h, w, 3].
    """
    if not images:
        raise ValueError('a moment has no view, expected one a camera')
    for index, image in enumerate(images):
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
            raise ValueError(
                f'view {index} is {image.dtype} {list(image.shape)}, expected uint8 [h, w, 3]'
            )
    while True:
        small = [_shrink(image, side) for image in images]
        for quality in _QUALITIES:
            encoded = tuple(_jpeg(image, quality) for image in small)
            if sum(map(len, encoded)) <= most_bytes:
                return encoded
        if side <= _SMALLEST:
            return encoded
        side = side * 3 // 4


def _shrink(image: np.ndarray, side: int) -> np.ndarray:
    import cv2

    height, width = image.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return image
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def _jpeg(image: np.ndarray, quality: int) -> bytes:
    import cv2

    flags = (cv2.IMWRITE_JPEG_QUALITY, quality)
    done, data = cv2.imencode('.jpg', cv2.cvtColor(image, cv2.COLOR_RGB2BGR), flags)
    if not done:
        raise RuntimeError(f'OpenCV could not encode a view of {list(image.shape)}')
    return data.tobytes()
