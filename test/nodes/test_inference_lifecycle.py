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


"""inference through its lifecycle: bad checkpoints, ended activations, another model."""

import threading

from checkpoints import random_checkpoint
from inference_robot import frame

from vla_accel_ros.nodes.inference import Inference
from vla_accel_ros.ros.messages import to_ns


def test_a_missing_checkpoint_fails_configure_with_the_reason_and_another_is_taken(
    graph, checkpoint
):
    node = graph.add(Inference, autostart=False, checkpoint='/nowhere', threads=1, warm_up=1)
    heard = graph.diagnostics()
    assert not graph.change_state(node, 'configure')
    assert node.state() == 'unconfigured'
    graph.until(
        lambda: any('/nowhere' in s.message for m in heard for s in m.status), 'the reason'
    )
    assert '/nowhere' in node.health.standing()['configure_failed']
    assert graph.set_parameters(node, checkpoint=str(checkpoint)).successful
    assert graph.change_state(node, 'configure')
    assert graph.change_state(node, 'activate')
    assert node.health.standing() == {}


def test_a_damaged_checkpoint_fails_configure_with_the_reason(graph, checkpoint, tmp_path):
    for file in checkpoint.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    weights = next(tmp_path.glob('*.safetensors'))
    weights.write_bytes(weights.read_bytes()[:-1000])
    node = graph.add(Inference, autostart=False, checkpoint=str(tmp_path), threads=1, warm_up=1)
    assert not graph.change_state(node, 'configure')
    assert weights.name in node.health.standing()['configure_failed']


class Held:
    """A policy whose predictions wait to be let go."""

    def __init__(self, policy):
        self.policy, self.started, self.go = policy, threading.Event(), threading.Event()

    def __getattr__(self, name):
        return getattr(self.policy, name)

    def predict(self, *args, **kwargs):
        self.started.set()
        assert self.go.wait(10)
        return self.policy.predict(*args, **kwargs)


def test_deactivating_ignores_the_running_call_and_drops_the_one_that_waits(robot):
    graph, node = robot.graph, robot.node
    held = node.arms[''].policy = Held(node.arms[''].policy)
    stamp = robot.now()
    for number in range(2):
        robot.request(stamp + number)
        robot.observe(stamp + number)
        graph.until(held.started.is_set, 'the first call runs')
    graph.until(lambda: node.worker.waits(), 'the second call waits')
    assert graph.change_state(node, 'deactivate')
    assert node.health.total('jobs_dropped') == 1
    held.go.set()
    robot.counted('answers_ignored')
    assert graph.change_state(node, 'activate')
    robot.request(stamp + 2)
    robot.observe(stamp + 2)
    robot.answer()
    assert [to_ns(m.header.stamp) for m in robot.chunks] == [stamp + 2]


def test_it_can_be_cleaned_up_and_configured_again(robot, tmp_path):
    graph, node = robot.graph, robot.node
    for transition in ('deactivate', 'cleanup'):
        assert graph.change_state(node, transition)
    other = random_checkpoint(tmp_path, seed=1, cameras=1)
    assert graph.set_parameters(node, checkpoint=str(other)).successful
    for transition in ('configure', 'activate'):
        assert graph.change_state(node, transition)
    graph.until(
        lambda: (
            robot.observations.get_subscription_count() > 0
            and robot.requests.get_subscription_count() > 0
        ),
        'it listens again',
    )
    stamp = robot.now()
    robot.request(stamp)
    robot.observe(stamp, frame(views=1))
    robot.answer()
