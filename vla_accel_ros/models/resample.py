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

"""Image resampling that the original does with TensorFlow, reproduced in numpy.

Floats are float32 in TensorFlow's order of operations, so that results are equal bit for bit
(the crop) or up to ties of the last rounding (Lanczos).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

_F = np.float32


@lru_cache(maxsize=32)
def _crop_axis(length: int, size: int, area: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    side = np.sqrt(_F(area))
    start = (_F(1) - side) / _F(2)
    step = (start + side - start) * _F(length - 1) / _F(size - 1)
    position = start * _F(length - 1) + np.arange(size, dtype=_F) * step
    low = np.floor(position)
    high = np.minimum(np.ceil(position).astype(int), length - 1)
    return low.astype(int), high, position - low


def centre_crop(image: np.ndarray, area: float, size: int) -> np.ndarray:
    """Cut out the centre and resize it bilinearly (`tf.image.crop_and_resize`).

    Args:
        image: uint8 [h, w, 3].
        area: Share of the area that is kept; each side shrinks by its square root.
        size: Side of the result, pixels, at least 2.

    Returns:
        uint8 [size, size, 3].
    """
    top, bottom, fy = _crop_axis(image.shape[0], size, area)
    left, right, fx = _crop_axis(image.shape[1], size, area)
    unit = image[top[0] : bottom[-1] + 1].astype(_F) * _F(1 / 255)
    before = np.take(unit, left, axis=1)
    across = np.take(unit, right, axis=1)
    across -= before
    across *= fx[None, :, None]
    across += before
    upper = across[top - top[0]]
    result = across[bottom - top[0]]
    result -= upper
    result *= fy[:, None, None]
    result += upper
    np.clip(result, 0, 1, out=result)
    # 255.5 and truncation: the saturating conversion of tf.image.convert_image_dtype.
    return (result * _F(255.5)).astype(np.uint8)


def _sine(x: np.ndarray) -> np.ndarray:
    """Give the sine of x in 0..100 with the C library's float32 polynomial.

    numpy's own float32 sine, and the correctly rounded one, differ from it in the last place,
    and that moves a few pixels by one grey level.
    """
    x = x.astype(np.float64)
    quarter = np.rint(x * (2 / np.pi)).astype(int)
    x = x - quarter * (np.pi / 2)
    y = x * x
    sine = x + x * y * -0.16666654943701084
    sine += x * y * y * (0.008332178146138854 + y * -0.00019517298981385725)
    cosine = 1 + y * -0.49999999725108224 + y * y * 0.041666623324344516
    cosine += y * y * y * (-0.001388676379437604 + y * 2.4390450703564542e-05)
    return (np.where(quarter & 1, cosine, sine) * np.where(quarter & 2, -1, 1)).astype(_F)


@lru_cache(maxsize=32)
def _lanczos_axis(length: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Give first source index [size] and weights [size, taps] along one axis."""
    inverse = _F(1) / (_F(size) / _F(length))
    stretch = max(inverse, _F(1))  # wider than the source's pixels when shrinking: antialias
    radius = _F(3) * stretch
    centre = (np.arange(size, dtype=_F) + _F(0.5)) * inverse
    first = np.maximum(np.ceil(centre - radius - _F(0.5)).astype(int), 0)
    last = np.minimum(np.floor(centre + radius - _F(0.5)).astype(int), length - 1)
    taps = np.arange(int((last - first).max()) + 1)
    source = first[:, None] + taps
    x = np.abs((source.astype(_F) + _F(0.5) - centre[:, None]) * (_F(1) / stretch))
    pi = _F(np.pi)
    angle = np.where(x > 1e-3, pi * x, _F(1))
    square = (pi * pi) * np.where(x > 1e-3, x, _F(1)) * np.where(x > 1e-3, x, _F(1))
    weights = _F(3) * _sine(angle) * _sine(angle / _F(3)) / square
    weights = np.where(x > 1e-3, weights, _F(1))
    weights = np.where((x <= 3) & (source <= last[:, None]), weights, _F(0)).astype(_F)
    total = np.zeros((size, 1), _F)
    for tap in range(weights.shape[1]):  # in order: numpy's sum is pairwise
        total += weights[:, tap : tap + 1]
    return first, weights * (_F(1) / total)


def _along_rows(image: np.ndarray, size: int) -> np.ndarray:
    first, weights = _lanczos_axis(image.shape[0], size)
    result = np.zeros((size, *image.shape[1:]), _F)
    part = np.empty_like(result)
    for tap in range(weights.shape[1]):
        np.take(image, first + tap, axis=0, out=part, mode='clip')
        part *= weights[:, tap, None, None]
        result += part
    return result


def lanczos(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize with an antialiased Lanczos-3 kernel (`tf.image.resize`).

    Args:
        image: uint8 [h, w, 3].
        height: Rows of the result.
        width: Columns of the result.

    Returns:
        uint8 [height, width, 3]; the image itself where the size is that already.
    """
    if image.shape[:2] == (height, width):
        return image
    rows = _along_rows(image.astype(_F), height)
    both = _along_rows(np.ascontiguousarray(rows.transpose(1, 0, 2)), width).transpose(1, 0, 2)
    return np.clip(np.rint(both), 0, 255).astype(np.uint8)
