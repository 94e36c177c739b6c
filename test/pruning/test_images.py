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


import numpy as np
import pytest

from vla_accel_ros.pruning.edges import edge_patches
from vla_accel_ros.pruning.interface import Layout
from vla_accel_ros.pruning.motion import Frames, patches_of, similarity

LAYOUT = Layout(cameras=1, rows=4, columns=4, patch=14, layers=4)


def grey(size=56, value=90):
    return np.full((size, size, 3), value, np.uint8)


def test_edges_mark_the_patches_that_hold_them_in_reading_order():
    image = grey()
    image[20:26, 44:50] = 255  # inside patch row 1, column 3
    assert np.flatnonzero(edge_patches((image,), LAYOUT)[0]).tolist() == [7]


def test_a_uniform_image_has_no_edges():
    assert not edge_patches((grey(),), LAYOUT).any()


def test_canny_sees_the_image_as_red_green_blue():
    image = grey(value=0)
    image[20:26, 16:24, 2] = 255  # blue weighs little in grey: too weak an edge
    assert not edge_patches((image,), LAYOUT, 150, 400).any()
    assert edge_patches((np.ascontiguousarray(image[..., ::-1]),), LAYOUT, 150, 200).any()


def test_pixels_beyond_the_last_whole_patch_count_for_no_token():
    image = grey(60)
    image[58:, 58:] = 255
    assert not edge_patches((image,), LAYOUT).any()


def test_a_patch_is_like_itself_and_unlike_what_moved():
    rng = np.random.default_rng(0)
    image = rng.integers(1, 256, (56, 56, 3), dtype=np.uint8)
    moved = image.copy()
    moved[14:28, 0:14] = rng.integers(0, 256, (14, 14, 3), dtype=np.uint8)
    alike = similarity(patches_of((moved,), LAYOUT), patches_of((image,), LAYOUT))[0]
    assert np.flatnonzero(alike < 0.986).tolist() == [4]
    assert alike[0] == pytest.approx(1.0, abs=1e-5)


def test_black_patches_are_alike_and_unlike_anything_else():
    black, lit = patches_of((grey(value=0),), LAYOUT), patches_of((grey(),), LAYOUT)
    assert (similarity(black, black) == 1).all()
    assert (similarity(black, lit) == 0).all()


def test_the_reference_is_the_newest_frame_that_is_old_enough():
    frames = Frames(3)
    assert frames.before(0, 0) is None
    for stamp in (0, 10, 20):
        frames.add(stamp, np.array([stamp]))
    assert frames.before(30, 10) == 20
    assert frames.before(30, 15) == 10
    assert frames.before(30, 99) == 0
    frames.add(30, np.array([30]))
    assert frames.before(40, 99) == 10


def test_a_stamp_that_goes_back_starts_afresh():
    frames = Frames(3)
    frames.add(10, np.array([10]))
    frames.add(5, np.array([5]))
    assert len(frames) == 1
