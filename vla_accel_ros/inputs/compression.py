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

"""An observation in fewer bytes, for a link that is slower than shared memory."""

from __future__ import annotations

import numpy as np

from vla_accel_ros.options import Option

AUTO, RAW, PNG, JPEG = 'auto', 'raw', 'png', 'jpeg'
# Every quality changes tokens of the four shipped policies that were measured, 100 included: from
# 1 to 23 % at 95 (benchmarks/results/compression.md). The robot sends PNG, which changes none.
QUALITY = 95
OPTIONS = (
    Option(
        'observation',
        AUTO,
        'How the scheduler sends an observation: raw, or as png (no loss) or jpeg on '
        'vla/observation/compressed; auto is png where it is launched with side:=robot, raw '
        'elsewhere',
        choices=(AUTO, RAW, PNG, JPEG),
    ),
    Option(
        'observation_quality', QUALITY, 'Quality of an observation sent as jpeg', range=(1, 100)
    ),
)


def compress(pixels: np.ndarray, kind: str, quality: int = QUALITY) -> bytes:
    """Write a picture as PNG or JPEG, the latter with colours at full resolution.

    Args:
        pixels: uint8 [h, w, 3] RGB.
        kind: `png` or `jpeg`.
        quality: Of a JPEG, 1 to 100.

    Raises:
        ValueError: When the kind is another, or the picture cannot be written.
    """
    import cv2

    if kind == PNG:
        # The fastest level: the link is what is slow, but 30 frames a second have to be written.
        ending, flags = '.png', [cv2.IMWRITE_PNG_COMPRESSION, 1]
    elif kind == JPEG:
        sampling = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444
        ending = '.jpg'
        flags = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    else:
        raise ValueError(f'kind is {kind!r}, expected {PNG} or {JPEG}')
    try:
        written, data = cv2.imencode(ending, cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), flags)
    except cv2.error:
        written = False
    if not written:
        raise ValueError(f'a picture of {list(pixels.shape)} cannot be written as {kind}')
    return data.tobytes()
