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


"""Pairing by stamp."""

from hypothesis import given
from hypothesis import strategies as st
import pytest

from vla_accel_ros.inputs.stamp_pair import StampPair


@given(st.permutations([(kind, stamp) for kind in ('left', 'right') for stamp in range(4)]))
def test_only_equal_stamps_pair_and_each_at_most_once(arrivals):
    pair = StampPair()
    pairs = [getattr(pair, kind)(stamp, (kind, stamp)) for kind, stamp in arrivals]
    found = [p for p in pairs if p]
    assert all(a == ('left', b[1]) for a, b in found)
    assert len({a for a, _ in found}) == len(found)


@pytest.mark.parametrize('first', ['left', 'right'])
def test_a_pair_is_complete_whichever_side_comes_first(first):
    pair = StampPair()
    second = 'right' if first == 'left' else 'left'
    assert getattr(pair, first)(7, first) is None
    assert getattr(pair, second)(7, second) == ('left', 'right')
    assert pair.lost == 0


def test_a_message_that_is_passed_over_is_counted():
    pair = StampPair()
    pair.left(1, 'a')
    assert pair.left(2, 'b') is None
    assert pair.right(2, 'c') == ('b', 'c')
    assert pair.lost == 1
    pair.left(3, 'd')
    pair.clear()
    assert pair.right(3, 'e') is None
