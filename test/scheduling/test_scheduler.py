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

from vla_accel_ros.actions import ActionChunk, Source
from vla_accel_ros.scheduling.config import SchedulerConfig
from vla_accel_ros.scheduling.decision import Kind
from vla_accel_ros.scheduling.scheduler import Scheduler

MS = 1_000_000
STEP = 50 * MS
FAST = [0.015, 0.0, 0.0, 0.0, 0.0, 0.001, 0.0]


def scheduler(instruction='pick up the red cube', **options):
    one = Scheduler(SchedulerConfig(**options))
    if instruction:
        one.set_instruction(instruction)
    return one


def frame(one, step, late_ms=0):
    """Hand over the frame of a step; its stamp is later than the clock's zero by choice."""
    return one.on_frame(stamp_of(step), step * STEP + late_ms * MS)


def stamp_of(step):
    return 1_000_000 * MS + step * STEP


def answer(one, step, at_ms, rows=1, row=FAST, **options):
    """Answer the request of a step, `at_ms` after that step's frame."""
    chunk = ActionChunk([[v * (i + 1) for v in row] for i in range(rows)], stamp_of(step))
    return one.on_answer(chunk, step * STEP + at_ms * MS, **options)


def taught(count=6, **options):
    """Give a scheduler whose buffer holds `count` equal actions of the VLA, and the next step."""
    one = scheduler(**{'rule': 'never', **options})
    for step in range(count):
        assert frame(one, step).request is not None
        assert answer(one, step, 10).action is not None
    return one, count


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
    one.configure(SchedulerConfig(rule='velocity', v_min=0.1))
    decision = frame(one, step)
    assert (decision.kind, decision.reason) == (Kind.INTUITIVE, 'steady_speed')
    np.testing.assert_allclose(decision.action.values, FAST, atol=1e-5)
    assert decision.action.source is Source.RIDGE
    assert decision.action.stamp_ns == stamp_of(step)
    assert decision.request is None


def test_fitted_actions_enter_the_buffer_until_too_few_are_generated():
    one, step = taught()
    one.configure(SchedulerConfig(rule='velocity', v_min=0.1))
    kinds = [frame(one, step + i).kind for i in range(4)]
    assert kinds == [Kind.INTUITIVE] * 3 + [Kind.DELIBERATIVE]
    assert one.buffer.generated == 3


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
    one.configure(SchedulerConfig(rule='never'))
    frame(one, 1)
    answer(one, 1, 10, row=[*FAST[:6], 1.0])
    one.configure(SchedulerConfig(rule='always', gripper_guard=guard, min_actions=2, tau=0.0))
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
    one = scheduler(prefetch_rows=2)
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


def test_a_call_past_its_step_sends_nothing_where_bridging_stops():
    one, step = taught(bridge='stop')
    frame(one, step)
    waiting = frame(one, step + 1)
    assert (waiting.kind, waiting.reason) == (Kind.WAITING, 'in_flight')
    assert waiting.action is None
    assert waiting.in_flight_s == pytest.approx(0.05)


@pytest.mark.parametrize('bridge, source', [('hold', Source.HOLD), ('ridge', Source.RIDGE)])
def test_a_call_past_its_step_is_bridged_for_a_bounded_number_of_steps(bridge, source):
    one, step = taught(bridge=bridge, max_bridge_steps=2)
    frame(one, step)
    bridged = [frame(one, step + i) for i in (1, 2, 3)]
    assert [d.kind for d in bridged] == [Kind.BRIDGED, Kind.BRIDGED, Kind.WAITING]
    assert [d.reason for d in bridged] == ['in_flight', 'in_flight', 'bridge_exhausted']
    assert [d.action.source for d in bridged[:2]] == [source] * 2
    assert bridged[2].action is None


def test_there_is_nothing_to_bridge_with_at_the_start():
    one = scheduler(bridge='hold')
    frame(one, 0)
    waiting = frame(one, 1)
    assert (waiting.kind, waiting.reason) == (Kind.WAITING, 'too_few_actions')


def test_rows_that_were_bridged_over_are_not_sent_again():
    one, step = taught(bridge='hold', max_bridge_steps=2)
    frame(one, step)
    for i in (1, 2, 3):
        frame(one, step + i)
    # Two actions were commanded though three steps went by: rows count, not time.
    decision = answer(one, step, 170, rows=5)
    assert decision.consumed == 2
    assert decision.action.values[0] == pytest.approx(0.045)
    assert decision.action.stamp_ns == stamp_of(step + 3)
    assert decision.queued == 2


def test_no_row_is_dropped_for_a_wait_in_which_nothing_was_commanded():
    one, step = taught(bridge='stop')
    frame(one, step)
    frame(one, step + 1)
    decision = answer(one, step, 70, rows=3)
    assert decision.consumed == 0
    assert decision.action.values[0] == pytest.approx(0.015)


