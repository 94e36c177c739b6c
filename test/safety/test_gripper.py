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
import pytest

from vla_accel_ros.safety.gripper import GripperLatch

MS = 1_000_000


def sent(latch, wishes, gap_ms=10):
    """Give what is sent when the wishes come `gap_ms` apart."""
    out = []
    for index, wish in enumerate(wishes):
        latch.want(wish)
        out.append(latch.poll(index * gap_ms * MS))
    return out


def test_the_first_wish_is_sent_and_then_changes_only():
    latch = GripperLatch(0.4, 0.6, min_dwell_s=0)
    assert latch.position is None
    assert sent(latch, [0, 0, 1, 1, 0.1, 0]) == [0, None, 1, None, 0, None]
    assert latch.position == 0


def test_between_the_thresholds_the_last_wish_stands():
    latch = GripperLatch(0.4, 0.6, min_dwell_s=0)
    assert sent(latch, [0.5, 0.6, 0.59, 0.41, 0.4, 0.5, 0.6]) == [None, 1, None, None, 0, None, 1]


def test_flicker_within_the_dwell_is_not_sent():
    latch = GripperLatch(0.4, 0.6, min_dwell_s=0.05)
    assert sent(latch, [1, 0, 1, 0, 1, 1, 1]) == [1] + [None] * 6


def test_a_change_held_back_by_the_dwell_is_sent_when_it_ends():
    latch = GripperLatch(0.4, 0.6, min_dwell_s=0.05)
    assert sent(latch, [1, 0, 0, 0, 0, 0, 0]) == [1, None, None, None, None, 0, None]


def test_after_forgetting_the_next_wish_is_sent_again_but_not_sooner_than_the_dwell():
    latch = GripperLatch(0.4, 0.6, min_dwell_s=0.05)
    assert sent(latch, [1]) == [1]
    latch.forget()
    assert latch.position is None
    latch.want(1)
    assert latch.poll(49 * MS) is None
    assert latch.poll(50 * MS) == 1


def test_without_a_wish_nothing_is_sent():
    assert GripperLatch(0.4, 0.6, 0.15).poll(0) is None


@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 100)), max_size=60),
    st.sampled_from([0.0, 0.05, 0.15]),
)
def test_only_open_and_closed_are_sent_in_turn_and_a_dwell_apart(wishes, dwell):
    latch = GripperLatch(0.4, 0.6, min_dwell_s=dwell)
    now = 0
    changes = []
    for wish, gap_ms in wishes:
        now += gap_ms * MS
        latch.want(wish)
        position = latch.poll(now)
        if position is not None:
            assert position in (0.0, 1.0)
            if changes:
                assert position != changes[-1][1]
                assert now - changes[-1][0] >= dwell * 1e9
            changes.append((now, position))


@pytest.mark.parametrize(
    'options, message',
    [
        ({'open_below': 0.7}, 'open_below, close_above are 0.7, 0.6'),
        ({'open_below': -0.1}, 'open_below, close_above are -0.1, 0.6'),
        ({'close_above': 1.1}, 'open_below, close_above are 0.4, 1.1'),
        ({'open_below': float('nan')}, 'open_below, close_above are nan'),
        ({'min_dwell_s': -1}, 'min_dwell_s is -1, expected at least 0'),
        ({'min_dwell_s': float('inf')}, 'min_dwell_s is inf'),
    ],
)
def test_settings_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        GripperLatch(**{'open_below': 0.4, 'close_above': 0.6, 'min_dwell_s': 0.15} | options)
