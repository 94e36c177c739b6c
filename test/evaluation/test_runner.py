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
"""Episodes do not depend on how they are shared out, and every method sees the same ones."""

from dataclasses import replace

import pytest

from vla_accel_ros.evaluation import methods, runner
from vla_accel_ros.evaluation.closed_loop import run_episode
from vla_accel_ros.models.policy import Policy
from vla_accel_ros.sim.env import TabletopEnv
from vla_accel_ros.sim.tasks import all_instructions

LIFTS = all_instructions('lift')
FIRST = 2_000_000


def timeless(results):
    return [(replace(result, call_ms=()), len(result.call_ms)) for result in results]


def test_the_number_of_workers_changes_nothing(random_checkpoint):
    jobs = runner.plan(['none', 'hold'], range(FIRST, FIRST + 2), LIFTS)
    alone = list(runner.run(jobs, random_checkpoint, workers=1, max_steps=8))
    shared = list(runner.run(jobs, random_checkpoint, workers=2, max_steps=8))
    assert [(r.method, r.seed, r.instruction) for r in alone] == [
        (j.method, j.seed, j.instruction) for j in jobs]
    assert timeless(alone) == timeless(shared)


def test_an_episode_depends_on_its_seed_only_and_not_on_those_before(random_checkpoint):
    policy = Policy.load(random_checkpoint, threads=1)
    env = TabletopEnv(image_size=32, max_steps=12)
    method = methods.METHODS['sp_vla']
    first = run_episode(policy, env, method, FIRST, LIFTS[0])
    run_episode(policy, env, method, FIRST + 1, LIFTS[1])
    again = run_episode(policy, env, method, FIRST, LIFTS[0])
    env.close()
    assert timeless([first]) == timeless([again])
    assert env.cameras == ('agent', 'wrist')


def test_unaccelerated_means_a_call_a_step_and_scheduling_saves_some(random_checkpoint):
    policy = Policy.load(random_checkpoint, threads=1)
    env = TabletopEnv(image_size=32, max_steps=20)
    always = replace(methods.METHODS['hold'], scheduler=replace(
        methods.METHODS['hold'].scheduler, rule='always', gripper_guard=False))
    none = run_episode(policy, env, methods.METHODS['none'], FIRST, LIFTS[0])
    some = run_episode(policy, env, always, FIRST, LIFTS[0])
    env.close()
    assert len(none.call_ms) == none.steps == 20
    assert none.decisions == {'deliberative': 20}
    assert len(some.call_ms) < some.steps
    assert sum(some.decisions.values()) == some.steps


def test_every_method_gets_the_same_episodes():
    jobs = runner.plan(['none', 'sp_vla'], range(7, 11), LIFTS)
    asked = {name: [(j.seed, j.instruction) for j in jobs if j.method == name]
             for name in ('none', 'sp_vla')}
    assert asked['none'] == asked['sp_vla']
    assert {text for _, text in asked['none']} == set(LIFTS)


def test_no_workers_are_refused(random_checkpoint):
    with pytest.raises(ValueError, match='0 workers'):
        list(runner.run(runner.plan(['none'], range(1), LIFTS), random_checkpoint, workers=0))
