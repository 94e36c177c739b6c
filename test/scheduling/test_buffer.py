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
import numpy as np
import pytest

from vla_accel_ros.actions import Action, Source
from vla_accel_ros.scheduling.buffer import ActionBuffer


def action(number, source=Source.VLA):
    return Action(np.full(7, float(number)), number, source)


def test_an_empty_buffer_has_no_last_action_and_no_generated_share():
    buffer = ActionBuffer(6)
    assert len(buffer) == 0
    assert buffer.last is None
    assert buffer.from_vla_ratio == 0
    assert buffer.values.shape == (0, 7)
    assert buffer.changes.shape == (0, 7)
    assert buffer.capacity == 6


@given(
    st.integers(1, 7), st.lists(st.tuples(st.floats(-1, 1), st.sampled_from(Source)), max_size=30)
)
def test_views_hold_the_newest_actions_oldest_first(capacity, history):
    buffer = ActionBuffer(capacity)
    kept = []
    for number, (value, source) in enumerate(history):
        kept.append(Action(np.arange(7) * value, number, source))
        buffer.append(kept[-1])
        window = kept[-capacity:]
        assert len(buffer) == len(window)
        assert buffer.last is kept[-1]
        np.testing.assert_array_equal(buffer.values, [a.values for a in window])
        assert [list(row) for row in buffer.rows] == buffer.values.tolist()
        np.testing.assert_array_equal(buffer.changes, np.abs(np.diff(buffer.values, axis=0)))
        assert buffer.from_vla == sum(a.source.from_vla for a in window)
        assert buffer.from_vla_ratio == buffer.from_vla / len(window)


def test_views_cannot_be_written_to():
    buffer = ActionBuffer(6)
    buffer.append(action(1))
    with pytest.raises(ValueError, match='read-only'):
        buffer.values[0, 0] = 5


def test_clear_forgets_every_action():
    buffer = ActionBuffer(3)
    for number in range(5):
        buffer.append(action(number))
    buffer.clear()
    assert len(buffer) == 0
    assert buffer.from_vla == 0
    buffer.append(action(9, Source.RIDGE))
    assert buffer.values.tolist() == [[9.0] * 7]
    assert buffer.from_vla_ratio == 0
    assert buffer.changes.shape == (0, 7)


@pytest.mark.parametrize('capacity', [2, 3, 9])
def test_resizing_keeps_the_newest_actions(capacity):
    buffer = ActionBuffer(4)
    for number in range(6):
        buffer.append(action(number))
    resized = buffer.resized(capacity)
    expected = [2, 3, 4, 5][-capacity:]
    assert resized.values[:, 0].tolist() == expected
    assert resized.capacity == capacity


def test_a_capacity_below_one_is_refused():
    with pytest.raises(ValueError, match='capacity is 0, expected at least 1'):
        ActionBuffer(0)


@given(st.lists(st.booleans(), max_size=20), st.integers(1, 8))
def test_blind_counts_on_beyond_what_the_buffer_holds(generated, capacity):
    buffer = ActionBuffer(3)
    for vla in generated:
        buffer.append(Action(np.zeros(7), 0, Source.VLA if vla else Source.HOLD))
    since = [*generated[::-1], True].index(True)
    assert buffer.steps_since_vla == buffer.resized(capacity).steps_since_vla == since
    buffer.clear()
    assert buffer.steps_since_vla == 0
