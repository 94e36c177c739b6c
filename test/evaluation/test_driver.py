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

"""One step at a time: on the step clock, and while the world goes on."""

import numpy as np
import pytest

from vla_accel_ros.acceleration import find
from vla_accel_ros.evaluation.driver import Driver
from vla_accel_ros.evaluation.latency import Fixed, Measured
from vla_accel_ros.models.policy import Policy
from vla_accel_ros.observations import Observation

MS = 1_000_000
STEP, START = 50 * MS, 1_000 * MS
INSTRUCTION = 'pick up the red cube'


@pytest.fixture(scope='module')
def policy(random_checkpoint):
    return Policy.load(random_checkpoint, threads=1)


@pytest.fixture
def drive(policy):
    """Drive some steps; what is seen changes with each frame."""

    def run(text, latency_ms=None, steps=8):
        latency = None if latency_ms is None else Fixed(latency_ms)
        driver, seen = Driver(policy, find(text)[0], latency), []
        driver.reset(INSTRUCTION)
        records = []
        for index in range(steps):
            now = START + index * STEP

            def observe(now=now, index=index):
                seen.append(index)
                drawn = np.random.default_rng(index)
                images = tuple(drawn.integers(0, 256, (32, 32, 3), np.uint8) for _ in range(2))
                return Observation(images, INSTRUCTION, now)

            records.append(driver.step(now, now, observe))
        return records, seen

    return run


def kinds(records):
    return [record.kind for record in records]


def test_on_the_step_clock_every_step_is_answered_at_once(drive):
    records, seen = drive('none')
    assert kinds(records) == ['deliberative'] * 8
    assert seen == list(range(8))
    assert all(r.sent_ns == r.stamp_ns and r.call.latency_ms == 0 for r in records)


def test_no_latency_is_the_step_clock(drive):
    for text in ('none', 'hold+jacobi@v_min=0,gripper_guard=false'):
        still, _ = drive(text)
        moving, _ = drive(text, latency_ms=0)
        assert kinds(still) == kinds(moving)
        assert all((a.action == b.action).all() for a, b in zip(still, moving, strict=True))


def test_an_answer_within_the_step_serves_it_late(drive):
    records, seen = drive('none', latency_ms=30)
    assert kinds(records) == ['deliberative'] * 8
    assert seen == list(range(8))
    assert all(r.sent_ns == r.stamp_ns + 30 * MS for r in records)


def test_a_slow_answer_serves_a_later_step_and_the_arm_waits_for_it(drive):
    records, seen = drive('none', latency_ms=80)
    assert kinds(records) == ['waiting', 'deliberative'] * 4
    assert seen == [0, 2, 4, 6]
    assert records[0].action is None
    assert records[1].sent_ns == START + 80 * MS
    assert [r.call.latency_ms for r in records if r.call] == [80.0] * 4


def test_waiting_is_bridged_for_a_bounded_number_of_steps(drive):
    records, _ = drive('none@bridge=hold,max_bridge_steps=1', latency_ms=180, steps=12)
    # The first call has nothing to repeat; then one step of each call is bridged.
    assert kinds(records)[:4] == ['waiting'] * 3 + ['deliberative']
    later = kinds(records)[4:]
    assert later.count('bridged') == 2
    assert 'waiting' in later
    bridged = next(r for r in records if r.kind == 'bridged')
    assert bridged.source == 'hold'


def test_answers_beyond_the_staleness_bound_are_discarded_and_counted(drive):
    records, _ = drive('none@max_staleness=0.1', latency_ms=120, steps=6)
    assert all(r.action is None for r in records)
    assert [r.discarded for r in records] == [None, None, 'stale_answer'] * 2


def test_the_model_computes_one_answer_at_a_time(drive):
    # The second request is asked when the first is given up, and waits for its end.
    records, _ = drive('none@answer_timeout=0.1,max_staleness=0.1', latency_ms=200, steps=9)
    calls = [r.call for r in records if r.call is not None]
    assert [c.latency_ms for c in calls[:2]] == [200, pytest.approx(250)]
    assert 'answer_timeout' in [r.discarded for r in records]


def test_drafts_and_motion_reach_the_policy(drive):
    verified, _ = drive('verify@predictor=hold')
    # The random model sees another picture each time, but some numbers of its answers stay.
    assert sum(r.call.accepted for r in verified[1:]) > 0
    assert verified[0].call.accepted == 0
    pruned, _ = drive('sp_vla_pruning@v_low=0,v_high=0.001,edges=false')
    assert [r.call.pruning for r in pruned][:2] == ['first_step', 'pruned']


def test_what_a_call_cost_is_counted(drive):
    (whole, *_), _ = drive('none')
    (less, *_), _ = drive('random@keep=0.25')
    assert whole.call.keep == 1 > less.call.keep
    assert less.call.kept == len(less.call.kept_ids)
    assert 0 < less.call.flops < whole.call.flops
    assert whole.call.model_ms > 0


def test_another_instruction_forgets_the_past(policy):
    driver = Driver(policy, find('none')[0], Measured())
    driver.reset(INSTRUCTION)
    driver.instruct('  pick up the blue cube ')
    assert driver.pilot.instruction == 'pick up the blue cube'


def test_a_method_that_does_not_fit_the_model_is_refused(policy):
    driver = Driver(policy, find('fastv@layer=40')[0])
    with pytest.raises(ValueError, match='layer is 40'):
        driver.reset(INSTRUCTION)
