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

"""How much of a chunk is executed before the VLA is asked again."""

from dataclasses import replace
from itertools import cycle

import numpy as np
import pytest
from scheduler_steps import MS, STEP, frame, scheduler, stamp_of

from vla_accel_ros.actions import ActionChunk
from vla_accel_ros.scheduling.decision import Kind


def rows_of(speed, count=10):
    rows = np.zeros((count, 7))
    rows[:, 0] = speed
    return rows


def asked(one, answers, steps):
    """Play steps in which each request is answered before the next one.

    Args:
        one: The scheduler.
        answers: Gives the rows of an answer by step.
        steps: How many.

    Returns:
        The steps in which the VLA was asked, and why.
    """
    found = []
    for step in range(steps):
        decision = frame(one, step)
        if decision.request is None:
            continue
        found.append((step, decision.reason, decision.request))
        one.on_answer(ActionChunk(answers(step), stamp_of(step)), step * STEP + 25 * MS)
    return found


def steps_of(found):
    return [step for step, _, _ in found]


def test_a_whole_chunk_is_executed_but_for_the_rows_that_are_asked_for_ahead():
    one = scheduler(rule='never', prefetch_rows=2)
    assert steps_of(asked(one, lambda step: rows_of(0.01), 20)) == [0, 8, 16]


@pytest.mark.parametrize('rows', [1, 3, 5])
def test_a_fixed_number_of_rows_is_executed(rows):
    one = scheduler(rule='never', execute='fixed', execute_rows=rows, prefetch_rows=0)
    found = asked(one, lambda step: rows_of(0.01), 16)
    assert set(np.diff(steps_of(found))) == {rows}
    assert {reason for _, reason, _ in found[1:]} == {'horizon_reached'}


def test_slow_motion_asks_at_each_step_and_fast_motion_goes_on():
    options = {'rule': 'velocity', 'execute': 'rule', 'prefetch_rows': 0, 'v_min': 0.1, 'tau': 0}
    slow = asked(scheduler(**options), lambda step: rows_of(0.001), 9)
    assert steps_of(slow) == list(range(9))
    assert slow[-1][1] == 'too_slow'
    fast = asked(scheduler(**options), lambda step: rows_of(0.02), 9)
    assert steps_of(fast) == [0]


def trusting(**options):
    return scheduler(
        rule='trust', execute='rule', prefetch_rows=0, trust_least=2, trust_longest=0.3, **options
    )


def test_an_answer_that_bears_out_the_old_chunk_has_the_next_one_followed_further():
    found = steps_of(asked(trusting(), lambda step: rows_of(0.01), 24))
    gaps = np.diff(found)
    assert gaps[0] < gaps[-1] == 6


def test_an_answer_that_differs_from_the_old_chunk_has_the_vla_asked_sooner():
    signs = cycle([0.01, -0.01])
    found = steps_of(asked(trusting(), lambda step: rows_of(next(signs)), 24))
    assert np.diff(found).max() <= 2


def test_the_request_brings_what_is_left_of_the_old_chunk_and_how_much_of_it_is_bound_to_come():
    one = scheduler(rule='never', execute='fixed', execute_rows=2, prefetch_rows=0)
    first = frame(one, 0).request
    assert (first.tail, first.delay) == (None, 0)
    rows = rows_of(0.01)
    rows[:, 1] = np.arange(10) * 1e-3
    one.on_answer(ActionChunk(rows, stamp_of(0)), 25 * MS)
    assert frame(one, 1).request is None
    request = frame(one, 2).request
    np.testing.assert_array_equal(request.tail, rows[2:])
    np.testing.assert_array_equal(request.draft, rows[2])
    assert request.delay == 1
    # The answer comes two steps late: from now on as much is expected.
    frame(one, 3)
    frame(one, 4)
    one.on_answer(ActionChunk(rows, stamp_of(2)), 4 * STEP + 25 * MS)
    assert frame(one, 5).request.delay == 3


