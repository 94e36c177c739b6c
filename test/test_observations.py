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

from vla_accel_ros.observations import Observation, split_views, stack_views


def picture(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def test_stacked_views_come_apart_again():
    views = [picture(32, 32, seed) for seed in range(3)]
    apart = split_views(stack_views(views), 3)
    for view, back in zip(views, apart, strict=True):
        np.testing.assert_array_equal(view, back)


def test_views_of_different_sizes_do_not_stack():
    with pytest.raises(ValueError, match='expected one size'):
        stack_views([picture(32, 32), picture(16, 32)])


def test_a_frame_that_does_not_hold_the_views_is_refused():
    with pytest.raises(ValueError, match='33 rows does not hold 2 views'):
        split_views(picture(33, 16), 2)


@pytest.mark.parametrize(
    ('images', 'complaint'),
    [
        ((), 'no image'),
        ((np.zeros((4, 4), np.uint8),), r'image 0 is uint8 \[4, 4\]'),
        ((np.zeros((4, 4, 3)),), 'float64'),
    ],
)
def test_an_observation_of_anything_but_pictures_is_refused(images, complaint):
    with pytest.raises(ValueError, match=complaint):
        Observation(images, 'pick up the red cube')
