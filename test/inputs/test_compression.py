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

"""Observations in fewer bytes: without loss as PNG, with little as JPEG."""

from types import SimpleNamespace

import numpy as np
import pytest

from vla_accel_ros.inputs.compression import JPEG, PNG, compress
from vla_accel_ros.inputs.pictures import compressed_to_array

RAMP = np.stack([*np.meshgrid(np.arange(64), np.arange(48)), np.full((48, 64), 9)], -1)
PIXELS = RAMP.astype(np.uint8) * 3


def there_and_back(kind, quality):
    data = compress(PIXELS, kind, quality)
    return compressed_to_array(SimpleNamespace(data=data, format=kind)), len(data)


def test_png_changes_no_pixel():
    seen, size = there_and_back(PNG, 1)
    assert np.array_equal(seen, PIXELS) and size < PIXELS.nbytes


def test_a_lower_quality_of_jpeg_is_smaller_and_further_off():
    fine, fine_size = there_and_back(JPEG, 95)
    rough, rough_size = there_and_back(JPEG, 30)
    assert rough_size < fine_size < PIXELS.nbytes
    off = [np.abs(seen.astype(int) - PIXELS).mean() for seen in (fine, rough)]
    assert 0 < off[0] < off[1] and off[0] < 2


@pytest.mark.parametrize('shape', [(1, 65501, 3), (0, 4, 3)])
def test_a_picture_that_no_jpeg_holds_is_refused(shape):
    with pytest.raises(ValueError, match=f'a picture of .{shape[0]}, {shape[1]}, 3. cannot be'):
        compress(np.zeros(shape, np.uint8), JPEG)


def test_another_kind_is_refused():
    with pytest.raises(ValueError, match="kind is 'raw', expected png or jpeg"):
        compress(PIXELS, 'raw')
