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
from scheduler_steps import FAST, MS, STEP, answer, config, frame, scheduler, stamp_of, taught

from vla_accel_ros.actions import Source
from vla_accel_ros.scheduling.config import SchedulerConfig
from vla_accel_ros.scheduling.decision import Kind
from vla_accel_ros.scheduling.scheduler import Scheduler


def test_the_first_frame_asks_the_vla():
    one = scheduler()
    decision = frame(one, 0)
    assert (decision.kind, decision.reason) == (Kind.DELIBERATIVE, 'no_history')
    assert decision.action is None
    request = decision.request
    assert request.stamp_ns == stamp_of(0)
    assert request.instruction == 'pick up the red cube'
    assert request.last_action is None
    assert request.draft is None
    assert one.in_flight


def test_without_an_instruction_nothing_is_asked():
    one = scheduler(instruction='')
    decision = frame(one, 0)
    assert (decision.kind, decision.reason) == (Kind.WAITING, 'no_instruction')
    assert decision.request is None
    assert not one.in_flight


def test_an_answer_within_its_step_is_sent_at_once():
    one = scheduler()
    frame(one, 0)
    decision = answer(one, 0, 30)
    assert (decision.kind, decision.reason) == (Kind.DELIBERATIVE, 'answered')
    np.testing.assert_array_equal(decision.action.values, FAST)
    assert decision.action.stamp_ns == stamp_of(0)
    assert decision.action.source is Source.VLA
    assert decision.latency_s == pytest.approx(0.03)
    assert decision.in_flight_s is None
    assert decision.speed == pytest.approx(0.3)
    assert decision.angular_speed == pytest.approx(0.02)
    assert not one.in_flight


def test_an_answer_that_confirms_the_draft_is_verified():
    one = scheduler()
    frame(one, 0)
    decision = answer(one, 0, 5, verified=True)
    assert (decision.kind, decision.reason) == (Kind.VERIFIED, 'draft_confirmed')
    assert decision.action is not None


def test_a_steady_motion_is_intuitive_and_at_once():
    one, step = taught()
    one.configure(config(rule='velocity', v_min=0.1))
    decision = frame(one, step)
    assert (decision.kind, decision.reason) == (Kind.INTUITIVE, 'steady_speed')
    np.testing.assert_allclose(decision.action.values, FAST, atol=1e-5)
    assert decision.action.source is Source.RIDGE
    assert decision.action.stamp_ns == stamp_of(step)
    assert decision.request is None


def test_fitted_actions_enter_the_buffer_until_too_few_are_generated():
    one, step = taught()
    one.configure(config(rule='velocity', v_min=0.1))
    kinds = [frame(one, step + i).kind for i in range(4)]
    assert kinds == [Kind.INTUITIVE] * 3 + [Kind.DELIBERATIVE]
    assert one.buffer.from_vla == 3


def test_an_invalid_prediction_falls_back_to_the_vla_under_its_own_name():
    one, step = taught(rule='always', min_actions=6, count=1)
    decision = frame(one, step)
    assert (decision.kind, decision.reason) == (Kind.DELIBERATIVE, 'too_few_actions')
    assert decision.request.draft is None


def test_the_request_carries_the_draft_and_the_last_action():
    one, step = taught()
    decision = frame(one, step)
    assert decision.reason == 'never'
    np.testing.assert_allclose(decision.request.draft, FAST, atol=1e-5)
    assert decision.request.last_action is one.buffer.last


@pytest.mark.parametrize('guard', [True, False])
def test_a_closing_gripper_is_never_intuitive_where_guarded(guard):
    one = scheduler(rule='always', gripper_guard=guard, min_actions=2, tau=0.0)
    frame(one, 0)
    answer(one, 0, 10)
    one.configure(config(rule='never'))
    frame(one, 1)
    answer(one, 1, 10, row=[*FAST[:6], 1.0])
    one.configure(config(rule='always', gripper_guard=guard, min_actions=2, tau=0.0))
    decision = frame(one, 2)
    expected = (Kind.DELIBERATIVE, 'gripper_moves') if guard else (Kind.INTUITIVE, 'always')
    assert (decision.kind, decision.reason) == expected


