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

"""What is seen of camera topics."""

from array import array

import numpy as np
import pytest
from sensor_msgs.msg import CompressedImage

from vla_accel_ros.nodes.camera_settings import SETTINGS
from vla_accel_ros.nodes.camera_views import Views
from vla_accel_ros.ros.images import array_to_image

DEFAULTS = {each.name: each.default for each in SETTINGS}
NS = 1_000_000_000


@pytest.fixture
def views():
    return Views(('a', 'b'))


def picture(seed=0):
    return array_to_image(
        np.random.default_rng(seed).integers(0, 256, (48, 64, 3), np.uint8), seed + 1
    )


def camera(views):
    return views.facts(DEFAULTS).camera


def test_encoding_size_and_stamps_are_told_beside_the_parameters(views):
    for index in range(20):
        for topic in (0, 1):
            stamp = NS + index * NS // 20
            views.add(topic, picture(index), stamp, stamp + NS // 100)
    facts = camera(views)
    first = facts.views[0]
    assert (first.topic, first.encoding, first.width, first.height) == ('a', 'rgb8', 64, 48)
    assert first.stream.rate_hz == pytest.approx(20) and facts.skew_s == 0
    assert (facts.image_size, facts.pair_tolerance) == (224, 0.02)
    views.clear()
    assert camera(views).views[0].stream.rate_hz is None
    assert camera(views).views[0].encoding == 'rgb8'


def test_a_picture_that_cannot_be_read_is_told_until_one_can(views):
    views.add(0, picture(), 1, 1)
    views.refuse(0, 'depth')
    assert camera(views).views[0].refused == 'depth'
    views.add(0, picture(), 2, 2)
    assert camera(views).views[0].refused == ''


def test_the_same_picture_under_new_stamps_is_counted(views):
    for stamp in range(5):
        views.add(0, picture(), stamp + 1, stamp + 1)
        views.add(1, picture(stamp), stamp + 1, stamp + 1)
    assert [view.same for view in camera(views).views] == [4, 0]


def test_compressed_pictures_have_no_size(views):
    views.add(0, CompressedImage(data=array('B', b'x' * 2000)), 1, 1)
    first = camera(views).views[0]
    assert (first.encoding, first.width) == ('compressed', 0)
