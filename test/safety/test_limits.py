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

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest
from spaces import TWO_ARMS

from vla_accel_ros.action_space import END_EFFECTOR, ActionSpace
from vla_accel_ros.actions import Action
from vla_accel_ros.safety.limits import Limits, Record, check

MS = 1_000_000
NS = 1_000_000_000
STEP_S = 0.05
NOW = 100 * NS
CLOCK = 5000 * NS
LIMITS = Limits()


def action(values=(0.01, 0, 0, 0, 0, 0, 0), stamp_ns=CLOCK):
    return Action([*values, *[0.0] * (7 - len(values))], stamp_ns)


def verdict(one, record=None, limits=LIMITS, step_s=STEP_S, now=NOW, **options):
    refusal = check(one, step_s, limits, record or Record(), now, CLOCK, **options)
    return refusal.reason if refusal else None


def recorded(*rows, gap_ms=50, step_s=STEP_S):
    """Give a record of actions that came `gap_ms` apart, the last one `gap_ms` before NOW."""
    record = Record()
    for index, row in enumerate(rows):
        at = NOW - (len(rows) - index) * gap_ms * MS
        record.add(action(row, CLOCK - (len(rows) - index) * MS), at, step_s)
    return record


def test_a_moderate_action_is_within_all_limits():
    assert verdict(action()) is None


@pytest.mark.parametrize('thing', [None, [0.0] * 7, np.zeros(7), 'go'])
def test_what_is_no_action_is_malformed(thing):
    assert verdict(thing) == 'malformed'


@pytest.mark.parametrize('step_s', [0.0, -0.05, 1e-9, 0.51, np.nan, np.inf])
def test_a_step_that_is_no_policy_step_is_malformed(step_s):
    assert verdict(action(), step_s=step_s) == 'malformed'


@pytest.mark.parametrize('column', range(7))
@pytest.mark.parametrize('bad', [np.nan, np.inf, -np.inf])
def test_nan_and_inf_are_refused_in_every_column(column, bad):
    row = [0.0] * 7
    row[column] = bad
    assert verdict(action(row)) == 'nan_or_inf'


@pytest.mark.parametrize(
    'gripper, reason',
    [(0, None), (1.0000001, None), (-0.1, 'gripper_range'), (1.1, 'gripper_range')],
)
def test_the_gripper_stays_between_open_and_closed(gripper, reason):
    assert verdict(action([0, 0, 0, 0, 0, 0, gripper])) == reason


@pytest.mark.parametrize(
    'age_ms, reason',
    [(0, None), (499, None), (501, 'stale'), (-49, None), (-51, 'from_the_future')],
)
def test_stamps_are_neither_old_nor_ahead(age_ms, reason):
    assert verdict(action(stamp_ns=CLOCK - age_ms * MS)) == reason


@pytest.mark.parametrize(
    'later_ns, reason', [(-1, 'out_of_order'), (0, 'out_of_order'), (1, None)]
)
def test_stamps_come_in_order(later_ns, reason):
    record = Record()
    record.add(action(stamp_ns=CLOCK - 10 * MS), NOW - 50 * MS, STEP_S)
    assert verdict(action(stamp_ns=CLOCK - 10 * MS + later_ns), record) == reason


def test_an_action_from_before_the_arm_was_enabled_is_stale():
    record = Record()
    record.forget(CLOCK - 20 * MS)
    assert verdict(action(stamp_ns=CLOCK - 21 * MS), record) == 'stale'
    assert verdict(action(stamp_ns=CLOCK - 20 * MS), record) is None


WIDE = Limits(
    translation_step=1,
    rotation_step=3,
    linear_speed=5,
    angular_speed=20,
    translation_per_second=5,
    rotation_per_second=20,
    linear_acceleration=1e3,
    angular_acceleration=1e4,
)


@pytest.mark.parametrize(
    'name, limit, column',
    [
        ('translation_step', 0.02, 1),
        ('rotation_step', 0.02, 5),
        ('linear_speed', 0.4, 2),
        ('angular_speed', 0.4, 3),
        ('translation_per_second', 0.02, 0),
        ('rotation_per_second', 0.02, 4),
        ('linear_acceleration', 8, 0),
        ('angular_acceleration', 8, 4),
    ],
)
@pytest.mark.parametrize('sign', [1, -1])
def test_each_limit_is_refused_under_its_own_name(name, limit, column, sign):
    limits = replace(WIDE, **{name: limit})
    row = [0.0] * 7
    row[column] = sign * 0.02
    assert verdict(action(row), limits=limits) is None
    row[column] = sign * 0.0201
    assert verdict(action(row), limits=limits) == name


def test_an_action_exactly_at_a_limit_survives_single_precision():
    limits = replace(WIDE, translation_step=0.03)
    assert verdict(action([float(np.float32(0.03))]), limits=limits) is None


def test_lengths_are_euclidean():
    limits = replace(WIDE, translation_step=0.05)
    assert verdict(action([0.03, 0.04, 0.0]), limits=limits) is None
    assert verdict(action([0.03, 0.04, 0.01]), limits=limits) == 'translation_step'


def test_the_path_of_the_last_second_is_limited():
    limits = replace(WIDE, translation_per_second=0.1)
    record = recorded(*[[0.02]] * 4)
    assert verdict(action([0.02]), record, limits) is None
    assert verdict(action([-0.021]), record, limits) == 'translation_per_second'


def test_what_is_older_than_a_second_no_longer_counts():
    limits = replace(WIDE, translation_per_second=0.1)
    record = recorded(*[[0.03]] * 3, gap_ms=330)
    assert verdict(action([0.03]), record, limits) == 'translation_per_second'
    assert verdict(action([0.03]), record, limits, now=NOW + 10 * MS) is None


