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

import math

import pytest

from vla_accel_ros.inputs.joint_states import ProprioBuffer


def test_values_are_picked_by_name_in_the_order_wanted():
    buffer = ProprioBuffer(['b', 'a'])
    buffer.add(0, ['a', 'x', 'b'], [1.0, 2.0, 3.0])
    assert buffer.nearest(0, 1).tolist() == [3.0, 1.0]


def test_a_value_that_is_wanted_twice_comes_twice():
    buffer = ProprioBuffer(['finger', 'elbow', 'finger'])
    buffer.add(1, ['elbow', 'finger'], [1.0, 0.04])
    assert buffer.nearest(1, 0).tolist() == [0.04, 1.0, 0.04]


def test_without_names_the_whole_message_counts():
    buffer = ProprioBuffer()
    buffer.add(0, [], [1.0, 2.0])
    assert buffer.nearest(0, 1).tolist() == [1.0, 2.0]


def test_each_name_counts_from_whatever_message_it_came_in():
    buffer = ProprioBuffer(['gripper', 'a'])
    buffer.add(0, ['a', 'b'], [1.0, 2.0])
    with pytest.raises(ValueError, match='no value for gripper yet, only for a, b'):
        buffer.nearest(0, 10)
    buffer.add(8, ['gripper'], [0.5])
    buffer.add(20, ['a', 'b'], [3.0, 4.0])
    assert buffer.nearest(5, 10).tolist() == [0.5, 1.0]
    assert buffer.nearest(15, 10).tolist() == [0.5, 3.0]
    with pytest.raises(ValueError, match='nearest gripper is'):
        buffer.nearest(25, 10)


def test_messages_without_a_wanted_name_or_without_positions_change_nothing():
    buffer = ProprioBuffer(['a'])
    buffer.add(0, ['a'], [1.0])
    buffer.add(1, ['wheel', 'head'], [7.0, 8.0])
    buffer.add(2, ['a'], [])
    assert buffer.nearest(2, 10).tolist() == [1.0]
    stranger = ProprioBuffer(['z'])
    stranger.add(0, ['a'], [1.0])
    with pytest.raises(ValueError, match='no value for z yet, only for a'):
        stranger.nearest(0, 10)


@pytest.mark.parametrize(
    ('names', 'values', 'said'),
    [
        (['a', 'b'], [1.0], 'has 1 values for 2 names'),
        (['a'], [1.0, 2.0], 'has 2 values for 1 names'),
        ([], [1.0, 2.0], 'has no names, expected a, b among them'),
        (['a', 'a', 'b'], [1.0, 2.0, 3.0], 'names a twice'),
        (['a', 'b'], [math.nan, 9.0], 'a is nan'),
        (['a', 'b'], [9.0, -math.inf], 'b is -inf'),
        (['a', 'b'], [-1e200, 9.0], 'a is -1e.200, expected finite values of at most 1e.09'),
    ],
)
def test_a_state_that_does_not_add_up_is_refused_by_name_and_the_one_before_counts(
    names, values, said
):
    buffer = ProprioBuffer(['a', 'b'])
    buffer.add(0, ['a', 'b'], [1.0, 2.0])
    with pytest.raises(ValueError, match=said):
        buffer.add(10, names, values)
    known = buffer.nearest(0, 5)
    assert known.tolist() == [1.0, 2.0]


def test_nan_is_refused_of_a_whole_message_and_of_what_is_not_wanted_it_does_not_matter():
    with pytest.raises(ValueError, match='1 is nan'):
        ProprioBuffer().add(0, [], [1.0, math.nan])
    buffer = ProprioBuffer(['a'])
    buffer.add(0, ['a', 'a_broken_wheel'], [1.0, math.nan])
    assert buffer.nearest(0, 1).tolist() == [1.0]


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


def test_a_state_that_comes_while_the_nearest_is_looked_for_does_not_disturb_the_search():
    buffer = ProprioBuffer(['a'])

    class Late(int):
        """An instant of a thread that another one interrupts."""

        def __rsub__(self, stamp_ns):
            buffer.add(100, ['a'], [100.0])
            return stamp_ns - int(self)

    for stamp in (1, 2, 3):
        buffer.add(stamp, ['a'], [float(stamp)])
    assert buffer.nearest(Late(2), 0).tolist() == [2.0]


def test_the_topic_that_is_silent_is_named():
    with pytest.raises(ValueError, match='nothing came on joint_states yet'):
        ProprioBuffer(['a'], topic='joint_states').nearest(0, 0)
