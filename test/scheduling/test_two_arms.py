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

"""Scheduling on 14 columns with two grippers: as on the seven of one arm, for each arm."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
import numpy as np
import pytest
from spaces import JOINTS, TWO_ARMS, both, one_of

from vla_accel_ros.action_space import END_EFFECTOR, FITS
from vla_accel_ros.actions import Action, ActionChunk, Source
from vla_accel_ros.scheduling.buffer import ActionBuffer
from vla_accel_ros.scheduling.chunk_queue import ChunkQueue
from vla_accel_ros.scheduling.config import SchedulerConfig
from vla_accel_ros.scheduling.decision import Kind
from vla_accel_ros.scheduling.predictors import Validity, make_predictor
from vla_accel_ros.scheduling.rules.interface import RULES, Verdict, make_rule
from vla_accel_ros.scheduling.rules.trust import Trust
from vla_accel_ros.scheduling.scheduler import Scheduler
from vla_accel_ros.scheduling.seam import LIMIT, Seam, ease, largest_changes

MS = 1_000_000
STEP_S = 0.05
STILL = np.zeros(7)
SIDES = ('left', 'right')

# Bounds that no history here reaches.
WIDE = Validity(max_translation=1.0, max_rotation=3.0)
motions = st.lists(st.floats(-0.03, 0.03), min_size=6, max_size=6)
rows = st.tuples(motions, st.floats(0, 1)).map(lambda pair: np.array([*pair[0], pair[1]]))
histories = st.lists(st.tuples(rows, rows), min_size=3, max_size=6)
chunks = arrays(np.float64, (4, 7), elements=st.floats(-0.05, 0.05))


def buffer_of(actions, space=TWO_ARMS, from_vla=True):
    buffer = ActionBuffer(6, space)
    for stamp, row in enumerate(actions):
        buffer.append(Action(row, stamp, Source.VLA if from_vla else Source.HOLD, space))
    return buffer


@given(histories, st.sampled_from(FITS), st.sampled_from(['clip', 'ignore']))
def test_ridge_predicts_each_arm_as_if_it_were_alone(history, fit, change):
    ridge = make_predictor('ridge', replace(WIDE, change=change), fit=fit)
    together = ridge.predict(buffer_of([both(*pair) for pair in history]))
    for at, side in enumerate(SIDES):
        alone = ridge.predict(buffer_of([pair[at] for pair in history], END_EFFECTOR))
        np.testing.assert_allclose(
            one_of(together.values, side), alone.values, rtol=1e-12, atol=1e-15
        )


@given(histories)
def test_grippers_are_never_extrapolated(history):
    buffer = buffer_of([both(*pair) for pair in history])
    for name in ('ridge', 'hold'):
        predicted = make_predictor(name, WIDE).predict(buffer).values
        grippers = TWO_ARMS.grippers
        np.testing.assert_array_equal(predicted[grippers], buffer.last.values[grippers])


@pytest.mark.parametrize('name', ['ridge', 'hold'])
@pytest.mark.parametrize('side', [0, 1])
@pytest.mark.parametrize(
    'row, reason',
    [
        ([0.06, 0, 0, 0, 0, 0, 0], 'prediction_exceeds_translation'),
        ([0, 0, 0, 0, 0.4, 0, 0], 'prediction_exceeds_rotation'),
        ([0, np.nan, 0, 0, 0, 0, 0], 'prediction_not_finite'),
        ([0, 0, 0, 0, 0, 0, np.inf], 'prediction_not_finite'),
    ],
)
@pytest.mark.filterwarnings('ignore:invalid value')
def test_a_prediction_is_refused_whichever_arm_is_at_fault(name, side, row, reason):
    pair = [STILL, STILL]
    pair[side] = row
    predictor = make_predictor(name, Validity(0.05, 0.3))
    assert predictor.predict(buffer_of([both(*pair)] * 4)) == (None, reason)


@given(histories)
def test_a_gripper_that_moves_shows_whichever_it_is(history):
    moves = buffer_of([both(*pair) for pair in history]).gripper_moves
    alone = [buffer_of([pair[at] for pair in history], END_EFFECTOR) for at in (0, 1)]
    assert moves == any(buffer.gripper_moves for buffer in alone)


@given(histories, st.sampled_from(sorted(RULES)))
def test_rules_judge_an_arm_beside_one_that_stands_still_as_if_it_were_alone(history, name):
    rule = make_rule(name)
    alone = [pair[0] for pair in history]
    expected = rule.judge(buffer_of(alone, END_EFFECTOR), STEP_S)
    still = [STILL for _ in alone]
    if name != 'planar':
        assert rule.judge(buffer_of(both(alone, still)), STEP_S) == expected
        assert rule.judge(buffer_of(both(still, alone)), STEP_S) == expected
    assert rule.judge(buffer_of(both(alone, alone)), STEP_S) == expected


@pytest.mark.parametrize('side', [0, 1])
def test_planar_and_velocity_stop_for_the_arm_that_breaks_the_rule(side):
    steady, rising, fast = (
        np.array([x, 0, z, 0, 0, 0, 0]) for x, z in ((0.01, 0), (0, 0.01), (0.04, 0))
    )
    for rule, odd, reason in (('planar', rising, 'not_planar'), ('velocity', fast, 'too_fast')):
        pair = [steady, steady]
        options = {'v_max': 0.5} if rule == 'velocity' else {}
        rule = make_rule(rule, **options)
        assert rule.judge(buffer_of([both(*pair)] * 5), STEP_S).intuitive
        pair[side] = odd
        assert rule.judge(buffer_of([both(*pair)] * 5), STEP_S) == Verdict(False, reason)


def test_a_space_without_translations_is_never_planar():
    buffer = buffer_of([np.zeros(JOINTS.width)] * 5, JOINTS)
    assert make_rule('planar').judge(buffer, STEP_S) == Verdict(False, 'no_translation')


@given(rows, rows, rows, rows, st.integers(0, 4))
def test_trust_takes_the_worse_of_two_arms_and_any_gripper(one, other, was, now, since):
    def learnt(expected, answer, space):
        rule = Trust(least=2, flip=0, longest=0.4)
        rule.learn(expected, answer, since, STEP_S, space)
        return rule.budget

    alone = [learnt(one, was, END_EFFECTOR), learnt(other, now, END_EFFECTOR)]
    flips = [(a[-1] >= 0.5) != (b[-1] >= 0.5) for a, b in ((one, was), (other, now))]
    expected = 0 if any(flips) else min(alone)
    assert learnt(both(one, other), both(was, now), TWO_ARMS) == expected


@given(chunks, chunks, rows, rows, st.floats(0, 0.02), st.floats(0, 0.05))
def test_the_seam_eases_each_arm_as_if_it_were_alone(left, right, one, other, metres, radians):
    bounds = {'m': metres, 'rad': radians}
    together = ease(
        both(one, other), both(left, right), [bounds[p.unit] for p in TWO_ARMS.parts], TWO_ARMS
    )
    for last, rows_, side in ((one, left, 'left'), (other, right, 'right')):
        alone = ease(last, rows_, (metres, radians), END_EFFECTOR)
        np.testing.assert_array_equal(one_of(together, side), alone)


@given(chunks, chunks, chunks, chunks, st.integers(0, 3))
def test_the_queue_leads_each_arm_over_with_the_bounds_of_its_own_chunks(
    left, right, new_left, new_right, consumed
):
    limit = (0.001, 0.004)

    def led(old, new, last, space):
        queue = ChunkQueue()
        queue.replace(ActionChunk(old, space=space), 0)
        queue.replace(ActionChunk(new, space=space), consumed, last, Seam(LIMIT, *limit))
        return np.array([queue.pop() for _ in range(len(queue))])

    together = led(both(left, right), both(new_left, new_right), both(left[0], right[0]), TWO_ARMS)
    for old, new, side in ((left, new_left, 'left'), (right, new_right, 'right')):
        alone = led(old, new, old[0], END_EFFECTOR)
        np.testing.assert_array_equal(one_of(together, side), alone)


def test_absolute_joints_do_not_jump_at_a_seam():
    old = np.zeros((4, JOINTS.width))
    old[:, 0] = [0.0, 0.01, 0.02, 0.03]
    new = old.copy()
    new[:, 0] += 0.1
    queue = ChunkQueue()
    queue.replace(ActionChunk(old, space=JOINTS), 0)
    queue.replace(ActionChunk(new, space=JOINTS), 1, old[0], Seam(LIMIT, 0.0, 0.02))
    assert [queue.pop()[0] for _ in range(3)] == pytest.approx([0.03, 0.06, 0.09])
    # A translation column changes not at all, the joint a hundredth of a radian a row.
    changes = dict(zip([p.unit for p in JOINTS.parts], largest_changes(old, JOINTS), strict=False))
    assert changes['m'] == 0


@pytest.mark.filterwarnings('ignore:invalid value')
def test_a_prediction_of_absolute_joints_is_bounded_by_its_step_and_not_by_its_position():
    rows_ = np.zeros((4, JOINTS.width))
    rows_[:, 0] = 2.5 + 0.1 * np.arange(4)
    ridge = make_predictor('ridge', Validity(max_rotation=0.3))
    assert ridge.predict(buffer_of(rows_, JOINTS)).values[0] == pytest.approx(2.9, abs=1e-3)
    rows_[:, 0] = 2.5 + 0.4 * np.arange(4)
    assert ridge.predict(buffer_of(rows_, JOINTS)) == (None, 'prediction_exceeds_rotation')


configs = st.builds(
    SchedulerConfig,
    rule=st.sampled_from(sorted(RULES)),
    predictor=st.just('hold'),
    bridge=st.sampled_from(['stop', 'hold']),
    prefetch_rows=st.integers(0, 3),
    tau=st.sampled_from([0.0, 0.5]),
    v_min=st.sampled_from([0.0, 0.16]),
    gripper_guard=st.booleans(),
    seam_translation=st.sampled_from([0.001, 0.02]),
    seam_rotation=st.sampled_from([0.004, 0.1]),
)
events = st.lists(
    st.one_of(st.integers(30, 80), st.tuples(st.integers(1, 5), rows, st.floats(-0.5, 2))),
    min_size=10,
    max_size=40,
)


@settings(max_examples=60)
@given(configs, events)
def test_two_arms_that_do_the_same_are_scheduled_as_one(config, sequence):
    pairs = [(Scheduler(config), END_EFFECTOR), (Scheduler(config, TWO_ARMS), TWO_ARMS)]
    for one, _ in pairs:
        one.set_instruction('lift')
    stamp, asked = 10_000 * MS, None
    for event in sequence:
        decisions = []
        for one, space in pairs:
            if isinstance(event, int):
                decisions.append(one.on_frame(stamp + event * MS, stamp))
            elif asked is not None:
                count, row, growth = event
                values = np.array([row * (1 + growth * k) for k in range(count)])
                values = values if space is END_EFFECTOR else both(values, values)
                decisions.append(one.on_answer(ActionChunk(values, asked, space=space), stamp))
        if not decisions:
            continue
        stamp += event * MS if isinstance(event, int) else 0
        alone, together = decisions
        asked = alone.request.stamp_ns if alone.request else asked
        for name in ('kind', 'reason', 'consumed', 'queued', 'speed', 'angular_speed'):
            assert getattr(alone, name) == getattr(together, name), name
        assert (alone.action is None) == (together.action is None)
        if alone.action is not None:
            for side in SIDES:
                np.testing.assert_array_equal(
                    one_of(together.action.values, side), alone.action.values
                )


def test_an_answer_of_another_space_is_discarded_by_name():
    one = Scheduler(SchedulerConfig(rule='never'), TWO_ARMS)
    one.set_instruction('lift')
    request = one.on_frame(10_000 * MS, 0).request
    decision = one.on_answer(ActionChunk([[0.01] * 7], request.stamp_ns), MS)
    assert (decision.kind, decision.reason) == (Kind.DISCARDED, 'other_action_space')
    assert decision.action is None
