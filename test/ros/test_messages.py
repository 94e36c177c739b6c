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

import math

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest
from spaces import JOINTS, TWO_ARMS
from trajectory_msgs.msg import JointTrajectory

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.actions import Action, ActionChunk, Source
from vla_accel_ros.ros import messages
from vla_accel_ros.ros.messages import ChunkStats
from vla_accel_ros.scheduling.decision import Decision, Kind, Request

STAMP = 1_700_000_000_123_456_789
numbers = st.floats(allow_nan=True, allow_infinity=True, width=64)
rows = st.lists(numbers, min_size=7, max_size=7)


@given(st.integers(-(1 << 31) * 10**9, ((1 << 31) - 1) * 10**9))
def test_stamps_are_exact_to_the_nanosecond(stamp_ns):
    assert messages.to_ns(messages.from_ns(stamp_ns)) == stamp_ns


def test_a_stamp_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match='no ROS stamp holds'):
        messages.from_ns(1 << 63)


@given(st.lists(rows, min_size=1, max_size=8), st.integers(1, 10**18))
def test_a_chunk_survives_the_message_bit_by_bit(values, stamp_ns):
    chunk = ActionChunk(values, stamp_ns)
    message = messages.chunk_to_message(chunk, 0.05, 'base')
    back = messages.message_to_chunk(message)
    np.testing.assert_array_equal(back.values, chunk.values)
    assert back.stamp_ns == stamp_ns and back.source is Source.VLA


def test_a_chunk_is_columns_points_and_times():
    message = messages.chunk_to_message(
        ActionChunk(np.arange(14.0).reshape(2, 7), STAMP), 0.05, 'panda_link0'
    )
    assert list(message.joint_names) == list(END_EFFECTOR.names)
    assert message.header.frame_id == 'panda_link0'
    times = [messages.to_ns(point.time_from_start) for point in message.points]
    assert times == [50_000_000, 100_000_000]
    assert messages.message_step(message) == 0.05
    assert messages.message_stats(message) is None


def test_statistics_travel_with_the_chunk():
    stats = ChunkStats(keep_ratio=0.5, model_s=0.02, passes=2.0, accepted=7.0)
    message = messages.chunk_to_message(ActionChunk(np.zeros((2, 7))), 0.1, 'base', stats)
    assert messages.message_stats(message) == stats
    message.points[0].effort = [1.0]
    with pytest.raises(ValueError, match='effort has 1 values'):
        messages.message_stats(message)


def test_an_action_is_a_chunk_of_one():
    action = Action([0.1, 0, 0, 0, 0, 0, 1], STAMP, Source.RIDGE)
    message = messages.chunk_to_message(action, 0.05, 'base')
    back = messages.message_to_action(message, Source.RIDGE)
    np.testing.assert_array_equal(back.values, action.values)
    two = messages.chunk_to_message(ActionChunk(np.zeros((2, 7))), 0.05, 'base')
    with pytest.raises(ValueError, match='this message has 2'):
        messages.message_to_action(two)


def test_a_request_brings_what_is_left_of_the_old_chunk_and_the_delay():
    tail = np.arange(21.0).reshape(3, 7) / 100
    request = Request(STAMP, 'go', None, tail[0], tail, 2)
    back = messages.message_to_request(messages.request_to_message(request, 0.05))
    np.testing.assert_array_equal(back.tail, tail)
    assert back.delay == 2
    alone = messages.request_to_message(Request(STAMP, 'go', None, None), 0.05)
    assert messages.message_to_request(alone).tail is None


@pytest.mark.parametrize(
    ('spoil', 'named'),
    [
        (lambda m: setattr(m, 'joint_names', []), 'columns are'),
        (lambda m: setattr(m, 'joint_names', list(reversed(END_EFFECTOR.names))), 'columns are'),
        (lambda m: setattr(m, 'points', []), 'no points'),
        (lambda m: setattr(m.points[1], 'positions', [1.0]), 'point 1 has 1 positions'),
    ],
)
def test_a_chunk_that_is_malformed_is_named(spoil, named):
    message = messages.chunk_to_message(ActionChunk(np.zeros((2, 7))), 0.05, 'base')
    spoil(message)
    with pytest.raises(ValueError, match=named):
        messages.message_to_chunk(message)