def test_the_rows_of_a_chunk_are_sent_step_by_step():
    one = scheduler()
    frame(one, 0)
    first = answer(one, 0, 10, rows=3)
    assert first.queued == 2
    rest = [frame(one, step) for step in (1, 2)]
    assert [d.kind for d in rest] == [Kind.QUEUED] * 2
    assert [d.reason for d in rest] == ['next_of_chunk'] * 2
    assert [d.action.values[0] for d in rest] == pytest.approx([0.03, 0.045])
    assert [d.action.stamp_ns for d in rest] == [stamp_of(1), stamp_of(2)]
    assert [d.queued for d in rest] == [1, 0]
    assert frame(one, 3).kind is Kind.DELIBERATIVE


def test_a_chunk_whose_observation_is_too_old_is_dropped():
    one = scheduler(max_chunk_age_s=0.12)
    frame(one, 0)
    answer(one, 0, 10, rows=8)
    assert frame(one, 1).kind is Kind.QUEUED
    assert frame(one, 2).kind is Kind.QUEUED
    assert frame(one, 3).kind is Kind.DELIBERATIVE
    assert one.counters['chunks_expired'] == 1


def test_a_running_chunk_is_renewed_before_it_ends_where_told():
    one = scheduler(prefetch_rows=2, seam_translation=1.0)
    frame(one, 0)
    answer(one, 0, 10, rows=4)
    assert frame(one, 1).request is None
    last = one.buffer.last
    decision = frame(one, 2)
    assert decision.kind is Kind.QUEUED
    assert decision.request.stamp_ns == stamp_of(2)
    assert decision.request.last_action is last
    np.testing.assert_array_equal(decision.request.draft, decision.action.values)
    assert frame(one, 3).request is None
    # Steps 2 and 3 were commanded since the frame of step 2: two rows are consumed.
    renewed = answer(one, 2, 60, rows=4, row=[0.001] * 6 + [0.0])
    assert (renewed.kind, renewed.reason) == (Kind.QUEUED, 'step_already_served')
    assert renewed.consumed == 2
    assert renewed.action is None
    assert frame(one, 4).action.values[0] == pytest.approx(0.003)


def test_a_chunk_is_renewed_in_its_middle_when_told_and_goes_on_until_the_answer():
    one = scheduler()
    frame(one, 0)
    answer(one, 0, 10, rows=8)
    assert frame(one, 1).reason == 'next_of_chunk'
    one.replan()
    decision = frame(one, 2)
    assert (decision.kind, decision.reason) == (Kind.QUEUED, 'replan')
    assert decision.action is not None
    assert decision.request.stamp_ns == stamp_of(2)
    assert (frame(one, 3).reason, frame(one, 4).request) == ('next_of_chunk', None)
    assert answer(one, 2, 120, rows=8).consumed == 3
    assert one.counters['requests'] == 2


def test_a_call_under_way_is_awaited_before_the_one_that_renews():
    one = scheduler(prefetch_rows=6)
    frame(one, 0)
    answer(one, 0, 10, rows=8)
    frame(one, 1)
    assert frame(one, 2).request is not None
    one.replan()
    assert frame(one, 3).request is None
    answer(one, 2, 60, rows=20)
    decision = frame(one, 4)
    assert (decision.reason, decision.request.stamp_ns) == ('replan', stamp_of(4))


def test_a_step_without_a_chunk_is_never_intuitive_when_told_to_renew():
    one, step = taught()
    one.configure(config(rule='velocity', v_min=0.1))
    one.replan()
    decision = frame(one, step)
    assert (decision.kind, decision.reason) == (Kind.DELIBERATIVE, 'replan')
    answer(one, step, 10)
    assert frame(one, step + 1).kind is Kind.INTUITIVE


