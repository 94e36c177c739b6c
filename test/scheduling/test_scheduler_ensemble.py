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

"""Chunks averaged: the VLA is asked at every step, and late answers are lined up by actions."""

import numpy as np
import pytest
from scheduler_steps import STEP, config, frame, scheduler, stamp_of

from vla_accel_ros.actions import ActionChunk
from vla_accel_ros.scheduling.decision import Kind

ROWS = 6


def averaging(**options):
    return scheduler(**{'rule': 'never', 'chunks': 'ensemble', **options})


def answer(one, step, at_ms, x):
    """Answer a step's request with a chunk whose row i moves by x + i."""
    values = [[(x + i) * 1e-3, 0, 0, 0, 0, 0, 0] for i in range(ROWS)]
    return one.on_answer(ActionChunk(values, stamp_of(step)), step * STEP + at_ms * 10**6)


def moved(decision):
    return round(float(decision.action.values[0]) * 1e3, 3)


def test_the_vla_is_asked_at_every_step_and_its_chunks_are_averaged():
    one = averaging(ensemble_horizon=2, ensemble_alpha=0.0)
    assert frame(one, 0).request is not None
    assert moved(answer(one, 0, 10, x=0)) == 0
    for step in (1, 2, 3):
        asked = frame(one, step)
        assert asked.kind is Kind.DELIBERATIVE and asked.request is not None
        assert asked.action is None, 'rows of the last chunk are there, and wait for the newest'
        # The chunk before says 10 * (step - 1) + 1 of this step, or 1 where it was the first.
        before = 10 * (step - 1) + 1
        assert moved(answer(one, step, 10, x=10 * step)) == (before + 10 * step) / 2


def test_the_queue_alone_asks_only_when_it_runs_out():
    one = scheduler(rule='never', prefetch_rows=0)
    frame(one, 0)
    answer(one, 0, 10, x=0)
    assert [frame(one, step).request for step in range(1, ROWS)] == [None] * (ROWS - 1)


def test_while_answers_come_late_the_arm_goes_on_with_the_average():
    one = averaging(ensemble_horizon=2, ensemble_alpha=0.0)
    frame(one, 0)
    assert moved(answer(one, 0, 10, x=0)) == 0
    assert frame(one, 1).action is None
    # No answer within the step: the average of what is there serves meanwhile.
    assert moved(frame(one, 2)) == 1
    late = answer(one, 1, 110, x=100)
    assert late.action is None and late.consumed == 1
    # One action was sent since the frame of step 1: its row 1 and row 2 of the first chunk.
    served = frame(one, 3)
    assert served.kind is Kind.QUEUED and served.request is not None
    assert moved(served) == (101 + 2) / 2
    # An answer in time, and the newest is waited for again.
    assert answer(one, 3, 20, x=200).kind is Kind.QUEUED
    assert frame(one, 4).action is None


def test_another_setting_leaves_the_chunks_alone_and_another_horizon_does_not():
    one = averaging(ensemble_horizon=2, ensemble_alpha=0.0)
    frame(one, 0)
    answer(one, 0, 10, x=0)
    options = {'rule': 'never', 'chunks': 'ensemble', 'ensemble_alpha': 0.0}
    one.configure(config(**options, ensemble_horizon=2, max_bridge_steps=1))
    frame(one, 1)
    assert moved(answer(one, 1, 10, x=10)) == (1 + 10) / 2
    one.configure(config(**options, ensemble_horizon=3))
    frame(one, 2)
    assert moved(answer(one, 2, 10, x=20)) == 20


def test_another_instruction_forgets_the_chunks():
    one = averaging(ensemble_horizon=2, ensemble_alpha=0.0)
    frame(one, 0)
    answer(one, 0, 10, x=0)
    one.set_instruction('open the drawer')
    frame(one, 1)
    assert moved(answer(one, 1, 10, x=10)) == 10


@pytest.mark.parametrize(('firm', 'gripper'), [(True, 0.0), (False, 0.5)])
def test_the_gripper_is_open_or_shut_unless_the_mean_is_asked_for(firm, gripper):
    one = averaging(ensemble_horizon=2, ensemble_alpha=0.0, ensemble_gripper=firm)
    for step, shut in enumerate((1.0, 0.0)):
        frame(one, step)
        rows = np.tile([0, 0, 0, 0, 0, 0, shut], (ROWS, 1))
        sent = one.on_answer(ActionChunk(rows, stamp_of(step)), step * STEP + 10**7)
    assert sent.action.values[6] == gripper
