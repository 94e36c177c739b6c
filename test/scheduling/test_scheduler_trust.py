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

"""What the rule `trust` is told by the scheduler: the predictor's word against the VLA's."""

import pytest
from scheduler_steps import answer, frame, scheduler

from vla_accel_ros.scheduling.decision import Kind

FORWARD = [0.02, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
BACK = [-0.02, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
CLOSED = [0.02, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]


def trusting(**options):
    return scheduler(
        **{
            'rule': 'trust',
            'predictor': 'hold',
            'gripper_guard': False,
            'trust_least': 1,
            'trust_longest': 0.2,
            **options,
        }
    )


def play(one, rows):
    """Answer each request with the next row; return the kinds of the steps until they are used."""
    rows, kinds, step = list(rows), '', 0
    while True:
        decision = frame(one, step)
        if decision.request is None:
            kinds += 'i' if decision.kind is Kind.INTUITIVE else '?'
        elif rows:
            answer(one, step, 10, row=rows.pop(0))
            kinds += 'd'
        else:
            return kinds
        step += 1


def test_trust_grows_while_the_predictor_is_right_up_to_its_bound():
    assert play(trusting(), [FORWARD] * 4) == 'di' + 'diiii' * 3


def test_trust_collapses_when_the_vla_turns_and_when_the_gripper_does():
    kinds = play(trusting(), [FORWARD, FORWARD, BACK, BACK, CLOSED, CLOSED])
    assert kinds == 'di' + 'diiii' + 'd' + 'diiii' + 'd' + 'diiii'


def test_what_the_predictor_says_counts_not_who_it_is():
    growing = [[0.001 * step, 0, 0, 0, 0, 0, 0] for step in range(1, 13)]
    strict = {'trust_linear': 0.01, 'trust_share': 0.0, 'trust_least': 0}
    assert play(trusting(predictor='hold', **strict), growing) == 'd' * 12
    assert 'diiii' in play(trusting(predictor='ridge', change='ignore', **strict), growing)


def test_a_late_answer_is_compared_with_what_was_expected_of_its_own_step():
    one = trusting(bridge='hold')
    frame(one, 0)
    answer(one, 0, 10, row=FORWARD)
    assert frame(one, 1).kind is Kind.INTUITIVE
    assert frame(one, 2).request is not None
    assert frame(one, 3).kind is Kind.BRIDGED
    assert answer(one, 2, 60, row=BACK).kind is Kind.QUEUED
    assert frame(one, 4).action.values[0] == BACK[0]
    assert frame(one, 5).reason == 'no_trust'


def test_a_row_of_the_queue_is_no_measure_of_the_predictor():
    one = trusting(prefetch_rows=1, trust_least=0, answer_timeout_s=0.12)
    frame(one, 0)
    answer(one, 0, 10, rows=2, row=FORWARD)
    assert frame(one, 1).request is not None
    answer(one, 1, 10, rows=2, row=FORWARD)
    assert frame(one, 2).request is not None
    for step in (3, 4):
        assert frame(one, step).kind is Kind.WAITING
    assert frame(one, 5).reason == 'answer_timeout'


@pytest.mark.parametrize('end', ['lost', 'discarded'])
def test_after_an_answer_that_was_of_no_use_the_vla_is_asked_before_anything_moves(end):
    one = trusting(trust_least=3, answer_timeout_s=0.22, max_staleness_s=0.12)
    frame(one, 0)
    answer(one, 0, 10, row=FORWARD)
    step = 1
    while frame(one, step).request is None:
        step += 1
    last = step
    while step < last + 3:
        step += 1
        assert frame(one, step).kind is Kind.WAITING
    if end == 'discarded':
        assert answer(one, last, 160, row=FORWARD).reason == 'stale_answer'
    found = [frame(one, step + 1 + i) for i in range(2)]
    asks = next(each for each in found if each.kind is not Kind.WAITING)
    wanted = {'lost': 'answer_timeout', 'discarded': 'answer_discarded'}[end]
    assert (asks.kind, asks.reason, asks.action) == (Kind.DELIBERATIVE, wanted, None)