def test_a_reset_forgets_to_renew():
    one = scheduler()
    one.replan()
    one.reset()
    assert frame(one, 0).reason != 'replan'
    answer(one, 0, 10, rows=8)
    assert frame(one, 1).reason == 'next_of_chunk'


def test_an_instruction_change_forgets_the_past_and_discards_the_answer_under_way():
    one, step = taught()
    frame(one, step)
    assert one.set_instruction('stack the cubes')
    assert one.instruction == 'stack the cubes'
    assert len(one.buffer) == 0
    late = answer(one, step, 20)
    assert (late.kind, late.reason) == (Kind.DISCARDED, 'instruction_changed')
    assert late.action is None
    decision = frame(one, step + 1)
    assert decision.reason == 'never'
    assert decision.request.instruction == 'stack the cubes'
    assert decision.request.last_action is None


def test_the_same_instruction_again_changes_nothing():
    one, step = taught()
    assert not one.set_instruction('pick up the red cube')
    assert len(one.buffer) == step


def test_an_instruction_change_drops_the_queued_rows():
    one = scheduler()
    frame(one, 0)
    answer(one, 0, 10, rows=5)
    one.set_instruction('stack the cubes')
    assert frame(one, 1).kind is Kind.DELIBERATIVE


def test_reset_starts_afresh_and_keeps_the_instruction():
    one, step = taught()
    frame(one, step)
    one.reset()
    assert len(one.buffer) == 0
    assert answer(one, step, 20).reason == 'reset'
    decision = one.on_frame(5 * MS, 10_000 * MS)
    assert decision.request.instruction == 'pick up the red cube'


@pytest.mark.parametrize('stamp_ms, reason', [(-3000, 'jumped_back'), (+3000, 'paused')])
def test_a_jump_of_the_stamps_starts_afresh(stamp_ms, reason):
    one, step = taught()
    frame(one, step)
    decision = one.on_frame(stamp_of(step) + stamp_ms * MS, (step + 1) * STEP)
    assert decision.kind is Kind.DELIBERATIVE
    assert decision.request.last_action is None
    assert answer(one, step, 60).reason == reason


def test_frames_between_the_steps_are_skipped():
    one = scheduler()
    frame(one, 0)
    early = one.on_frame(stamp_of(0) + 33 * MS, 33 * MS)
    assert (early.kind, early.reason) == (Kind.SKIPPED, 'between_steps')
    late = one.on_frame(stamp_of(0) + 20 * MS, 40 * MS)
    assert (late.kind, late.reason) == (Kind.SKIPPED, 'out_of_order')
    assert one.counters['frames'] == 3
    assert one.counters['steps'] == 1
    assert late.in_flight_s == pytest.approx(0.04)


def test_settings_change_between_steps_without_losing_state():
    one, step = taught()
    frame(one, step)
    one.configure(config(rule='always', capacity=4, policy_step_s=0.1))
    assert one.config.capacity == 4
    assert len(one.buffer) == 4
    assert one.in_flight
    assert answer(one, step, 10).action is not None
    # The step is twice as long now: the phase goes on, the frame halfway is no step.
    assert frame(one, step + 1).kind is Kind.INTUITIVE
    assert frame(one, step + 2).kind is Kind.SKIPPED
    assert frame(one, step + 3).kind is Kind.INTUITIVE


def test_the_defaults_need_no_argument():
    assert Scheduler().config == SchedulerConfig()


def test_counters_name_every_kind_reason_and_source():
    one, step = taught(count=4)
    one.configure(config(rule='velocity', v_min=0.1))
    frame(one, step)
    assert one.counters == {
        'frames': 5,
        'steps': 5,
        'requests': 4,
        'answers': 4,
        'actions': 5,
        'actions/vla': 4,
        'actions/ridge': 1,
        'deliberative': 8,
        'deliberative/never': 4,
        'deliberative/answered': 4,
        'intuitive': 1,
        'intuitive/steady_speed': 1,
    }
