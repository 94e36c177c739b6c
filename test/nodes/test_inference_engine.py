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

"""inference over DDS: the engine that is asked for, what runs in its place, and a live change."""

import re

from inference_robot import Robot, status
import pytest
from toy_engine import Changing, Storing, exactly_only, install, lying, only_here

from vla_accel_ros.engines.interface import EngineError
from vla_accel_ros.engines.store import Store
from vla_accel_ros.engines.timings import Timing, machine
from vla_accel_ros.models.engine_choice import timings_of
from vla_accel_ros.nodes.inference import Inference
from vla_accel_ros.ros.messages import message_to_chunk


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv('VLA_ACCEL_ENGINES', str(tmp_path / 'engines'))


def told(robot):
    return {each.key: each.value for each in status(robot).values}


def fails(order):
    raise EngineError('no such card')


@pytest.mark.parametrize(
    ('make', 'reason'), [(fails, 'no such card'), (lambda order: Changing(lying), 'agree with')]
)
def test_what_cannot_run_or_lies_gives_way_and_diagnostics_say_why(
    graph, checkpoint, monkeypatch, make, reason
):
    install(monkeypatch, make)
    robot = Robot(graph, checkpoint, engine='mine')
    robot.ask()
    assert told(robot)['engine'].startswith('eager (asked: mine; ')
    message = status(robot).message
    assert 'engine_fallback: ' in message and reason in message
    assert robot.node.health.standing() == {}


def test_the_engine_changes_between_calls_or_is_refused_with_the_reason(robot, monkeypatch):
    before = message_to_chunk(robot.ask()).values
    assert told(robot)['engine'] == 'eager' and 'engine build' in told(robot)['engine_hint']
    install(monkeypatch, lambda order: Changing())
    assert robot.graph.set_parameters(robot.node, engine='mine').successful
    after = message_to_chunk(robot.ask(last=[0.0] * 7)).values
    assert after == pytest.approx(before) and told(robot)['engine'] == 'mine'
    assert robot.node._policy.in_use.engine.first.ran
    install(monkeypatch, fails, name='other')
    for name, reason in (
        ('warp', "engine 'warp' is not there"),
        ('cuda_graph', 'no NVIDIA GPU|sees no NVIDIA GPU'),
        ('other', 'engine other cannot run: no such card.*; mine stays'),
    ):
        refused = robot.graph.set_parameters(robot.node, engine=name)
        assert not refused.successful
        assert re.search(reason, refused.reason), refused.reason
    robot.ask(last=[0.0] * 7)
    assert told(robot)['engine'] == 'mine' and robot.node.settings['engine'] == 'mine'
    assert robot.graph.set_parameters(robot.node, threads=2).successful
    robot.ask(last=[0.0] * 7)
    assert told(robot)['engine'] == 'mine'


def test_a_precision_that_cannot_run_is_refused_live_though_the_engine_can(
    graph, checkpoint, monkeypatch
):
    install(monkeypatch, exactly_only, precisions=('float32', 'int8'))
    robot = Robot(graph, checkpoint, engine='mine')
    timing = Timing('mine', 'float32', True, 1, 1.0, machine())
    timings_of(robot.node._policy, Store()).record(timing)
    refused = robot.graph.set_parameters(robot.node, engine_precision='int8')
    assert not refused.successful
    assert 'engine mine in int8 cannot run: there is no int8; mine stays' in refused.reason


def test_a_device_that_cannot_run_is_refused_live_and_told_at_the_start(
    graph, checkpoint, monkeypatch
):
    install(monkeypatch, only_here, devices=('here', 'there'))
    robot = Robot(graph, checkpoint, engine='mine', engine_device='there')
    robot.ask()
    assert told(robot)['engine'].startswith('eager (asked: mine on there; there is no device ')
    assert 'engine_fallback: ' in status(robot).message
    assert robot.graph.set_parameters(robot.node, engine_device='here').successful
    robot.ask(last=[0.0] * 7)
    assert told(robot)['engine'] == 'mine'
    store = Store()
    policy = robot.node._policy
    timing = Timing('mine', 'float32', True, 1, 1.0, machine())
    timings_of(policy, store).record(timing)
    for device, reason in (
        ('there', 'engine mine on there cannot run: there is no device there; mine stays'),
        ('moon', "engine_device is 'moon', expected auto or one of those of engine 'mine'"),
    ):
        refused = robot.graph.set_parameters(robot.node, engine_device=device)
        assert not refused.successful and reason in refused.reason


def test_a_live_change_builds_nothing(robot, monkeypatch):
    install(monkeypatch)
    refused = robot.graph.set_parameters(robot.node, engine='mine')
    assert not refused.successful and 'is not built: `vla-accel engine build`' in refused.reason


def test_a_required_engine_that_cannot_run_fails_configure(graph, checkpoint, monkeypatch):
    install(monkeypatch, fails)
    node = graph.add(
        Inference,
        autostart=False,
        checkpoint=str(checkpoint),
        threads=1,
        engine='mine',
        engine_required=True,
    )
    assert not graph.change_state(node, 'configure')
    assert node.health.standing()['configure_failed'] == 'no such card'


def test_a_named_engine_is_built_while_configuring_and_not_for_a_method_that_comes_later(
    graph, checkpoint, monkeypatch
):
    install(monkeypatch)
    shown = []
    monkeypatch.setattr(
        Inference, '_on_progress', lambda node, share, what: shown.append((share, what))
    )
    robot = Robot(graph, checkpoint, engine='mine')
    robot.ask()
    assert told(robot)['engine'] == 'mine'
    assert any(what == 'building toy graph of span float32' for _, what in shown)
    shown.clear()
    assert graph.set_parameters(robot.node, pruning='fastv').successful
    robot.ask(last=[0.0] * 7)
    not_built = 'mine (span runs on eager: toy graph of span float32 is not built: '
    graph.until(lambda: told(robot)['engine'].startswith(not_built), 'the reason to be told')
    assert not shown


class OfEachLength(Storing):
    """Eager, with a file in the store for each shape of a span."""

    def _find(self, program, bucket):
        if program.name == 'span':
            key = {'kind': f'toy graph for {dict(bucket)["x"]}'}
            self._store.get(key, lambda folder: (folder / 'graph').write_text('graph'))


def test_once_it_is_ready_an_answer_waits_for_no_build(graph, checkpoint, monkeypatch, tmp_path):
    install(monkeypatch, OfEachLength)
    robot = Robot(graph, checkpoint, engine='mine')
    built = len(Store().entries())
    assert built
    robot.ask()
    assert told(robot)['engine'] == 'mine'
    stamp = robot.now()
    robot.request(stamp, 'pick up the blue cube and place it in the bin')
    robot.observe(stamp)
    robot.answer(2)
    not_built = 'mine (span runs on eager: toy graph for '
    graph.until(lambda: told(robot)['engine'].startswith(not_built), 'the reason to be told')
    assert len(Store().entries()) == built