def test_without_overlap_the_arm_stands_still_until_the_whole_answer_is_executed():
    one = scheduler(rule='never', execute='fixed', execute_rows=2, overlap=False)
    rows = rows_of(0.01)
    rows[:, 1] = np.arange(10) * 1e-3
    frame(one, 0)
    one.on_answer(ActionChunk(rows, stamp_of(0)), 25 * MS)
    assert frame(one, 1).action is not None
    stopped = frame(one, 2)
    assert (stopped.kind, stopped.reason) == (Kind.DELIBERATIVE, 'horizon_reached')
    assert stopped.action is None
    np.testing.assert_array_equal(stopped.request.tail, rows[2:])
    np.testing.assert_array_equal(stopped.request.draft, rows[2])
    assert stopped.request.delay == 0
    assert [frame(one, step).kind for step in (3, 4)] == [Kind.WAITING] * 2
    answered = one.on_answer(ActionChunk(rows, stamp_of(2)), 4 * STEP + 25 * MS)
    np.testing.assert_array_equal(answered.action.values, rows[0])
    np.testing.assert_array_equal(frame(one, 5).action.values, rows[1])
    assert frame(one, 6).request.delay == 0


def test_without_overlap_an_answer_within_its_step_leaves_no_gap():
    one = scheduler(rule='never', execute='fixed', execute_rows=3, overlap=False)
    found = asked(one, lambda step: rows_of(0.01), 12)
    assert steps_of(found) == [0, 3, 6, 9]
    assert one.counters['actions'] == one.counters['steps']


def test_without_overlap_nothing_is_asked_ahead_of_a_chunks_end():
    one = scheduler(rule='never', prefetch_rows=4, overlap=False)
    assert steps_of(asked(one, lambda step: rows_of(0.01), 21)) == [0, 10, 20]


def test_without_overlap_the_next_chunk_still_follows_on_the_old_one():
    one = scheduler(rule='never', execute='fixed', execute_rows=2, overlap=False, seam='limit')
    asked(one, lambda step: rows_of(0.0), 2)
    frame(one, 2)
    fast = one.on_answer(ActionChunk(rows_of(0.1), stamp_of(2)), 2 * STEP + 25 * MS)
    assert fast.action.values[0] == pytest.approx(0.02)


def test_an_answer_that_is_lost_without_overlap_is_asked_for_again():
    one = scheduler(
        rule='never', execute='fixed', execute_rows=1, overlap=False, answer_timeout_s=0.12
    )
    asked(one, lambda step: rows_of(0.01), 1)
    assert frame(one, 1).request is not None
    again = [frame(one, step) for step in range(2, 5)]
    assert [each.request is not None for each in again] == [False, False, True]
    assert again[-1].reason == 'answer_timeout'


@pytest.mark.parametrize(
    'options',
    [
        {'execute': 'fixed', 'execute_rows': 2, 'bridge': 'hold'},
        {'execute': 'rule', 'bridge': 'ridge'},
        {'execute': 'fixed', 'execute_rows': 1, 'bridge': 'stop'},
    ],
)
def test_without_overlap_every_action_is_the_vlas_however_late_it_answers(options):
    one = scheduler(rule='never', overlap=False, max_bridge_steps=4, **options)
    asked_at = None
    for step in range(40):
        request = frame(one, step).request
        asked_at = step if request is not None else asked_at
        if asked_at is not None and step == asked_at + 2:
            one.on_answer(ActionChunk(rows_of(0.01), stamp_of(asked_at)), step * STEP + 25 * MS)
            asked_at = None
    assert one.counters['actions'] == one.counters['actions/vla'] >= 10


def test_what_was_late_in_motion_does_not_count_once_the_arm_stands_still():
    one = scheduler(rule='never', execute='fixed', execute_rows=2)
    asked(one, lambda step: rows_of(0.01), 2)
    for step in (2, 3, 4):
        frame(one, step)
    one.on_answer(ActionChunk(rows_of(0.01), stamp_of(2)), 4 * STEP + 25 * MS)
    one.configure(replace(one.config, overlap=False))
    assert frame(one, 5).request.delay == 0


def test_a_replan_stops_the_arm_without_overlap():
    one = scheduler(rule='never', execute='fixed', execute_rows=8, overlap=False)
    asked(one, lambda step: rows_of(0.01), 2)
    one.replan()
    stopped = frame(one, 2)
    assert (stopped.kind, stopped.reason, stopped.action) == (Kind.DELIBERATIVE, 'replan', None)
