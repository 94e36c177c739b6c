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

"""What compressed pictures say of themselves in their first bytes, before they are decoded.

JPEG: ITU-T T.81, annex B. PNG: the specification of the W3C, and APNG's chunk `acTL`.
"""

from __future__ import annotations

import re
import struct
from typing import NamedTuple

JPEG, PNG = b'\xff\xd8\xff', b'\x89PNG\r\n\x1a\n'
# Formats that are not read, by how they begin, to say what was found.
OTHERS = (
    (b'GIF8', 'GIF'),
    (b'BM', 'BMP'),
    (b'II*\x00', 'TIFF'),
    (b'MM\x00*', 'TIFF'),
    (b'RIFF', 'WebP'),
    (b'\xff\x0a', 'JPEG XL'),
    (b'\x00\x00\x00\x0cJXL', 'JPEG XL'),
    (b'\x00\x00\x00\x0cjP', 'JPEG 2000'),
    (b'\xff\x4f\xff\x51', 'JPEG 2000'),
    (b'\x00\x00\x00\x01', 'a video stream'),
    (b'\x00\x00\x01', 'a video stream'),
    (b'v/1\x01', 'OpenEXR'),
    (b'P5', 'PGM'),
    (b'P6', 'PPM'),
    (b'\x1aE\xdf\xa3', 'a video'),
)
# Any number of them may stand before a marker, which begins with the last.
FILL = re.compile(b'\xff+')


class Header(NamedTuple):
    """What a picture says of itself.

    Attributes:
        name: JPEG or PNG.
        width: Pixels.
        height: Pixels.
        bits: Of each value of a pixel.
        channels: Values of a pixel; of a palette 3.
        animated: Whether it is several pictures.
    """

    name: str
    width: int
    height: int
    bits: int
    channels: int
    animated: bool = False


def read(data: bytes) -> Header | None:
    """Read the header of a JPEG or PNG picture.

    Args:
        data: Its bytes.

    Returns:
        The header; None where it ends before it says so.

    Raises:
        ValueError: When it is another format.
    """
    if data.startswith(JPEG):
        return _jpeg(data)
    if data.startswith(PNG):
        return _png(data)
    what = next((name for magic, name in OTHERS if data.startswith(magic)), '')
    if data[4:8] == b'ftyp':
        what = 'HEIF, AVIF or a video'
    raise ValueError(f'the data are {what or "no picture"}, expected JPEG or PNG')


def _jpeg(data: bytes) -> Header | None:
    """Walk over the segments to the one that begins the frame."""
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:
            at = FILL.match(data, at).end() - 1
            if at + 1 >= len(data):
                return None
        elif marker == 0x01 or 0xD0 <= marker <= 0xD8:
            at += 2
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            if at + 10 > len(data):
                return None
            bits, height, width, channels = struct.unpack_from('>BHHB', data, at + 4)
            return Header('JPEG', width, height, bits, channels)
        elif marker in (0xD9, 0xDA):
            return None
        else:
            at += 2 + struct.unpack_from('>H', data, at + 2)[0]
    return None


def _png(data: bytes) -> Header | None:
    if len(data) < 33 or data[12:16] != b'IHDR':
        return None
    width, height, bits, colour = struct.unpack_from('>IIBB', data, 16)
    channels = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}.get(colour, 0)
    animated, at = False, 33
    while at + 8 <= len(data) and not animated:
        length, name = struct.unpack_from('>I4s', data, at)
        if name == b'IDAT':
            break
        animated = name == b'acTL'
        at += 12 + length
    return Header('PNG', width, height, bits, channels, animated)
