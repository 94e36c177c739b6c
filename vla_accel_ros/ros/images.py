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

"""Image messages to arrays and back; whatever does not add up is a ValueError that says why."""

from __future__ import annotations

from array import array

import numpy as np
from sensor_msgs.msg import Image

from vla_accel_ros.inputs.pictures import check_image, compressed_to_array, image_to_array
from vla_accel_ros.ros.messages import from_ns

__all__ = ['array_to_image', 'check_image', 'compressed_to_array', 'image_to_array']


def array_to_image(pixels: np.ndarray, stamp_ns: int, frame_id: str = '') -> Image:
    """Write an RGB image.

    Args:
        pixels: uint8 [h, w, 3].
        stamp_ns: Capture stamp, nanoseconds.
        frame_id: The camera's frame.

    Raises:
        ValueError: When the pixels are not uint8 [h, w, 3].
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise ValueError(
            f'pixels are {pixels.dtype} {list(pixels.shape)}, expected uint8 [h, w, 3]'
        )
    height, width = pixels.shape[:2]
    message = Image(height=height, width=width, encoding='rgb8', step=3 * width)
    message.header.stamp = from_ns(stamp_ns)
    message.header.frame_id = frame_id
    # The message checks each element of anything but an array of bytes: 30 to 60 ms.
    data = array('B')
    data.frombytes(np.ascontiguousarray(pixels).data.cast('B'))
    message.data = data
    return message
