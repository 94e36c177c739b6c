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

import numpy as np
import pytest
from spaces import TWO_ARMS

from vla_accel_ros.action_space import END_EFFECTOR, ActionSpace
from vla_accel_ros.actions import Action
from vla_accel_ros.safety.limits import Limits, Order, check_form, check_stamp

MS = 1_000_000
NS = 1_000_000_000
STEP_S = 0.05
NOW = 100 * NS
CLOCK = 5000 * NS
LIMITS = Limits()


def action(values=(0.01, 0, 0, 0, 0, 0, 0), stamp_ns=CLOCK):
    return Action([*values, *[0.0] * (7 - len(values))], stamp_ns)


def check(one, step_s=STEP_S, order=None, space=END_EFFECTOR):
    form = check_form(one, step_s, LIMITS, space)
    return form or check_stamp(one.stamp_ns, LIMITS, order or Order(), CLOCK)


def verdict(one, order=None, step_s=STEP_S):
    refusal = check(one, step_s, order)
    return refusal.reason if refusal else None


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
    order = Order()
    order.add(CLOCK - 10 * MS)
    assert verdict(action(stamp_ns=CLOCK - 10 * MS + later_ns), order) == reason


def test_an_action_from_before_the_arm_was_enabled_is_stale():
    order = Order()
    order.forget(CLOCK - 20 * MS)
    assert verdict(action(stamp_ns=CLOCK - 21 * MS), order) == 'stale'
    assert verdict(action(stamp_ns=CLOCK - 20 * MS), order) is None


def test_an_action_of_another_space_is_refused_by_name_with_both():
    one = Action(np.zeros(TWO_ARMS.width), NOW, space=TWO_ARMS)
    refusal = check(one)
    assert refusal.reason == 'action_space'
    assert "space 'two_arms' with the columns left_gripper left_x" in refusal.detail
    assert "expected 'end_effector' with x y z roll pitch yaw gripper" in refusal.detail
    other = Action(np.zeros(7), NOW, space=ActionSpace('another_frame', END_EFFECTOR.groups))
    assert check(other).reason == 'action_space'


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


def test_every_gripper_of_a_space_is_checked_under_its_own_name():
    row = np.zeros(TWO_ARMS.width)
    row[TWO_ARMS.grippers[1]] = 1.2
    refusal = check(Action(row, CLOCK, space=TWO_ARMS), space=TWO_ARMS)
    assert refusal == ('gripper_range', 'right_gripper is 1.2, expected 0 to 1')
