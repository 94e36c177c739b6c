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


"""Proprioception by name and by stamp."""

import pytest

from vla_accel_ros.proprio import ProprioBuffer


def test_values_are_picked_by_name_in_the_order_wanted():
    buffer = ProprioBuffer(['b', 'a'])
    buffer.add(0, ['a', 'x', 'b'], [1.0, 2.0, 3.0])
    assert buffer.nearest(0, 1).tolist() == [3.0, 1.0]


def test_without_names_the_whole_message_counts():
    buffer = ProprioBuffer()
    buffer.add(0, [], [1.0, 2.0])
    assert buffer.nearest(0, 1).tolist() == [1.0, 2.0]


@pytest.mark.parametrize(('names', 'values'), [(['a'], [1.0]), (['a', 'b'], [1.0])])
def test_a_missing_value_is_refused_by_name(names, values):
    with pytest.raises(ValueError, match='has no value for b'):
        ProprioBuffer(['a', 'b']).add(0, names, values)


def test_the_nearest_state_counts_when_it_is_near_enough():
    buffer = ProprioBuffer()
    with pytest.raises(ValueError, match='nothing came'):
        buffer.nearest(0, 100)
    for stamp in (0, 50, 100):
        buffer.add(stamp, [], [float(stamp)])
    assert buffer.nearest(60, 20).tolist() == [50.0]
    assert buffer.nearest(110, 20).tolist() == [100.0]
    with pytest.raises(ValueError, match='from the observation'):
        buffer.nearest(200, 20)
    buffer.clear()
    with pytest.raises(ValueError, match='nothing came'):
        buffer.nearest(100, 20)
