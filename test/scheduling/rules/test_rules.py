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

import pytest

from vla_accel_ros.actions import Action, Source
from vla_accel_ros.scheduling.buffer import ActionBuffer
from vla_accel_ros.scheduling.rules.interface import RULES, Verdict, make_rule

STEP = 0.05


def buffer_of(rows, fitted=0):
    buffer = ActionBuffer(6)
    for stamp, row in enumerate(rows):
        source = Source.RIDGE if stamp < fitted else Source.VLA
        buffer.append(Action([*row, *[0.0] * (7 - len(row))], stamp, source))
    return buffer


def moving(speed, angular=0.0, count=6, fitted=0):
    return buffer_of([[speed * STEP, 0, 0, 0, 0, angular * STEP]] * count, fitted)


def test_speeds_are_displacements_over_the_step():
    linear, angular = buffer_of([[0.03, 0, 0.04, 0, 0.3, 0.4, 1]]).speeds(0.1)
    assert linear == pytest.approx(0.5)
    assert angular == pytest.approx(5)


def test_never_asks_the_vla_always():
    assert make_rule('never').judge(moving(0.3), STEP) == Verdict(False, 'never')


@pytest.mark.parametrize(
    'speed, angular, reason',
    [
        (0.09, 0, 'too_slow'),
        (0.11, 0, 'steady_speed'),
        (0.49, 0.9, 'steady_speed'),
        (0.51, 0, 'too_fast'),
        (0.3, 1.1, 'turning'),
    ],
)
def test_velocity_is_intuitive_within_its_band_only(speed, angular, reason):
    rule = make_rule('velocity', v_min=0.1, v_max=0.5, w_max=1.0)
    verdict = rule.judge(moving(speed, angular), STEP)
    assert verdict == Verdict(reason == 'steady_speed', reason)


def test_velocity_includes_both_ends_of_its_band():
    rule = make_rule('velocity', v_min=0.25, v_max=0.25)
    assert rule.judge(buffer_of([[0.0, 0.125, 0.0]]), 0.5).intuitive


def test_velocity_looks_at_the_last_action_only():
    rule = make_rule('velocity', v_min=0.1, v_max=0.5)
    assert rule.judge(buffer_of([[0.9], [0.0], [0.015]]), STEP).intuitive


def test_velocity_scales_with_the_policy_step():
    rule = make_rule('velocity', v_min=0.1, v_max=0.5)
    assert rule.judge(moving(0.3), STEP).intuitive
    assert rule.judge(moving(0.3), 4 * STEP).reason == 'too_slow'


@pytest.mark.parametrize('name', ['velocity', 'always'])
@pytest.mark.parametrize('fitted, intuitive', [(0, True), (2, True), (3, False), (6, False)])
def test_more_than_tau_of_the_buffer_must_be_generated(name, fitted, intuitive):
    verdict = make_rule(name, tau=0.5).judge(moving(0.3, fitted=fitted), STEP)
    assert verdict.intuitive is intuitive
    if not intuitive:
        assert verdict.reason == 'few_from_vla'


def test_without_history_nothing_is_intuitive():
    empty = ActionBuffer(6)
    for name in RULES:
        assert not make_rule(name).judge(empty, STEP).intuitive
    assert make_rule('velocity').judge(empty, STEP).reason == 'no_history'
    assert make_rule('planar').judge(moving(0.3, count=1), STEP).reason == 'no_history'


@pytest.mark.parametrize(
    'last, reason',
    [
        ([0.02, 0.0, 0.005], 'planar'),
        ([0.0, -0.02, -0.005], 'planar'),
        ([0.02, 0.0, 0.016], 'vertical_too_fast'),
        ([0.02, 0.0, -0.016], 'vertical_too_fast'),
        ([0.01, 0.0, 0.008], 'not_planar'),
        ([0.0, 0.0, 0.001], 'not_planar'),
        ([0.0, 0.0, 0.0], 'planar'),
    ],
)
def test_planar_is_intuitive_while_the_motion_is_flat_and_smooth(last, reason):
    rule = make_rule('planar', step_skip=2, ratio=0.6, z_max=0.3)
    flat = [[0.02, 0.0, 0.001]] * 5
    verdict = rule.judge(buffer_of([*flat, last]), STEP)
    assert verdict == Verdict(reason == 'planar', reason)


def test_planar_looks_back_as_many_actions_as_told():
    rows = [[0.02, 0, 0]] * 4 + [[0.0, 0.0, 0.02]] + [[0.02, 0, 0]]
    assert make_rule('planar', step_skip=1).judge(buffer_of(rows), STEP).intuitive
    assert not make_rule('planar', step_skip=2).judge(buffer_of(rows), STEP).intuitive


@pytest.mark.parametrize('fitted, intuitive', [(2, True), (3, False)])
def test_planar_wants_four_of_six_generated(fitted, intuitive):
    verdict = make_rule('planar').judge(moving(0.3, fitted=fitted), STEP)
    assert verdict.intuitive is intuitive


def test_a_gripper_that_opens_or_closes_within_the_buffer_moves():
    def grips(*values):
        return buffer_of([[0, 0, 0, 0, 0, 0, value] for value in values])

    assert not ActionBuffer(6).gripper_moves
    assert not grips(0, 0.2, 0.1).gripper_moves
    assert not grips(1, 0.9, 1).gripper_moves
    assert grips(0, 0, 1).gripper_moves
    assert grips(1, 0, 0, 0).gripper_moves


def test_an_unknown_rule_is_refused_with_the_known_ones():
    with pytest.raises(
        ValueError, match=r"'mood', expected one of \['always', 'never', .*'planar'"
    ):
        make_rule('mood')


@pytest.mark.parametrize(
    'name, options, message',
    [
        ('always', {'tau': 1.5}, 'tau is 1.5'),
        ('velocity', {'v_min': -0.1}, 'v_min is -0.1, expected a number from 0.0 to 5.0 m/s'),
        ('velocity', {'v_min': 0.5, 'v_max': 0.1}, 'v_min is 0.5 m/s, expected at most v_max'),
        ('velocity', {'v_min': float('nan')}, 'v_min is nan'),
        ('velocity', {'w_max': float('nan')}, 'w_max is nan'),
        ('velocity', {'tau': -0.1}, 'tau is -0.1'),
        ('planar', {'step_skip': 0}, 'step_skip is 0, expected a whole number from 1 to 32'),
        ('planar', {'min_from_vla': 0}, 'min_from_vla is 0, expected a whole number from 1'),
        ('planar', {'ratio': 0}, 'ratio is 0.0, expected a number from 0.001'),
        ('planar', {'z_max': -1}, 'z_max is -1.0, expected a number from 0.0001 to 10.0 m/s'),
    ],
)
def test_thresholds_out_of_range_are_refused(name, options, message):
    with pytest.raises(ValueError, match=message):
        make_rule(name, **options)
