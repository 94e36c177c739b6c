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

"""inference over DDS with its model in another process, which dies, dawdles and errs."""

import json

from act_server import act_server
from inference_robot import Robot, frame, status
from joint_robots import ALOHA
import numpy as np
from policy_server import ServerProcess
import pytest
from sensor_msgs.msg import JointState

from vla_accel_ros.nodes.inference import Inference
from vla_accel_ros.ros import qos
from vla_accel_ros.ros.messages import (
    from_ns,
    message_stats,
    message_to_chunk,
    request_to_message,
    to_ns,
)
from vla_accel_ros.scheduling.decision import Request

SIZE = 32
DECLARED = {
    'remote_image_size': SIZE,
    'remote_metres': 1.0,
    'remote_radians': 1.0,
    'remote_gripper': 'closed_is_one',
    'remote_timeout': 0.5,
}


@pytest.fixture(scope='module')
def server():
    running = ServerProcess()
    yield running
    running.kill()


def robot_at(graph, server, **parameters):
    return Robot(graph, '', remote=server.url, **{**DECLARED, **parameters})


def ask(robot, words='lift', pixels=None):
    stamp = robot.now()
    robot.request(stamp, words)
    robot.observe(stamp, frame(views=1) if pixels is None else pixels)
    return stamp


def until_answered(robot):
    """Ask until there is an answer: the connection is made anew after a wait."""
    stamps = []

    def answered():
        if not stamps or robot.now() - stamps[-1] > 2e8:
            stamps.append(ask(robot))
        return any(to_ns(chunk.header.stamp) in stamps for chunk in robot.chunks)

    robot.graph.until(answered, 'the server answers again')


def test_a_pair_is_answered_with_the_servers_chunk_under_the_observations_stamp(graph, server):
    robot = robot_at(graph, server)
    stamp = ask(robot, pixels=np.full((SIZE, SIZE, 3), 255, np.uint8))
    answer = robot.answer()
    assert to_ns(answer.header.stamp) == stamp
    values = message_to_chunk(answer).values
    assert values.shape == (4, 7) and values[:, 0] == pytest.approx(0.01)
    stats = message_stats(answer)
    assert stats.keep_ratio == 1.0 and stats.model_s > 0 and stats.passes == 0
    robot.graph.until(
        lambda: any(v.key == 'capture_to_answer_ms' for v in status(robot).values), 'figures'
    )
    figures = {v.key: v.value for v in status(robot).values}
    assert figures['engine'] == f'remote {server.url}'
    assert {'remote_ms', 'server_ms', 'total_ms', 'self_test_difference'} <= set(figures)


def test_the_state_goes_out_by_name(graph, server):
    robot = robot_at(
        graph,
        server,
        remote_state='observation/state',
        proprio_names=['b', 'a'],
        remote_metres=0.1,
    )
    states = graph.publisher(JointState, 'proprio', qos.SENSOR)
    stamp = robot.now()
    message = JointState(name=['a', 'b', 'c'], position=[0.5, 0.25, 9.0])
    message.header.stamp = from_ns(stamp)
    states.publish(message)
    robot.graph.until(lambda: not robot.node.arms[''].proprio.absent(), 'the state is there')
    robot.request(stamp)
    robot.observe(stamp, frame(views=1))
    assert message_to_chunk(robot.answer()).values[0, 2] == pytest.approx(0.075)


@pytest.mark.parametrize(
    ('words', 'reason'),
    [
        ('nan', 'model_not_finite'),
        ('wide', 'remote_wrong_answer'),
        ('opened', 'remote_wrong_answer'),
        ('garbage', 'remote_wrong_answer'),
        ('text', 'remote_refused'),
        ('silent', 'remote_timeout'),
    ],
)
def test_an_answer_that_cannot_be_used_is_named_and_no_action_comes_of_it(
    graph, server, words, reason
):
    robot = robot_at(graph, server)
    bad = ask(robot, words)
    robot.counted(reason)
    until_answered(robot)
    assert bad not in [to_ns(chunk.header.stamp) for chunk in robot.chunks]
    assert robot.node.active and 'remote_unreachable' not in robot.node.health.standing()


