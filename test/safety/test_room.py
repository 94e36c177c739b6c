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

"""How far the arm is from its limits."""

import pytest

from vla_accel_ros.safety.limits import Limits
from vla_accel_ros.safety.room import room
from vla_accel_ros.safety.tool_limits import Record

NS = 1_000_000_000
BOX = {'workspace_min': (0.0, -0.5, 0.0), 'workspace_max': (1.0, 0.5, 0.8)}


def test_an_arm_at_rest_has_all_the_room_that_there_is():
    limits = Limits()
    found = room(limits, Record(), NS, 0.05, None)
    assert found == {
        'linear_speed': limits.linear_speed,
        'angular_speed': limits.angular_speed,
        'translation_per_second': limits.translation_per_second,
        'rotation_per_second': limits.rotation_per_second,
    }


def test_what_was_accepted_takes_room_for_as_long_as_it_counts():
    limits, record = Limits(), Record()
    record.add([0.03, 0.04, 0.0, 0.0, 0.0, 0.1, 0.0], NS, 0.1)
    found = room(limits, record, NS, 0.05, None)
    assert found['linear_speed'] == pytest.approx(limits.linear_speed - 0.5)
    assert found['angular_speed'] == pytest.approx(limits.angular_speed - 1.0)
    assert found['translation_per_second'] == pytest.approx(limits.translation_per_second - 0.05)
    assert found['rotation_per_second'] == pytest.approx(limits.rotation_per_second - 0.1)
    assert room(limits, record, 3 * NS, 0.05, None) == room(limits, Record(), NS, 0.05, None)


@pytest.mark.parametrize(
    ('position', 'left'), [((0.9, 0.0, 0.4), 0.1), ((0.5, 0.0, 0.78), 0.02), ((1.1, 0, 0.4), -0.1)]
)
def test_the_nearest_side_of_the_box_counts_and_is_negative_outside(position, left):
    found = room(Limits(**BOX), Record(), NS, 0.05, position)
    assert found['workspace'] == pytest.approx(left)
    assert 'workspace' not in room(Limits(**BOX), Record(), NS, 0.05, None)
