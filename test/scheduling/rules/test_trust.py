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

"""Trust in the predictor follows what was measured of it, and never passes its bound."""

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.actions import Action, Source
from vla_accel_ros.scheduling.buffer import ActionBuffer
from vla_accel_ros.scheduling.rules.interface import make_rule
from vla_accel_ros.scheduling.rules.trust import Trust

STEP = 0.05


def action(x=0.0, yaw=0.0, gripper=0.0):
    return np.array([x, 0, 0, 0, 0, yaw, gripper])


def learnt(*measurements, **options):
    rule = Trust(**options)
    for expected, answer, steps_since_vla in measurements:
        rule.learn(expected, answer, steps_since_vla, STEP, END_EFFECTOR)
    return rule


def buffer_of(*sources):
    buffer = ActionBuffer(3)
    for stamp, source in enumerate(sources):
        buffer.append(Action(action(0.01), stamp, source))
    return buffer


def test_before_the_first_answer_nothing_is_intuitive():
    rule = Trust()
    assert rule.judge(ActionBuffer(6), STEP).reason == 'no_history'
    assert rule.judge(buffer_of(Source.VLA), STEP).reason == 'no_trust'


def test_as_many_steps_are_intuitive_as_the_budget_says():
    rule = learnt((None, action(), 0), least=2)
    assert rule.judge(buffer_of(Source.VLA), STEP) == (True, 'trusted')
    assert rule.judge(buffer_of(Source.VLA, Source.HOLD), STEP).intuitive
    spent = rule.judge(buffer_of(Source.VLA, Source.HOLD, Source.RIDGE), STEP)
    assert spent == (False, 'trust_spent')


@pytest.mark.parametrize(
    'error, steps_since_vla, budget',
    [(0.0, 0, 8), (1.0, 0, 1), (0.5, 0, 2), (0.5, 1, 4), (1.0, 2, 3), (0.9, 3, 4)],
)
def test_the_predictor_is_good_for_the_steps_in_which_it_drifts_to_the_tolerance(
    error, steps_since_vla, budget
):
    answer = action(0.01)
    rule = learnt(
        (answer + action(0.002 * error), answer, steps_since_vla),
        linear=0.04,
        share=0.0,
        least=1,
        longest=0.4,
    )
    assert rule.budget == budget


def test_fast_motion_may_differ_by_a_share_of_itself():
    rule = Trust(linear=0.04, angular=0.2, share=0.25)
    assert rule.error(action(0.025), action(0.020), STEP, END_EFFECTOR) == pytest.approx(1)
    assert rule.error(action(0.003), action(0.001), STEP, END_EFFECTOR) == pytest.approx(1)
    assert rule.error(action(yaw=0.15), action(yaw=0.12), STEP, END_EFFECTOR) == pytest.approx(1)
    assert rule.error(action(yaw=0.01), action(), STEP, END_EFFECTOR) == pytest.approx(1)


@pytest.mark.parametrize('error, budget', [(0.99, 4), (1.01, 3), (1.99, 2), (3.9, 1), (4.1, 0)])
def test_the_greater_the_surprise_the_sooner_the_next_look(error, budget):
    agreed = (action(0.01), action(0.01), 3)
    changed = (action(0.01 + 0.002 * error), action(0.01), 3)
    options = {'linear': 0.04, 'share': 0.0, 'longest': 0.3}
    assert learnt(agreed, **options).budget == 6
    assert learnt(agreed, changed, least=4, **options).budget == budget
    assert learnt(agreed, changed, least=0, **options).budget == (4 if error < 1 else 0)


def test_at_the_beginning_there_is_nothing_to_compare():
    assert learnt((None, action(), 0), least=2).budget == 2


@pytest.mark.parametrize('before, after', [(0.0, 1.0), (1.0, 0.0), (0.4, 0.6)])
def test_a_flip_of_the_gripper_is_looked_at_again_until_it_is_confirmed(before, after):
    flipped = (action(0.0, gripper=before), action(0.0, gripper=after), 2)
    confirmed = (action(0.0, gripper=after), action(0.0, gripper=after), 0)
    assert learnt(flipped).budget == 0
    assert learnt(flipped, flip=1).budget == 1
    assert learnt(flipped, confirmed).budget == 4


@pytest.mark.parametrize('step_s, steps', [(0.02, 10), (0.05, 4), (0.1, 2), (0.2, 1), (0.25, 0)])
def test_the_time_without_a_look_is_the_same_at_every_rate(step_s, steps):
    rule = Trust(least=3, longest=0.2)
    rule.learn(action(0.01), action(0.01), 0, step_s, END_EFFECTOR)
    assert rule.budget == steps
    rule.learn(None, action(0.01), 0, step_s, END_EFFECTOR)
    assert rule.budget == min(3, steps)


numbers = st.one_of(
    st.floats(-0.05, 0.05), st.sampled_from([0.0, 1.0, np.nan, np.inf, -np.inf, 1e300, 5e-324])
)
rows = st.lists(numbers, min_size=7, max_size=7).map(np.array)


@given(
    st.integers(0, 5),
    st.integers(0, 5),
    st.integers(0, 5),
    st.lists(st.tuples(st.one_of(st.none(), rows), rows, st.integers(0, 9)), max_size=8),
)
def test_whatever_was_measured_the_bound_holds(least, flip, most, measurements):
    rule = Trust(least=least, flip=flip, longest=most * STEP)
    for expected, answer, steps_since_vla in measurements:
        rule.learn(expected, answer, steps_since_vla, STEP, END_EFFECTOR)
        assert 0 <= rule.budget <= most
        buffer = buffer_of(*[Source.VLA] + [Source.HOLD] * most)
        assert not rule.judge(buffer, STEP).intuitive
        if expected is not None and not np.isfinite([*expected, *answer]).all():
            assert rule.budget in (0, min(flip, most))


@given(rows, st.integers(0, 3))
def test_agreement_is_worth_one_step_more_than_was_proven(row, steps_since_vla):
    row = np.nan_to_num(row, posinf=0.0, neginf=0.0)
    assert learnt((row, row, steps_since_vla), least=0, longest=0.2).budget >= min(
        steps_since_vla + 1, 4
    )


@pytest.mark.parametrize(
    'options, message',
    [
        ({'linear': 0}, 'linear is 0.0, expected a number from 0.0001 to 10.0 m/s'),
        ({'angular': float('inf')}, 'angular is inf'),
        ({'share': float('nan')}, 'share is nan, expected a number from 0.0'),
        ({'flip': -1}, 'flip is -1, expected a whole number from 0 to 32'),
        ({'longest': -1}, 'longest is -1.0, expected a number from 0.0 to 10.0 s'),
    ],
)
def test_values_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        make_rule('trust', **options)
