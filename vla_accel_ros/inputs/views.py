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

"""Fitting a view to the model's input size: in one place, for the camera node and the models."""

from __future__ import annotations

import numpy as np

from vla_accel_ros.inputs.padding import PADS, padded_view

RESIZES = ('resize-naive', 'letterbox', 'resize-crop', *PADS)
FILTERS = ('bicubic', 'lanczos', 'area')
# SigLIP's mean of 0.5, the border of all public checkpoints that are letterboxed.
GREY = (127, 127, 127)
# A forged image of 65535x1 would be padded to 12 GB.
LONGEST = 16


def fit_view(
    image: np.ndarray,
    size: int,
    resize: str = 'resize-naive',
    filter_name: str = 'bicubic',
    centre_crop: float = 1.0,
    border: tuple[int, ...] = GREY,
) -> np.ndarray:
    """Fit one view to the model's input size; a view that has it already is not touched.

    Args:
        image: uint8 [h, w, 3] RGB.
        size: Side of the result, pixels; 0 leaves the size as it is.
        resize: `resize-naive` ignores the aspect, `letterbox` pads to a square, `resize-crop`
            takes the central square; the names of OpenVLA's configurations, and its order. For
            `PADS` see `padding.padded_view`.
        filter_name: Antialiased as PIL's: `bicubic`, which OpenVLA was trained with, or
            `lanczos`, TensorFlow's but for rounding, which its fine-tuned descendants were;
            `area` in a third of the time.
        centre_crop: Share of the area that is kept, 1 keeps all; cut out, not resized back.
        border: What `letterbox` pads with, R, G, B.

    Returns:
        uint8 [size, size, 3].

    Raises:
        ValueError: For an unknown strategy or filter, a crop outside (0, 1], or an image too
            long to be padded or cropped to a square.
    """
    if resize not in RESIZES or filter_name not in FILTERS or not 0 < centre_crop <= 1:
        raise ValueError(
            f'resize {resize!r}, filter {filter_name!r}, centre crop {centre_crop}: expected one '
            f'of {RESIZES}, one of {FILTERS}, and an area in (0, 1]'
        )
    if centre_crop < 1:
        side = centre_crop**0.5
        image = _middle(image, *(max(round(length * side), 1) for length in image.shape[:2]))
    if size == 0 or image.shape[:2] == (size, size):
        return image
    if resize == 'resize-naive':
        return _resample(image, size, size, filter_name)
    if resize in PADS:
        return padded_view(image, size, resize)
    height, width = image.shape[:2]
    if max(height, width) > LONGEST * min(height, width):
        raise ValueError(f'image is {width}x{height}, expected sides within 1 to {LONGEST}')
    if resize == 'letterbox':
        image = _letterbox(image, border)
        height, width = image.shape[:2]
    if height <= width:
        image = _resample(image, size, int(size * width / height), filter_name)
    else:
        image = _resample(image, int(size * height / width), size, filter_name)
    return _middle(image, size, size)


def _middle(image: np.ndarray, height: int, width: int) -> np.ndarray:
    top, left = round((image.shape[0] - height) / 2), round((image.shape[1] - width) / 2)
    return image[top : top + height, left : left + width]


def _letterbox(image: np.ndarray, border: tuple[int, ...]) -> np.ndarray:
    height, width = image.shape[:2]
    side = max(height, width)
    y, x = (side - height) // 2, (side - width) // 2
    padded = np.empty((height + 2 * y, width + 2 * x, 3), np.uint8)
    padded[:] = border
    padded[y : y + height, x : x + width] = image
    return padded


def _resample(image: np.ndarray, height: int, width: int, filter_name: str) -> np.ndarray:
    if image.shape[:2] == (height, width):
        return image
    if filter_name == 'area':
        import cv2

        return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    from PIL import Image

    method = Image.Resampling[filter_name.upper()]
    return np.asarray(Image.fromarray(image).resize((width, height), method))