def test_an_answer_whose_rows_were_all_bridged_over_is_discarded():
    one, step = taught(bridge='hold', max_bridge_steps=3)
    frame(one, step)
    for i in (1, 2):
        frame(one, step + i)
    decision = answer(one, step, 120, rows=2)
    assert (decision.kind, decision.reason) == (Kind.DISCARDED, 'all_rows_consumed')
    assert not one.in_flight


def test_a_single_row_is_sent_however_much_was_bridged():
    one, step = taught(bridge='hold', max_bridge_steps=1)
    frame(one, step)
    frame(one, step + 1)
    frame(one, step + 2)
    decision = answer(one, step, 120)
    assert decision.kind is Kind.DELIBERATIVE
    assert decision.consumed == 0
    np.testing.assert_array_equal(decision.action.values, FAST)


def test_an_answer_to_a_bridged_step_waits_for_the_next_one():
    one, step = taught(bridge='hold')
    frame(one, step)
    frame(one, step + 1)
    decision = answer(one, step, 60)
    assert (decision.kind, decision.reason) == (Kind.QUEUED, 'step_already_served')
    assert decision.action is None
    assert decision.queued == 1
    following = frame(one, step + 2)
    assert following.kind is Kind.QUEUED
    assert following.action.stamp_ns == stamp_of(step + 2)


def test_bridging_is_allowed_anew_after_an_answer():
    one, step = taught(bridge='hold', max_bridge_steps=1)
    frame(one, step)
    assert frame(one, step + 1).kind is Kind.BRIDGED
    assert frame(one, step + 2).kind is Kind.WAITING
    assert answer(one, step, 110).action is not None
    frame(one, step + 3)
    assert frame(one, step + 4).kind is Kind.BRIDGED


def test_a_stale_answer_is_discarded_and_the_vla_asked_afresh():
    one, step = taught(max_staleness_s=0.2)
    frame(one, step)
    decision = answer(one, step, 201)
    assert (decision.kind, decision.reason) == (Kind.DISCARDED, 'stale_answer')
    assert decision.latency_s == pytest.approx(0.201)
    assert decision.action is None
    assert frame(one, step + 5).request is not None


@pytest.mark.parametrize('bad', [np.nan, np.inf, -np.inf])
def test_an_answer_that_is_not_finite_never_enters_the_buffer(bad):
    one, step = taught()
    frame(one, step)
    decision = answer(one, step, 10, row=[bad, *FAST[1:]])
    assert (decision.kind, decision.reason) == (Kind.DISCARDED, 'nan_or_inf')
    assert np.isfinite(one.buffer.values).all()


def test_answers_that_nobody_asked_for_are_discarded_with_a_reason():
    one = scheduler()
    assert answer(one, 0, 10).reason == 'unknown_stamp'
    frame(one, 0)
    assert answer(one, 1, 10).reason == 'unknown_stamp'
    assert answer(one, 0, 10).action is not None
    again = answer(one, 0, 20)
    assert (again.kind, again.reason) == (Kind.DISCARDED, 'already_answered')
    assert one.counters['discarded'] == 3
    assert one.counters['discarded/unknown_stamp'] == 2


def test_a_lost_request_is_asked_afresh_and_its_late_answer_discarded():
    one = scheduler(answer_timeout_s=0.12)
    frame(one, 0)
    assert frame(one, 1).request is None
    assert frame(one, 2).request is None
    decision = frame(one, 3)
    assert (decision.kind, decision.reason) == (Kind.DELIBERATIVE, 'answer_timeout')
    assert decision.request.stamp_ns == stamp_of(3)
    assert one.counters['timeouts'] == 1
    assert answer(one, 0, 160).reason == 'answer_timeout'
    assert answer(one, 3, 10).action is not None


def test_lost_requests_do_not_let_bridging_go_on():
    one, step = taught(bridge='hold', max_bridge_steps=2, answer_timeout_s=0.12)
    kinds = [frame(one, step + i).kind for i in range(30)]
    assert kinds.count(Kind.BRIDGED) == 2


def test_an_answer_after_the_camera_froze_keeps_the_stamp_of_the_last_frame():
    one = scheduler(max_staleness_s=5.0)
    frame(one, 0)
    decision = answer(one, 0, 3000)
    assert decision.action.stamp_ns == stamp_of(0)


def test_settings_change_between_steps_without_losing_state():
    one, step = taught()
    frame(one, step)
    one.configure(SchedulerConfig(rule='always', capacity=4, policy_step_s=0.1))
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
    one.configure(SchedulerConfig(rule='velocity', v_min=0.1))
    frame(one, step)
    assert one.counters == {
        'frames': 5, 'steps': 5, 'requests': 4, 'answers': 4, 'actions': 5, 'actions/vla': 4,
        'actions/ridge': 1, 'deliberative': 8, 'deliberative/never': 4,
        'deliberative/answered': 4, 'intuitive': 1, 'intuitive/steady_speed': 1,
    }
