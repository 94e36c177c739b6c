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

"""Where each joint is, by name, whatever order and message it came in."""

from math import nan

import pytest

from vla_accel_ros.safety.joint_limits import JointLimit
from vla_accel_ros.safety.measured import MeasuredJoints

MS = 1_000_000
NAMES = ('a', 'b', 'c')


def test_joints_are_found_by_name_in_any_order_and_over_several_messages():
    joints = MeasuredJoints(NAMES)
    assert joints.update(['c', 'other', 'a'], [3.0, 9.0, 1.0], 0) == ''
    assert joints.fault(0, 0.1) == ('joints_missing', 'no position of b on joint_states')
    assert joints.update(['b'], [2.0], 10 * MS) == ''
    assert joints.fault(10 * MS, 0.1) is None
    assert joints.positions == (1.0, 2.0, 3.0)


def test_stale_joints_are_named_with_their_age():
    joints = MeasuredJoints(NAMES)
    joints.update(NAMES, [0, 0, 0], 0)
    joints.update(['b'], [1.0], 150 * MS)
    reason, detail = joints.fault(150 * MS, 0.1)
    assert reason == 'joints_stale'
    assert detail == 'a, c: the position is 0.150 s old, at most 0.1'


def test_a_stamps_age_counts_and_an_overtaken_state_changes_nothing():
    joints = MeasuredJoints(NAMES)
    joints.update(NAMES, [1, 1, 1], 100 * MS)
    joints.update(NAMES, [0, 0, 0], 101 * MS, age_s=0.05)
    assert joints.positions == (1, 1, 1)
    joints = MeasuredJoints(NAMES)
    joints.update(NAMES, [0, 0, 0], 100 * MS, age_s=0.2)
    assert joints.fault(100 * MS, 0.1).reason == 'joints_stale'


@pytest.mark.parametrize(
    'names, positions, age_s, said',
    [
        (['a', 'b'], [1.0], 0, 'has 1 positions for 2 names'),
        (['a', 'b'], [1.0, nan], 0, 'b is nan, expected finite positions'),
        (['a', 'a'], [1.0, 2.0], 0, 'names a more than once'),
        (['a'], [1.0], -0.2, 'is stamped 0.200 s ahead of the clock, at most 0.05'),
    ],
)
def test_of_a_state_with_something_wrong_nothing_is_taken(names, positions, age_s, said):
    joints = MeasuredJoints(NAMES)
    assert joints.update(names, positions, 0, age_s) == said
    assert joints.fault(0, 0.1).detail == 'no position of a, b, c on joint_states'


def test_a_driver_that_tells_no_positions_and_joints_of_others_are_no_trouble():
    joints = MeasuredJoints(NAMES)
    assert joints.update(NAMES, [], 0) == ''
    assert joints.update(['finger'], [nan], 0) == ''


def test_a_clock_that_was_set_back_leaves_no_state_of_the_future():
    joints = MeasuredJoints(NAMES)
    joints.update(NAMES, [0, 0, 0], 10_000 * MS)
    assert joints.fault(0, 0.1).reason == 'joints_stale'


def test_after_the_clock_was_set_back_a_state_counts_again():
    joints = MeasuredJoints(NAMES)
    joints.update(NAMES, [1, 1, 1], 600_000 * MS)
    joints.update(NAMES, [2, 2, 2], 100 * MS)
    assert joints.fault(100 * MS, 0.1) is None
    assert joints.positions == (2, 2, 2)


def limited():
    joints = MeasuredJoints(NAMES)
    joints.configure(JointLimit(name, 'rad', -2.8, 2.8, 2.0, 50.0, 0.3) for name in NAMES)
    return joints


def test_a_joint_that_leaps_is_in_doubt_for_a_second_and_named_with_the_way():
    joints = limited()
    joints.update(NAMES, [0.1] * 3, 0)
    joints.update(NAMES, [0.1, 1.5, 0.1], 10 * MS)
    assert joints.fault(10 * MS, 2.0) == (
        'joints_leap',
        'b went 1.4 rad in 0.010 s, at most 0.17: do several nodes publish joint_states?',
    )
    assert joints.fault(1000 * MS, 2.0).reason == 'joints_leap'
    joints.update(NAMES, [0.1, 1.5, 0.1], 1020 * MS)
    assert joints.fault(1020 * MS, 2.0) is None


def test_two_that_tell_of_one_joint_in_turn_are_in_doubt_for_as_long_as_they_do():
    joints = limited()
    for turn in range(30):
        joints.update(NAMES, [0.5 * (turn % 2)] * 3, turn * 100 * MS)
        fault = joints.fault(turn * 100 * MS, 0.15)
        assert (fault and fault.reason) == ('joints_leap' if turn else None)


def test_a_fast_joint_and_states_that_were_lost_are_no_leap():
    joints = limited()
    for now_ms in (0, 10, 20, 110, 120):
        # 2 rad/s, as fast as it may go.
        joints.update(NAMES, [2.0 * now_ms / 1000] * 3, now_ms * MS)
        assert joints.fault(now_ms * MS, 0.1) is None


@pytest.mark.parametrize('period_ms', [2, 10, 50])
def test_unstamped_states_that_come_in_a_burst_after_a_stall_are_no_leap(period_ms):
    joints, now_ms = limited(), 500
    joints.update(NAMES, [0.0] * 3, 0)
    # Of what came meanwhile the newest five are kept, and read at one instant.
    for turn in range(5):
        at_ms = now_ms + (turn - 4) * period_ms
        joints.update(NAMES, [2.0 * at_ms / 1000] * 3, now_ms * MS)
        assert joints.fault(now_ms * MS, 0.1) is None


def test_a_leap_of_before_the_clock_was_set_back_does_not_count():
    joints = limited()
    joints.update(NAMES, [0.0] * 3, 10_000 * MS)
    joints.update(NAMES, [1.0] * 3, 10_010 * MS)
    joints.update(NAMES, [1.0] * 3, 100 * MS)
    assert joints.fault(100 * MS, 0.1) is None
