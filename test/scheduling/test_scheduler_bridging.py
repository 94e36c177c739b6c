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
from scheduler_steps import FAST, answer, frame, scheduler, stamp_of, taught

from vla_accel_ros.actions import Source
from vla_accel_ros.scheduling.decision import Kind


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
