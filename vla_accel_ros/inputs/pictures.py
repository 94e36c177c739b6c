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

"""Image messages to arrays, whoever made them; what does not add up is a ValueError that says why.

Read are the fields of `sensor_msgs`, not its classes: ROS's own messages serve, and those that a
bag's reader makes.
"""

from __future__ import annotations

from collections.abc import Callable
import os

import numpy as np

from vla_accel_ros.inputs import picture_headers

# Channels of the encodings that are read. All have 8 bits, so `is_bigendian` changes nothing;
# 16 bit encodings, where it would, are refused.
CHANNELS = {'rgb8': 3, 'bgr8': 3, 'rgba8': 4, 'bgra8': 4, 'mono8': 1}
# Encodings before compression that are no picture, by how their names begin: a driver writes
# `bayer_rggb8; jpeg compressed `, and a mosaic in a JPEG looks like a grey picture.
NOT_A_PICTURE = ('bayer', '16UC', '16SC', 'mono16', '32FC', '32SC', '64FC', 'compressedDepth')
# A forged header of a few bytes must not claim gigabytes; OpenCV reads this when imported.
LARGEST = 1 << 26
# Of an encoding or a format, in errors.
LONGEST_SHOWN = 60
os.environ.setdefault('OPENCV_IO_MAX_IMAGE_PIXELS', str(LARGEST))


def check_image(message) -> None:
    """Check that a raw image's header and data agree, without touching the pixels.

    Args:
        message: With the fields of `sensor_msgs/Image`.

    Raises:
        ValueError: For an unknown encoding, an empty image, or sizes that disagree.
    """
    channels = CHANNELS.get(message.encoding)
    if channels is None:
        raise ValueError(
            f'encoding is {_short(message.encoding)}, expected one of {", ".join(CHANNELS)}'
        )
    if message.height == 0 or message.width == 0:
        raise ValueError(f'image is {message.width}x{message.height}, expected at least 1x1')
    if message.step < message.width * channels:
        raise ValueError(
            f'step is {message.step} bytes, expected at least '
            f'{message.width * channels} for {message.width} pixels of {message.encoding}'
        )
    if len(message.data) != message.step * message.height:
        raise ValueError(
            f'data has {len(message.data)} bytes, expected step x height = '
            f'{message.step} x {message.height} = {message.step * message.height}'
        )


def image_to_array(message) -> np.ndarray:
    """Read a raw image.

    Args:
        message: With the fields of `sensor_msgs/Image`.

    Returns:
        uint8 [h, w, 3] RGB, contiguous; of the message's own memory where its layout allows,
        so not to be written to.

    Raises:
        ValueError: As `check_image`.
    """
    check_image(message)
    channels = CHANNELS[message.encoding]
    height, width = message.height, message.width
    rows = np.frombuffer(message.data, np.uint8).reshape(height, message.step)
    pixels = rows[:, : width * channels].reshape(height, width, channels)
    if message.encoding == 'rgb8':
        return pixels
    import cv2

    codes = {
        'bgr8': cv2.COLOR_BGR2RGB,
        'rgba8': cv2.COLOR_RGBA2RGB,
        'bgra8': cv2.COLOR_BGRA2RGB,
        'mono8': cv2.COLOR_GRAY2RGB,
    }
    return cv2.cvtColor(pixels, codes[message.encoding])


def check_compressed(data: bytes, said: str) -> picture_headers.Header:
    """Check that a compressed picture is one of 8 bits that can be seen as RGB.

    Args:
        data: Its bytes.
        said: Its format, in words.

    Returns:
        What its header says.

    Raises:
        ValueError: When it is not.
    """
    if not data:
        raise ValueError(f'0 bytes of {_short(said)} are no picture')
    header = picture_headers.read(data)
    if header is None:
        raise ValueError(f'{len(data)} bytes of {_short(said)} do not decode to an image')
    what = f'the data of {_short(said)} are a {header.name} of'
    if header.bits > 8:
        raise ValueError(f'{what} {header.bits} bits, expected 8')
    if header.channels not in (1, 3) and header.name == 'JPEG':
        raise ValueError(f'{what} {header.channels} channels, expected grey or colour')
    if header.animated:
        raise ValueError(f'{what} several pictures, expected one')
    if header.width * header.height > LARGEST:
        raise ValueError(
            f'{what} {header.width}x{header.height} pixels, expected at most {LARGEST}'
        )
    return header


def compressed_to_array(
    message, check_size: Callable[[int, int], object] | None = None
) -> np.ndarray:
    """Read a JPEG or PNG image, by what its data are and not by what its format says.

    Args:
        message: With the fields of `sensor_msgs/CompressedImage`.
        check_size: Refuses a height and width that nobody can use, before anything is decoded: a
            few bytes may claim millions of pixels.

    Returns:
        uint8 [h, w, 3] RGB, contiguous; without alpha.

    Raises:
        ValueError: For depth, bayer and 16 bit pictures, CMYK, animations and other formats than
            JPEG and PNG, and for data that do not decode.
    """
    # All that is known of a mosaic is that its driver says so.
    said = message.format.lower()
    if any(word.lower() in said for word in NOT_A_PICTURE):
        raise ValueError(
            f'format is {_short(message.format)}, expected an 8 bit JPEG or PNG picture'
        )
    import cv2

    data = np.frombuffer(message.data, np.uint8)
    header = check_compressed(data.tobytes(), message.format)
    if check_size is not None:
        check_size(header.height, header.width)
    try:
        flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
        pixels = cv2.imdecode(data, flags)
    except cv2.error as error:
        raise ValueError(
            f'{len(data)} bytes of {_short(message.format)} are refused: {error}'
        ) from None
    if pixels is None:
        raise ValueError(
            f'{len(data)} bytes of {_short(message.format)} do not decode to an image'
        )
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)


def _short(text: str) -> str:
    """Give a text of a message as an error shows it."""
    return repr(text) if len(text) <= LONGEST_SHOWN else f'{text[:LONGEST_SHOWN]!r}...'
