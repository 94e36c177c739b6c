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

"""Resizing with padding against the libraries that the originals use."""

import numpy as np
from PIL import Image
import pytest
import torch
import torch.nn.functional as F

from vla_accel_ros.inputs.padding import padded_linear, padded_view, scaled

SIZES = ((240, 320), (251, 187), (90, 31))


def picture(height, width):
    return np.random.default_rng(height).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize(('height', 'width'), SIZES)
def test_what_is_not_antialiased_is_torchs(height, width):
    image = picture(height, width)
    rows, columns = scaled(height, width, 96)
    theirs = F.interpolate(
        torch.from_numpy(image.astype(np.float32)).permute(2, 0, 1)[None],
        (rows, columns),
        mode='bilinear',
    )[0].permute(1, 2, 0)
    ours = padded_linear(image, 96, centred=False)
    assert np.abs(ours[96 - rows :, 96 - columns :] - theirs.numpy()).max() < 1e-4
    assert not ours[: 96 - rows].any() and not ours[:, : 96 - columns].any()


@pytest.mark.parametrize(('height', 'width'), SIZES)
def test_what_is_antialiased_is_pils_with_the_odd_pixel_on_the_right(height, width):
    image = picture(height, width)
    rows, columns = scaled(height, width, 96)
    theirs = Image.fromarray(image).resize((columns, rows), Image.Resampling.BILINEAR)
    ours, top, left = padded_view(image, 96, 'pad'), (96 - rows) // 2, (96 - columns) // 2
    assert np.array_equal(ours[top : top + rows, left : left + columns], np.asarray(theirs))
    assert ours.sum() == np.asarray(theirs).sum()


def test_a_view_of_the_size_is_not_touched():
    image = picture(96, 96)
    assert padded_view(image, 96, 'pad') is image


def test_a_view_of_which_nothing_is_left_is_refused():
    with pytest.raises(ValueError, match='image is 1x400, expected sides within 1 to 96'):
        padded_view(picture(400, 1), 96, 'pad-linear')
