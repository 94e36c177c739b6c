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

"""Compressed pictures are read by what their data are, whatever their format says."""

import io
from types import SimpleNamespace

import cv2
import numpy as np
from PIL import Image
import pytest

from vla_accel_ros.inputs import picture_headers
from vla_accel_ros.inputs.pictures import compressed_to_array

SMOOTH = np.zeros((32, 48, 3), np.uint8) + np.array([200, 100, 30], np.uint8)
COLOUR = Image.fromarray(SMOOTH)
GREY = Image.fromarray(SMOOTH[..., 1])
DEEP = np.full((32, 48), 700, np.uint16)


def saved(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def coded(pixels, suffix='.png'):
    return cv2.imencode(suffix, pixels)[1].tobytes()


def read(data, said='jpeg'):
    return compressed_to_array(SimpleNamespace(format=said, data=data))


def segments(data, more):
    """Put segments before the first one of a JPEG."""
    return data[:2] + more + data[2:]


@pytest.mark.parametrize(
    'said', ['', 'jpeg', 'png', 'rgb8; jpeg compressed bgr8', 'webp', 'x' * 999]
)
@pytest.mark.parametrize(
    'data',
    [
        saved(COLOUR, 'PNG'),
        saved(COLOUR, 'JPEG', quality=95),
        saved(COLOUR, 'JPEG', quality=95, progressive=True),
        saved(COLOUR.convert('RGBA'), 'PNG'),
        saved(COLOUR.convert('P', palette=Image.Palette.ADAPTIVE), 'PNG'),
        saved(COLOUR, 'JPEG', quality=95, exif=b'Exif\0\0' + b'x' * 60_000),
        segments(saved(COLOUR, 'JPEG', quality=95), b'\xff\xff\xff\xff'),
    ],
    ids=['png', 'jpeg', 'progressive', 'alpha', 'palette', 'exif', 'fill'],
)
def test_a_jpeg_and_a_png_are_read_as_rgb_whatever_the_format_says(data, said):
    pixels = read(data, said)
    assert pixels.shape == SMOOTH.shape and pixels.flags.c_contiguous
    assert np.abs(pixels.astype(int) - SMOOTH).max() < 12


@pytest.mark.parametrize(
    'data', [saved(GREY, 'JPEG'), saved(GREY, 'PNG'), saved(GREY.convert('LA'), 'PNG')]
)
def test_grey_pictures_are_read_as_grey(data):
    assert np.abs(read(data, 'mono8; jpeg compressed ').astype(int) - 100).max() < 6


@pytest.mark.parametrize(
    ('data', 'said', 'message'),
    [
        (coded(DEEP), 'png', 'are a PNG of 16 bits, expected 8'),
        (coded(np.dstack([DEEP] * 3)), 'rgb8; png compressed bgr8', 'a PNG of 16 bits'),
        (saved(GREY, 'JPEG'), 'bayer_rggb8; jpeg compressed ', 'expected an 8 bit JPEG or PNG'),
        (saved(GREY, 'JPEG'), 'BAYER_RGGB8; JPEG', 'expected an 8 bit JPEG or PNG'),
        (saved(GREY, 'JPEG'), 'bayer' * 999, r"format is '.{60}'\.\.\., expected an 8 bit"),
        (saved(GREY, 'JPEG'), '16UC1; png compressed ', 'expected an 8 bit JPEG or PNG'),
        (saved(COLOUR.convert('CMYK'), 'JPEG'), 'jpeg', 'a JPEG of 4 channels'),
        (
            saved(COLOUR, 'PNG', save_all=True, append_images=[GREY.convert('RGB')]),
            'png',
            'several pictures, expected one',
        ),
        (saved(COLOUR, 'GIF'), 'png', 'the data are GIF, expected JPEG or PNG'),
        (saved(COLOUR, 'WEBP'), 'jpeg', 'the data are WebP'),
        (coded(DEEP, '.tiff'), 'tiff', 'the data are TIFF'),
        (b'\0\0\0\x01\x67video', 'h264', 'the data are a video stream'),
        (b'\0\0\0\x18ftypheic', 'jpeg', 'the data are HEIF'),
        (b'text', 'jpeg', 'the data are no picture'),
        (b'', 'jpeg', '0 bytes'),
        (saved(COLOUR, 'JPEG')[:20], 'jpeg', 'do not decode'),
        (b'\xff\xd8\xff' + b'\xff' * 5_000_000, 'jpeg', 'do not decode'),
        (b'\xff\xd8\xff\xe0\0\0' * 9, 'jpeg', 'do not decode'),
        (
            b'\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\1\0\0\0\1\0\0\x08\x02\0\0\0' + bytes(4),
            'png',
            'expected at most 67108864',
        ),
    ],
)
def test_what_is_no_8_bit_picture_is_refused_by_its_data(data, said, message):
    with pytest.raises(ValueError, match=message):
        read(data, said)


def test_headers_are_what_the_encoders_wrote():
    jpeg, png = picture_headers.read(saved(COLOUR, 'JPEG')), picture_headers.read(coded(DEEP))
    assert jpeg == ('JPEG', 48, 32, 8, 3, False)
    assert png == ('PNG', 48, 32, 16, 1, False)


def test_a_size_that_nobody_can_use_is_refused_before_anything_is_decoded(monkeypatch):
    data = cv2.imencode('.png', np.zeros((3000, 4000, 3), np.uint8))[1].tobytes()
    monkeypatch.setattr(cv2, 'imdecode', lambda *_: pytest.fail('it was decoded'))

    def refuse(height, width):
        raise ValueError(f'{width}x{height} is too much')

    with pytest.raises(ValueError, match='4000x3000 is too much'):
        compressed_to_array(SimpleNamespace(data=data, format='png'), refuse)
