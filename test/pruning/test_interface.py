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
import torch

from vla_accel_ros.motion import Motion
from vla_accel_ros.pruning.interface import Layout, Scene
from vla_accel_ros.pruning.kept import Kept, all_ids, narrow


def test_motion_gives_speeds_in_si_units():
    motion = Motion.from_action([0.03, 0.0, -0.04, 0.0, 0.02, 0.0, 1.0], step_s=0.1)
    assert motion.linear_speed == pytest.approx(0.5)
    assert motion.vertical_speed == pytest.approx(-0.4)
    assert motion.angular_speed == pytest.approx(0.2)


@pytest.mark.parametrize(
    ('values', 'step_s', 'message'),
    [
        ([0.0] * 7, 0.0, 'step_s is 0.0 s'),
        ([float('nan')] + [0.0] * 6, 0.1, 'translation is'),
        ([0.0] * 3 + [float('inf')] + [0.0] * 3, 0.1, 'rotation is'),
        ([0.0] * 2, 0.1, 'translation is'),
    ],
)
def test_motion_that_is_no_motion_is_refused(values, step_s, message):
    with pytest.raises(ValueError, match=message):
        Motion.from_action(values, step_s)


@pytest.mark.parametrize('name', ['cameras', 'rows', 'columns', 'patch', 'layers'])
def test_a_layout_of_nothing_is_refused(name):
    numbers = {'cameras': 1, 'rows': 2, 'columns': 2, 'patch': 14, 'layers': 4, name: 0}
    with pytest.raises(ValueError, match=f'{name} is 0'):
        Layout(**numbers)


LAYOUT = Layout(1, 2, 2, 14, 4)


@pytest.mark.parametrize(
    ('images', 'message'),
    [
        ((), '0 images, expected 1'),
        ((np.zeros((28, 28, 3), np.uint8),) * 2, '2 images, expected 1'),
        ((np.zeros((28, 28, 3), np.float32),), 'image 0 is float32'),
        ((np.zeros((28, 28), np.uint8),), r'image 0 is uint8 \[28, 28\]'),
        (
            (np.zeros((10, 10, 3), np.uint8),),
            'image 0 is 10x10 pixels, expected 2x2 patches of 14',
        ),
        ((np.zeros((480, 640, 3), np.uint8),), 'image 0 is 640x480 pixels, expected 2x2'),
    ],
)
def test_images_that_the_model_would_not_see_are_refused(images, message):
    with pytest.raises(ValueError, match=message):
        Scene(images).check(LAYOUT)


def test_a_part_of_a_patch_may_be_left_over():
    Scene((np.zeros((40, 29, 3), np.uint8),)).check(LAYOUT)


def test_kept_indices_ascend_within_each_camera_and_ids_over_all():
    kept = Kept.from_mask(torch.tensor([[False, True, True], [True, False, False]]))
    assert [index.tolist() for index in kept.indices] == [[1, 2], [0]]
    assert kept.ids.tolist() == [1, 2, 3]
    assert kept.count == 3


def test_narrow_finds_kept_tokens_among_those_present():
    assert narrow(torch.tensor([1, 4, 5, 9]), torch.tensor([4, 9])).tolist() == [1, 3]
    assert narrow(all_ids(2, 3), torch.tensor([5])).tolist() == [5]


def test_a_token_that_is_gone_cannot_be_kept():
    with pytest.raises(ValueError, match='dropped before'):
        narrow(torch.tensor([1, 4]), torch.tensor([2]))
    with pytest.raises(ValueError, match='dropped before'):
        narrow(torch.tensor([1, 4]), torch.tensor([7]))