def test_enabling_again_does_not_clear_the_path_of_the_last_second():
    limits = replace(WIDE, translation_per_second=0.1)
    record = recorded(*[[0.03]] * 3)
    record.forget(0)
    assert verdict(action([0.03]), record, limits) == 'translation_per_second'


def test_acceleration_is_the_change_of_velocity_over_the_step():
    limits = replace(WIDE, linear_acceleration=2.0)
    record = recorded([0.02])
    assert verdict(action([0.0249]), record, limits) is None
    assert verdict(action([0.0251]), record, limits) == 'linear_acceleration'


@pytest.mark.parametrize('share', [0.0, 0.1, 0.5, 1.0])
def test_braking_is_always_allowed(share):
    limits = replace(WIDE, linear_acceleration=0.01, angular_acceleration=0.01)
    record = recorded([0.02, 0, 0.01, 0, 0.1, 0])
    row = [share * value for value in (0.02, 0, 0.01, 0, 0.1, 0)]
    assert verdict(action(row), record, limits) is None


@pytest.mark.parametrize('row', [[-0.001], [-0.02], [0.0201], [0.012, 0.019]])
def test_reversing_and_swerving_are_no_braking(row):
    limits = replace(WIDE, linear_acceleration=0.01)
    assert verdict(action(row), recorded([0.02]), limits) == 'linear_acceleration'


def test_after_a_halt_the_arm_accelerates_from_rest():
    limits = replace(WIDE, linear_acceleration=2.0)
    record = recorded([0.02], gap_ms=91)
    assert verdict(action([0.006]), record, limits, grace_s=0.04) == 'linear_acceleration'
    assert verdict(action([0.005]), record, limits, grace_s=0.04) is None
    assert verdict(action([0.02]), record, limits, grace_s=0.045) is None


BOX = replace(LIMITS, workspace_min=(-0.1, -0.1, 0.0), workspace_max=(0.1, 0.1, 0.3))


@pytest.mark.parametrize(
    'position, row, reason',
    [
        ((0, 0, 0.1), [0.01, 0.01, 0.01], None),
        ((0.095, 0, 0.1), [0.01, 0, 0], 'workspace'),
        ((0.095, 0, 0.1), [-0.01, 0, 0], None),
        ((0, -0.095, 0.1), [0, -0.01, 0], 'workspace'),
        ((0, 0, 0.005), [0, 0, -0.01], 'workspace'),
        ((0.15, 0, 0.1), [0.001, 0, 0], 'workspace'),
        ((0.15, 0, 0.1), [-0.01, 0, 0], None),
        ((0.15, 0, 0.1), [0, 0.01, 0], None),
        ((-0.15, 0, 0.1), [0.01, 0, 0], None),
        ((-0.15, 0, 0.1), [-0.001, 0, 0], 'workspace'),
        (None, [0.01, 0, 0], 'no_pose'),
    ],
)
def test_the_workspace_is_never_left_and_may_be_returned_to(position, row, reason):
    assert verdict(action(row), limits=BOX, position=position) == reason


def test_without_a_box_no_pose_is_needed():
    assert verdict(action(), position=None) is None


def test_the_detail_quotes_value_and_limit():
    refusal = check(action([0.06]), STEP_S, LIMITS, Record(), NOW, CLOCK)
    assert refusal == ('translation_step', '0.06 m, at most 0.05')


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=7, max_size=7))
def test_whatever_is_accepted_is_within_every_limit(row):
    one = action(row)
    if verdict(one) is None:
        assert np.isfinite(one.values).all()
        assert np.linalg.norm(row[:3]) <= LIMITS.translation_step * 1.00001
        assert np.linalg.norm(row[:3]) / STEP_S <= LIMITS.linear_speed * 1.00001
        assert np.linalg.norm(row[3:6]) / STEP_S <= LIMITS.angular_speed * 1.00001


def test_an_action_of_another_space_is_refused_by_name_with_both():
    one = Action(np.zeros(TWO_ARMS.width), NOW, space=TWO_ARMS)
    refusal = check(one, STEP_S, LIMITS, Record(), NOW, CLOCK)
    assert refusal.reason == 'action_space'
    assert "space 'two_arms' with the columns left_gripper left_x" in refusal.detail
    assert "expected 'end_effector' with x y z roll pitch yaw gripper" in refusal.detail
    other = Action(np.zeros(7), NOW, space=ActionSpace('another_frame', END_EFFECTOR.groups))
    assert check(other, STEP_S, LIMITS, Record(), NOW, CLOCK).reason == 'action_space'


@pytest.mark.parametrize(
    'options, message',
    [
        ({'translation_step': 0}, 'translation_step is 0.0, expected a number from 0.0001'),
        ({'linear_speed': float('nan')}, 'linear_speed is nan'),
        ({'max_age_s': float('inf')}, 'max_age_s is inf'),
        ({'min_step_s': 0.6}, 'max_step_s is 0.5, expected min_step_s, 0.6, or more'),
        ({'max_step_s': float('inf')}, 'max_step_s is inf'),
        ({'workspace_min': (0, 0, 0)}, 'workspace has one corner, expected both or none'),
        (
            {'workspace_min': (0, 0, 0), 'workspace_max': (1, 0, 1)},
            r'workspace is \(0, 0, 0\) to \(1, 0, 1\), expected min below max',
        ),
        ({'workspace_min': (0, 0), 'workspace_max': (1, 1)}, 'expected min below max, 3 axes'),
        (
            {'workspace_min': (0, 0, float('nan')), 'workspace_max': (1, 1, 1)},
            'expected min below max',
        ),
    ],
)
def test_limits_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Limits(**options)
