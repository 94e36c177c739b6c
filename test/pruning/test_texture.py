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


"""The entropy of grey levels."""

import numpy as np
from pruning_harness import flat, textured

from vla_accel_ros.pruning.texture import grey_entropy


def plainly(patch):
    grey = np.floor(patch.astype(float) @ [0.299, 0.587, 0.114] + 0.5).astype(int)
    share = np.bincount(grey.ravel()) / grey.size
    share = share[share > 0]
    return -(share * np.log2(share)).sum()


def test_it_is_that_of_each_patchs_histogram(two_cameras):
    images, side = textured(two_cameras), two_cameras.patch
    # A patch of two grey levels, and one of a single one.
    images[1][:side, :side] = 7
    images[1][:side, side : side + side // 2] = 200
    images[1][:side, side + side // 2 : 2 * side] = 100
    got = grey_entropy(images, two_cameras)
    assert got.shape == (2, 256) and got.dtype == np.float32
    assert got[1, :2].tolist() == [0.0, 1.0]
    for camera, token in ((0, 0), (0, 17), (1, 255)):
        row, column = divmod(token, two_cameras.columns)
        patch = images[camera][row * side : (row + 1) * side, column * side : (column + 1) * side]
        assert abs(got[camera, token] - plainly(patch)) < 1e-4


def test_white_is_a_grey_level_too_and_pixels_behind_the_last_patch_count_for_none(layout):
    image = flat(layout, 255)[0]
    wider = np.concatenate([image, textured(layout)[0][:, : layout.patch - 1]], 1)
    assert not grey_entropy((wider,), layout).any()
