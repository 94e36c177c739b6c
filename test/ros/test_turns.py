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

"""Whose job comes next."""

from hypothesis import given
from hypothesis import strategies as st
import pytest

from vla_accel_ros.ros.turns import RECENT_S, Turns


def test_of_each_owner_the_newest_job_is_taken_and_who_waits_longest_is_first():
    turns = Turns()
    assert [turns.put('b', 1, 0.0), turns.put('a', 2, 0.1), turns.put('b', 3, 0.2)] == [0, 0, 1]
    assert turns.take(9) == [3, 2]
    assert turns.take(9) == []


def test_a_lone_job_is_due_at_once_and_one_with_others_about_after_the_bound():
    turns = Turns()
    assert turns.due(0.5, 1.0) == float('inf')
    turns.put('a', 1, 1.0)
    assert turns.due(0.5, 1.0) == 1.0
    turns.take(1)
    turns.put('b', 2, 1.2)
    assert turns.due(0.5, 1.3) == pytest.approx(1.7)
    turns.put('a', 3, 1.4)
    assert turns.due(0.5, 1.4) == 1.4


def test_an_owner_that_is_silent_or_has_left_is_not_waited_for():
    turns = Turns()
    turns.put('a', 1, 0.0)
    turns.take(1)
    later = RECENT_S + 0.1
    turns.put('b', 2, later)
    assert turns.due(0.5, later) == later
    turns.put('a', 3, later)
    turns.take(1)
    assert turns.discard('b') is False
    turns.put('a', 4, later)
    assert turns.due(0.5, later) == later


@given(
    puts=st.lists(st.tuples(st.sampled_from('abcde'), st.booleans()), max_size=40),
    most=st.integers(1, 3),
)
def test_nobody_is_passed_over_by_who_came_later(puts, most):
    turns, since, now = Turns(), {}, 0.0
    for owner, take in puts:
        now += 1
        turns.put(owner, owner, now)
        since.setdefault(owner, now)
        if take:
            taken = turns.take(most)
            assert taken == sorted(since, key=since.get)[:most]
            for each in taken:
                del since[each]
    assert len(turns) == len(since)