def test_uneven_times_have_no_step():
    message = messages.chunk_to_message(ActionChunk(np.zeros((3, 7))), 0.05, 'base')
    message.points[2].time_from_start.nanosec += 5000
    with pytest.raises(ValueError, match='not multiples'):
        messages.message_step(message)
    with pytest.raises(ValueError, match='expected above 0'):
        messages.message_step(JointTrajectory())


@pytest.mark.parametrize('draft', [None, np.arange(7.0) / 8])
@pytest.mark.parametrize('last', [None, Action(np.arange(7.0) / 10)])
def test_a_request_keeps_what_is_there_and_what_is_not(last, draft):
    request = Request(STAMP, 'Pick up the red cube', last, draft)
    back = messages.message_to_request(messages.request_to_message(request, 0.05))
    assert (back.stamp_ns, back.instruction) == (STAMP, 'Pick up the red cube')
    assert (back.last_action is None) == (last is None)
    assert (back.draft is None) == (draft is None)
    if last is not None:
        np.testing.assert_array_equal(back.last_action.values, last.values)
    if draft is not None:
        np.testing.assert_array_equal(back.draft, draft)


@pytest.mark.parametrize(
    ('spoil', 'named'),
    [
        (lambda m: setattr(m, 'points', m.points[:1]), 'this message has 1'),
        (lambda m: setattr(m.points[0], 'positions', [1.0]), 'last action has 1'),
        (lambda m: setattr(m.points[1], 'positions', [1.0]), 'draft has 1'),
        (lambda m: setattr(m, 'joint_names', ['x']), 'columns are'),
        (
            lambda m: setattr(m.points[0], 'positions', [math.nan] + [0.0] * 6),
            'last action is .nan',
        ),
        (lambda m: setattr(m.points[1], 'positions', [0.0] * 6 + [math.inf]), 'draft is .*inf'),
        (lambda m: setattr(m.points[1], 'positions', [1e6] + [0.0] * 6), 'draft has x = 1e.06'),
        (lambda m: setattr(m.points[2], 'positions', []), 'old chunk has 0 positions'),
        (lambda m: setattr(m.points[2], 'positions', [math.nan] + [0.0] * 6), 'old chunk is .nan'),
        (lambda m: setattr(m.points[2], 'positions', [1e6] + [0.0] * 6), 'old chunk has x = 1e'),
        (lambda m: setattr(m.points[1], 'effort', [0.5]), 'delay is .0.5'),
        (lambda m: setattr(m.points[1], 'effort', [math.nan]), 'delay is .nan'),
        (lambda m: setattr(m.header, 'frame_id', ' '), 'instruction is empty'),
        (lambda m: setattr(m.header, 'frame_id', 'x' * 1001), '1001 characters'),
    ],
)
def test_a_request_that_is_malformed_is_named(spoil, named):
    request = Request(STAMP, 'go', None, None, np.zeros((1, 7)))
    message = messages.request_to_message(request, 0.05)
    spoil(message)
    with pytest.raises(ValueError, match=named):
        messages.message_to_request(message)


@pytest.mark.parametrize(
    ('row', 'named'),
    [
        ([0, 0, 1e6, 0, 0, 0, 0], r'z = 1e\+06 in row 1, expected -1 to 1'),
        ([0, 0, 0, 0, 0, -4, 0], 'yaw = -4 in row 1, expected -3.142 to 3.142'),
        ([0, 0, 0, 0, 0, 0, 7], 'gripper = 7 in row 1, expected 0 to 1'),
        ([0, 0, 0, 0, 0, 0, -0.1], 'gripper = -0.1'),
    ],
)
def test_motion_that_no_policy_means_is_named(row, named):
    with pytest.raises(ValueError, match=named):
        messages.check_motion(np.array([[0.0] * 7, row]))