@pytest.fixture(scope='module')
def act():
    with act_server() as running:
        yield running


@pytest.mark.parametrize(
    ('words', 'reason'),
    [
        ('wide', 'remote_wrong_answer'),
        ('html', 'remote_wrong_answer'),
        ('error', 'remote_refused'),
        ('head drips', 'remote_timeout'),
        ('dies', 'remote_unreachable'),
    ],
)
def test_an_answer_of_openvlas_server_that_cannot_be_used_is_named_too(graph, act, words, reason):
    url = f'http://127.0.0.1:{act.server_address[1]}/act'
    robot = Robot(graph, '', remote=url, **DECLARED)
    bad = ask(robot, words)
    robot.counted(reason)
    until_answered(robot)
    assert bad not in [to_ns(chunk.header.stamp) for chunk in robot.chunks]
    assert robot.node.active


def test_a_dead_server_is_a_standing_fault_until_it_is_back_and_the_node_goes_on(graph):
    server = ServerProcess()
    robot = robot_at(graph, server)
    ask(robot, 'die')
    robot.counted('remote_unreachable')
    server.kill()
    robot.graph.until(
        lambda: server.url in robot.node.health.standing().get('remote_unreachable', ''),
        'the fault stands',
    )
    assert not robot.chunks
    server.start()
    until_answered(robot)
    robot.graph.until(lambda: not robot.node.health.standing(), 'the fault is over')
    server.kill()


def test_a_server_may_come_after_the_node(graph):
    server = ServerProcess(start=False)
    robot = Robot.__new__(Robot)
    node = graph.add(Inference, autostart=False, remote=server.url, warm_up=1, **DECLARED)
    assert graph.change_state(node, 'configure') and graph.change_state(node, 'activate')
    assert 'remote_unreachable' in node.health.standing()
    server.start()
    robot.graph, robot.node = graph, node
    robot.connect()
    until_answered(robot)
    assert 'remote_unreachable' not in node.health.standing()
    server.kill()


@pytest.mark.parametrize(
    ('changed', 'words'),
    [
        ({'remote_gripper': ''}, 'set remote_gripper'),
        ({'remote_columns': ['x', 'y']}, 'remote_columns are'),
        ({'remote_state': 'observation/state'}, 'proprio_names is empty'),
        ({'remote': 'grpc://localhost:1'}, 'remote_policy, remote_policy_type'),
        ({'remote': 'localhost:8000'}, 'expected ws://HOST:PORT'),
        ({'engine': 'onnxruntime', 'engine_required': True}, 'engine_required is true'),
    ],
)
def test_parameters_that_do_not_fit_the_server_fail_configure_by_name(
    graph, server, changed, words
):
    given = {'remote': server.url, **DECLARED, **changed}
    node = graph.add(Inference, autostart=False, **given)
    assert not graph.change_state(node, 'configure')
    assert words in str(node.health.standing())


def test_settings_of_a_local_model_are_said_to_have_no_effect(graph, server):
    robot = robot_at(graph, server, pruning='fastv', keep=0.5)
    assert 'pruning fastv: the model runs at' in status(robot).message
    assert robot.graph.set_parameters(robot.node, pruning='none').successful
    assert 'the model runs at' not in status(robot).message


def test_a_server_of_two_arms_is_answered_with_the_names_of_their_joints(graph, tmp_path):
    file = tmp_path / 'aloha.json'
    file.write_text(json.dumps(ALOHA.to_values()))
    server = ServerProcess(width=14)
    try:
        robot = robot_at(graph, server, remote_space=str(file))
        stamp = robot.now()
        request = Request(stamp, 'fold', None, None)
        robot.requests.publish(request_to_message(request, 0.05, ALOHA))
        robot.observe(stamp, frame(views=1))
        answer = robot.answer()
        assert answer.joint_names == list(ALOHA.names)
        wants = robot.node.arms['']._watch.facts(robot.node.settings).wants
        assert (wants.actions.names, wants.elsewhere) == (ALOHA.names, True)
        assert message_to_chunk(answer, space=ALOHA).values.shape == (4, 14)
    finally:
        server.kill()
