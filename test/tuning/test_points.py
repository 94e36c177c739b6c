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

from hypothesis import given
from hypothesis import strategies as st
from made_up import point
import pytest

from vla_accel_ros.tuning.points import front, in_order

numbers = st.floats(0, 100)


def test_the_front_holds_what_nothing_beats():
    points = [point('a', 0, 9), point('b', 5, 5), point('c', 6, 6), point('d', 9, 1)]
    assert [p.name for p in front(points)] == ['d', 'b', 'a']


def test_what_was_given_up_is_no_point_of_the_front():
    assert front([point('a', 0, 1, stopped=True)]) == []


@given(st.lists(st.tuples(numbers, numbers), max_size=12))
def test_each_point_is_on_the_front_or_beaten_by_one_that_is(pairs):
    points = [point(str(i), loss, cost) for i, (loss, cost) in enumerate(pairs)]
    best = front(points)
    for p in points:
        assert any(b.score.loss <= p.score.loss and b.score.cost <= p.score.cost for b in best)
    for b in best:
        assert not any(p.score.loss < b.score.loss and p.score.cost < b.score.cost for p in points)


def test_rules_admit_and_order():
    points = [point('a', 0, 9), point('b', 3, 5), point('c', 4, 1)]
    assert [p.name for p in in_order(points, 'fastest-within', 3)] == ['b', 'a']
    assert [p.name for p in in_order(points, 'closest-within', 5)] == ['b', 'c']
    with pytest.raises(ValueError, match="--choose is 'best'"):
        in_order(points, 'best', 3)