def test_motion_within_bounds_and_what_is_not_finite_pass_for_others_to_judge():
    messages.check_motion(np.array([[1, -1, 1, 3, -3, 3, 1], [np.nan, np.inf, 0, 0, 0, 0, 0.5]]))
    with pytest.raises(ValueError, match='1001 rows'):
        messages.check_motion(np.zeros((1001, 7)))


def test_a_space_of_two_arms_travels_under_its_own_names():
    rows = 0.01 * np.arange(28.0).reshape(2, 14)
    message = messages.chunk_to_message(ActionChunk(rows, STAMP, space=TWO_ARMS), 0.05, 'base')
    assert tuple(message.joint_names) == TWO_ARMS.names
    back = messages.message_to_chunk(message, space=TWO_ARMS)
    np.testing.assert_array_equal(back.values, rows)
    assert back.space is TWO_ARMS
    with pytest.raises(ValueError, match=r'columns are .*left_gripper.*expected .*gripper'):
        messages.message_to_chunk(message)
    request = Request(STAMP, 'go', Action(rows[0], STAMP, space=TWO_ARMS), rows[1])
    asked = messages.request_to_message(request, 0.05, TWO_ARMS)
    read = messages.message_to_request(asked, TWO_ARMS)
    np.testing.assert_array_equal(read.last_action.values, rows[0])
    np.testing.assert_array_equal(read.draft, rows[1])
    assert read.last_action.space is TWO_ARMS


def test_bounds_go_with_the_units_of_the_columns_and_spare_absolute_positions():
    row = np.array([[9.0, -9.0, 0.0, 1.0, 0.5, 3.0, 0.0, 0.0]])
    messages.check_motion(row, space=JOINTS)
    row[0, JOINTS.names.index('lift')] = 1.5
    with pytest.raises(ValueError, match=r'lift = 1\.5 in row 0, expected -1 to 1'):
        messages.check_motion(row, space=JOINTS)


@pytest.mark.parametrize('effort', [[1.0, math.nan, 1.0, 0.0], [1.0, -1.0, 1.0, 0.0]])
def test_statistics_that_cannot_be_are_refused(effort):
    message = messages.chunk_to_message(Action(np.zeros(7), STAMP), 0.05, '')
    message.points[0].effort = effort
    with pytest.raises(ValueError, match='expected finite values of 0 or more'):
        messages.message_stats(message)


def test_a_decision_tells_what_why_and_at_what_cost():
    decision = Decision(
        Kind.DELIBERATIVE,
        'answered',
        STAMP,
        Action(np.zeros(7), STAMP),
        speed=0.25,
        latency_s=0.0213,
        consumed=1,
        queued=3,
    )
    status = messages.decision_to_message(decision, '/scheduler', ChunkStats(0.5, 0.02, 2, 7))
    assert status.message == 'deliberative: answered' and status.level == status.OK
    values = messages.message_to_decision(status)
    assert values['stamp_ns'] == str(STAMP) and values['source'] == 'vla'
    assert values['latency_ms'] == '21.300' and values['model_ms'] == '20.000'
    assert values['keep_ratio'] == '0.5000' and values['passes'] == '2'
    assert (values['consumed'], values['queued'], values['in_flight_ms']) == ('1', '3', '')


def test_a_discarded_answer_is_a_warning():
    status = messages.decision_to_message(Decision(Kind.DISCARDED, 'stale_answer', 1), 's')
    assert status.level == status.WARN
    assert messages.message_to_decision(status)['source'] == ''


def test_a_status_that_is_no_decision_is_refused():
    status = messages.decision_to_message(Decision(Kind.WAITING, 'in_flight', 1), 's')
    status.values = status.values[1:]
    with pytest.raises(ValueError, match='has no kind'):
        messages.message_to_decision(status)
