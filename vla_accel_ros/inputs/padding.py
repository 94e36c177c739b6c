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

"""Resizing a view so that it keeps its aspect, with black beside it."""

from __future__ import annotations

import numpy as np

# openpi's on the robot (antialiased, centred), LeRobot's pi0 (not antialiased, centred), and
# SmolVLA's (not antialiased, black on the left and the top).
PADS = ('pad', 'pad-linear', 'pad-top-left')


def padded_view(image: np.ndarray, size: int, pad: str) -> np.ndarray:
    """Resize a view with padding, as one of `PADS` does it.

    What is not antialiased is rounded to whole grey levels here, which its originals do not do.

    Args:
        image: uint8 [h, w, 3] RGB.
        size: Side of the result, pixels.
        pad: The way.

    Returns:
        uint8 [size, size, 3]; the image itself where it has that size.

    Raises:
        ValueError: When the view is so long that nothing of it would be left.
    """
    if image.shape[:2] == (size, size):
        return image
    if pad != 'pad':
        levels = padded_linear(image, size, centred=pad == 'pad-linear')
        return np.rint(levels).astype(np.uint8)
    from PIL import Image

    height, width = scaled(*image.shape[:2], size)
    method = Image.Resampling.BILINEAR
    resized = np.asarray(Image.fromarray(image).resize((width, height), method))
    return _framed(resized, size, centred=True)


def padded_linear(
    image: np.ndarray, size: int, centred: bool = True, border: float = 0.0
) -> np.ndarray:
    """Resize with padding, bilinearly and without antialiasing, as torch's interpolation does.

    Args:
        image: uint8 or float32 [h, w, c].
        size: Side of the result, pixels.
        centred: Whether padding is split evenly, the odd pixel on the right and the bottom;
            otherwise all of it is on the left and the top.
        border: What stands there.

    Returns:
        float32 [size, size, c], in the image's levels.

    Raises:
        ValueError: When the view is so long that nothing of it would be left.
    """
    height, width = scaled(*image.shape[:2], size)
    rows, columns = _axis(image.shape[0], height), _axis(image.shape[1], width)
    levels = image.astype(np.float32)
    low, high, share = columns
    across = levels[:, low] + (levels[:, high] - levels[:, low]) * share[None, :, None]
    low, high, share = rows
    resized = across[low] + (across[high] - across[low]) * share[:, None, None]
    return _framed(resized, size, centred, border)


def scaled(height: int, width: int, size: int) -> tuple[int, int]:
    """Give the height and width at which an image just fits into a square.

    Raises:
        ValueError: When a side would have no pixel.
    """
    ratio = max(width / size, height / size)
    found = int(height / ratio), int(width / ratio)
    if min(found) < 1:
        raise ValueError(
            f'image is {width}x{height}, expected sides within 1 to {size} to be padded'
        )
    return found


def _axis(length: int, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    # torch keeps the coordinate in float32.
    step = np.float32(length / size)
    places = np.maximum((np.arange(size, dtype=np.float32) + np.float32(0.5)) * step - 0.5, 0)
    low = np.minimum(np.floor(places).astype(int), length - 1)
    high = np.minimum(low + 1, length - 1)
    return low, high, (places - low).astype(np.float32)


def _framed(image: np.ndarray, size: int, centred: bool, border: float = 0.0) -> np.ndarray:
    height, width = image.shape[:2]
    top, left = size - height, size - width
    if centred:
        top, left = top // 2, left // 2
    whole = np.full((size, size, image.shape[2]), border, image.dtype)
    whole[top : top + height, left : left + width] = image
    return whole
