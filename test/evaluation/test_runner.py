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
import os

from episodes import timeless
import pytest
from toy_engine import exactly_only, install, only_here

from vla_accel_ros import acceleration as methods
from vla_accel_ros.engines.store import Store
from vla_accel_ros.engines.timings import Timing, machine
from vla_accel_ros.engines.wish import EngineWish
from vla_accel_ros.environments.tabletop import Tabletop
from vla_accel_ros.evaluation import runner
from vla_accel_ros.evaluation.closed_loop import run_episode
from vla_accel_ros.evaluation.driver import Driver
from vla_accel_ros.evaluation.latency import Fixed, Recorded
from vla_accel_ros.models.engine_choice import timings_of
from vla_accel_ros.models.policy import Policy
from vla_accel_ros.sim.tasks import all_instructions

LIFTS = all_instructions('lift')
FIRST = 2_000_000


def test_the_number_of_workers_changes_nothing(random_checkpoint):
    setup = runner.Setup(str(random_checkpoint), max_steps=6)
    chosen = methods.find('none,hold+specprune+verify@keep=0.5,random')
    jobs = runner.plan(
        chosen, range(FIRST, FIRST + 2), LIFTS, [None, Fixed(60), Recorded([10, 90])]
    )
    alone = list(runner.run(jobs, setup, workers=1))
    order = {(j.method.name, j.seed): place for place, j in enumerate(jobs)}
    shared = sorted(runner.run(jobs, setup, workers=2), key=lambda r: order[r.method, r.seed])
    assert [(r.method, r.seed, r.instruction) for r in alone] == [
        (j.method.name, j.seed, j.instruction) for j in jobs
    ]
    assert list(map(timeless, alone)) == list(map(timeless, shared))


def test_workers_take_what_ran_here_and_not_the_device_that_could_not(
    random_checkpoint, monkeypatch, tmp_path
):
    monkeypatch.setenv('VLA_ACCEL_ENGINES', str(tmp_path / 'engines'))
    install(monkeypatch, only_here, devices=('here', 'there'))
    asked = EngineWish('mine', engine_device='there')
    setup = runner.Setup(str(random_checkpoint), max_steps=6, engine=asked)
    here = runner.Worker(setup)
    assert here.setup.engine == EngineWish('eager')
    assert here.policy.in_use.facts()['asked'] == 'mine on there'
    timing = Timing('mine', 'float32', True, 1, 1.0, machine())
    timings_of(here.policy, Store()).record(timing)
    assert runner.Worker(setup).setup.engine == EngineWish('mine')
    ready = replace(setup, engine=EngineWish('mine', engine_device='here'))
    assert runner.Worker(ready).setup.engine == ready.engine


def test_workers_take_the_precision_that_ran_here(random_checkpoint, monkeypatch, tmp_path):
    monkeypatch.setenv('VLA_ACCEL_ENGINES', str(tmp_path / 'engines'))
    install(monkeypatch, exactly_only, precisions=('float32', 'int8'))
    setup = runner.Setup(str(random_checkpoint), max_steps=6, engine=EngineWish('mine', 'int8'))
    here = runner.Worker(setup)
    assert here.setup.engine == EngineWish('eager')
    timing = Timing('mine', 'float32', True, 1, 1.0, machine())
    timings_of(here.policy, Store()).record(timing)
    assert runner.Worker(setup).setup.engine == EngineWish('mine')


@pytest.fixture
def policy(random_checkpoint):
    return Policy.load(random_checkpoint, threads=1)


@pytest.fixture
def environment():
    made = Tabletop(32, max_steps=12)
    yield made
    made.close()


@pytest.mark.parametrize(
    'text',
    [
        'none',
        'sp_vla',
        'random@keep=0.5',
        'vla_pruner+jacobi',
        'specprune+verify',
        'hold+relaxed@draft=previous',
    ],
)
def test_an_episode_depends_on_its_seed_only_and_not_on_those_before(policy, environment, text):
    driver = Driver(policy, methods.find(text)[0])
    first = run_episode(driver, environment, FIRST, LIFTS[0])
    run_episode(driver, environment, FIRST + 1, LIFTS[1])
    run_episode(Driver(policy, methods.find('fastv+jacobi')[0]), environment, FIRST, LIFTS[2])
    again = run_episode(driver, environment, FIRST, LIFTS[0])
    assert timeless(first) == timeless(again)


def test_unaccelerated_means_a_call_a_step_and_scheduling_saves_some(policy, environment):
    none, some = (
        run_episode(Driver(policy, method), environment, FIRST, LIFTS[0])
        for method in methods.find('none,hold@rule=always,gripper_guard=false')
    )
    assert len(none.calls) == none.steps == 12
    assert none.decisions == {'deliberative': 12}
    assert all(c.keep == 1 and c.passes == 7 and c.accepted == 0 for c in none.calls)
    assert len(some.calls) < some.steps
    assert sum(some.decisions.values()) == some.steps


def test_every_method_gets_the_same_episodes():
    jobs = runner.plan(methods.find('none,sp_vla'), range(7, 11), LIFTS)
    asked = {
        name: [(j.seed, j.instruction) for j in jobs if j.method.name == name]
        for name in ('none', 'sp_vla')
    }
    assert asked['none'] == asked['sp_vla']
    assert {text for _, text in asked['none']} == set(LIFTS)


def test_no_workers_are_refused(random_checkpoint):
    setup = runner.Setup(str(random_checkpoint))
    with pytest.raises(ValueError, match='0 workers'):
        list(runner.run(runner.plan(methods.find('none'), range(1), LIFTS), setup, workers=0))


class Fatal:
    """A clock that ends the process that uses it."""

    def begin(self, seed):
        os._exit(9)


def test_a_worker_that_is_killed_is_said_and_not_waited_for(random_checkpoint):
    jobs = runner.plan(methods.find('none'), range(FIRST, FIRST + 2), LIFTS, [Fatal()])
    with pytest.raises(runner.WorkerLostError, match='fewer --workers'):
        list(runner.run(jobs, runner.Setup(str(random_checkpoint)), workers=2))
