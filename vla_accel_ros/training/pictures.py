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

"""Images on disk: as they are, or as JPEG in slots of one size where raw ones would be too big.

A large image of this scene takes a twentieth of its bytes as JPEG. Slots of one size keep the
file a plain array that can be mapped, and written in any order.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
import io
import os

import numpy as np

_HEAD = 4
_QUALITIES = (95, 90, 80, 65, 50)


def slot(size: int) -> int:
    """Return the bytes that one image of this side gets, a sixth of a raw one's."""
    return max(1024, size * size // 2)


def encode(view: np.ndarray) -> np.ndarray:
    """Return an image uint8 [size, size, 3] as a slot uint8 [bytes]: its length, then JPEG.

    Raises:
        ValueError: When it does not fit even at the lowest quality.
    """
    from PIL import Image

    room = slot(len(view))
    image = Image.fromarray(view)
    for quality in _QUALITIES:
        file = io.BytesIO()
        image.save(file, 'JPEG', quality=quality, subsampling=0)
        data = np.frombuffer(file.getvalue(), np.uint8)
        if len(data) <= room - _HEAD:
            result = np.zeros(room, np.uint8)
            result[:_HEAD] = np.frombuffer(np.uint32(len(data)).tobytes(), np.uint8)
            result[_HEAD : _HEAD + len(data)] = data
            return result
    raise ValueError(f'an image of {len(view)} px takes {len(data)} bytes, expected <= {room}')


def decode(data: np.ndarray) -> np.ndarray:
    """Return the image that `encode` put into a slot."""
    from PIL import Image

    length = int(data[:_HEAD].copy().view(np.uint32)[0])
    with Image.open(io.BytesIO(data[_HEAD : _HEAD + length].tobytes())) as image:
        return np.asarray(image.convert('RGB'))


def decode_all(slots: np.ndarray) -> np.ndarray:
    """Return the images uint8 [..., size, size, 3] of slots [..., bytes], on all cores."""
    flat = slots.reshape(-1, slots.shape[-1])
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        views = list(pool.map(decode, flat))
    return np.stack(views).reshape(*slots.shape[:-1], *views[0].shape)
