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

"""inference over DDS with its model at a LeRobot server, which loads, dies and is hostile."""

from inference_robot import Robot, status
from lerobot_policy_server import SLOW, LeRobotProcess
import numpy as np
import pytest
from sensor_msgs.msg import JointState

from vla_accel_ros.ros import qos
from vla_accel_ros.ros.messages import from_ns, message_to_chunk, to_ns

SIZE = 32
NAMES = ['shoulder', 'elbow']
SETTINGS = {
    'remote_image_size': SIZE,
    'remote_images': ['front'],
    'remote_policy': 'lerobot/smolvla_base',
    'remote_policy_type': 'smolvla',
    'remote_metres': 1.0,
    'remote_radians': 1.0,
    'remote_gripper': 'closed_is_one',
    'remote_timeout': 1.0,
    'proprio_names': NAMES,
}


@pytest.fixture(scope='module')
def server():
    running = LeRobotProcess()
    yield running
    running.kill()


class LeRobotRobot(Robot):
    """A robot with a state, around an inference node that asks such a server."""

    def __init__(self, graph, server, **parameters):
        super().__init__(graph, '', remote=server.url, **{**SETTINGS, **parameters})
        self.states = graph.publisher(JointState, 'proprio', qos.SENSOR)

    def ask(self, words='lift'):
        stamp = self.now()
        message = JointState(name=NAMES, position=[0.25, 0.5])
        message.header.stamp = from_ns(stamp)
        self.states.publish(message)
        self.graph.until(lambda: not self.node.arms[''].proprio.absent(), 'the state is there')
        self.request(stamp, words)
        self.observe(stamp, np.full((SIZE, SIZE, 3), 255, np.uint8))
        return stamp

    def until_answered(self):
        """Ask until there is an answer: the connection is made anew after a wait."""
        stamps = []

        def answered():
            if not stamps or self.now() - stamps[-1] > 2e8:
                stamps.append(self.ask())
            return any(to_ns(chunk.header.stamp) in stamps for chunk in self.chunks)

        self.graph.until(answered, 'the server answers')
        return message_to_chunk(self.chunks[-1]).values


def test_a_pair_is_answered_with_the_servers_chunk(graph, server):
    robot = LeRobotRobot(graph, server)
    stamp = robot.ask()
    answer = robot.answer()
    assert to_ns(answer.header.stamp) == stamp
    values = message_to_chunk(answer).values
    assert values[:, 0] == pytest.approx(0.01) and values[:, 2] == pytest.approx(0.75)


def test_an_answer_that_would_run_a_command_is_named_and_nothing_comes_of_it(
    graph, server, tmp_path
):
    robot, file = LeRobotRobot(graph, server), tmp_path / 'run'
    bad = robot.ask(f'hostile touch${{IFS}}{file}')
    robot.counted('remote_wrong_answer')
    assert "the pickle names 'posix.system'" in status(robot).message
    robot.until_answered()
    assert bad not in [to_ns(chunk.header.stamp) for chunk in robot.chunks]
    assert not file.exists() and robot.node.active


def test_a_dead_server_is_a_standing_fault_and_loads_the_policy_again(graph):
    server = LeRobotProcess()
    robot = LeRobotRobot(graph, server)
    robot.ask('die')
    robot.counted('remote_unreachable')
    server.kill()
    assert 'remote_unreachable' in robot.node.health.standing() and not robot.chunks
    server.start()
    # Loaded by this process once.
    assert robot.until_answered()[0, 1] == pytest.approx(0.001)
    robot.graph.until(lambda: not robot.node.health.standing(), 'the fault is over')
    server.kill()


def test_a_policy_that_is_loaded_slowly_is_told_of_while_the_node_is_active(graph, server):
    robot = LeRobotRobot(graph, server, remote_policy=SLOW)
    assert 'the server is loading its policy' in str(robot.node.health.standing())
    assert robot.node.active
    server.release()
    robot.until_answered()
    robot.graph.until(lambda: not robot.node.health.standing(), 'the fault is over')
