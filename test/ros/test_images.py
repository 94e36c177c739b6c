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

from array import array

import numpy as np
import pytest
from sensor_msgs.msg import CompressedImage, Image

from vla_accel_ros.ros.images import array_to_image, compressed_to_array, image_to_array

RGB = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)


def raw(pixels, encoding, padding=0, bigendian=False):
    rows = pixels.reshape(len(pixels), -1)
    rows = np.pad(rows, ((0, 0), (0, padding)), constant_values=99)
    return Image(
        height=pixels.shape[0],
        width=pixels.shape[1],
        encoding=encoding,
        step=rows.shape[1],
        is_bigendian=bigendian,
        data=array('B', rows.tobytes()),
    )


def encoded(encoding):
    alpha = np.full((5, 7, 1), 17, np.uint8)
    return {
        'rgb8': RGB,
        'bgr8': RGB[..., ::-1],
        'rgba8': np.concatenate([RGB, alpha], 2),
        'bgra8': np.concatenate([RGB[..., ::-1], alpha], 2),
    }[encoding]


@pytest.mark.parametrize('bigendian', [False, True])
@pytest.mark.parametrize('padding', [0, 3])
@pytest.mark.parametrize('encoding', ['rgb8', 'bgr8', 'rgba8', 'bgra8'])
def test_every_encoding_is_read_as_rgb_whatever_the_step(encoding, padding, bigendian):
    message = raw(encoded(encoding), encoding, padding, bigendian)
    np.testing.assert_array_equal(image_to_array(message), RGB)


def test_mono_is_read_as_grey():
    grey = RGB[..., 0]
    pixels = image_to_array(raw(grey, 'mono8', 2))
    np.testing.assert_array_equal(pixels, np.repeat(grey[..., None], 3, 2))


@pytest.mark.parametrize(
    ('change', 'named'),
    [
        ({'encoding': 'mono16'}, "encoding is 'mono16'"),
        ({'encoding': ''}, "encoding is ''"),
        ({'height': 0}, 'image is 7x0'),
        ({'width': 0}, 'image is 0x5'),
        ({'width': 8}, 'step is 21 bytes, expected at least 24'),
        ({'step': 0}, 'step is 0 bytes'),
        ({'height': 6}, 'data has 105 bytes, expected step x height = 21 x 6 = 126'),
        ({'height': 4_000_000_000}, 'data has 105 bytes'),
        ({'data': array('B')}, 'data has 0 bytes'),
    ],
)
def test_a_header_that_lies_is_named(change, named):
    message = raw(RGB, 'rgb8')
    for field, value in change.items():
        setattr(message, field, value)
    with pytest.raises(ValueError, match=named):
        image_to_array(message)


def test_an_image_written_is_read_back_with_stamp_and_frame():
    message = array_to_image(RGB[:, ::2], 12_000_000_034, 'wrist')
    np.testing.assert_array_equal(image_to_array(message), RGB[:, ::2])
    assert (message.header.stamp.sec, message.header.stamp.nanosec) == (12, 34)
    assert message.header.frame_id == 'wrist' and message.encoding == 'rgb8'


def test_only_rgb_bytes_are_written():
    with pytest.raises(ValueError, match=r'pixels are float64 \[5, 7, 3\]'):
        array_to_image(RGB / 255, 0)


@pytest.mark.parametrize(('suffix', 'tolerance'), [('.png', 0), ('.jpg', 60)])
def test_compressed_pictures_are_read_as_rgb(suffix, tolerance):
    import cv2

    smooth = np.zeros((32, 32, 3), np.uint8) + np.array([200, 100, 30], np.uint8)
    data = cv2.imencode(suffix, smooth[..., ::-1])[1].tobytes()
    pixels = compressed_to_array(CompressedImage(format=suffix[1:], data=array('B', data)))
    assert pixels.shape == smooth.shape
    assert np.abs(pixels.astype(int) - smooth).max() <= tolerance


@pytest.mark.parametrize(
    ('kind', 'data', 'named'),
    [
        ('jpeg', b'', '0 bytes'),
        ('jpeg', b'\xff\xd8\xff not a picture', 'do not decode'),
        ('16UC1; compressedDepth png', b'1', 'expected an 8 bit'),
        ('png', b'\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\1\0\0\0\1\0\0\x08\x02\0\0\0', 'bytes of'),
    ],
)
def test_garbage_that_does_not_decode_is_named(kind, data, named):
    with pytest.raises(ValueError, match=named):
        compressed_to_array(CompressedImage(format=kind, data=array('B', data)))
