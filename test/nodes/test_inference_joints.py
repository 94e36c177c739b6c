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

"""inference over DDS with a checkpoint of joints: columns have their names on the topic."""

import json

from inference_robot import Robot, frame
from joint_checkpoints import SIZE, joint_checkpoint
from joint_robots import ALOHA
import pytest
from sensor_msgs.msg import JointState

from vla_accel_ros.action_space import ActionSpace
from vla_accel_ros.actions import Action
from vla_accel_ros.ros import qos
from vla_accel_ros.ros.messages import from_ns, message_to_chunk, request_to_message
from vla_accel_ros.scheduling.decision import Request

JOINTS = [f'joint_{i}' for i in range(5)]
SO100 = {
    'name': 'so100',
    'groups': [{'kind': 'joint_position', 'names': JOINTS}, {'kind': 'gripper', 'names': ['jaw']}],
}


@pytest.fixture
def folder(request, tmp_path):
    for file in (request.config.rootpath / 'test' / 'fixtures' / 'smolvla_tiny').iterdir():
        (tmp_path / file.name).symlink_to(file)
    (tmp_path / 'conventions.json').write_text(json.dumps({'actions': SO100}))
    return tmp_path


def test_two_arms_of_an_oft_are_answered_by_name_in_one_chunk(graph, tmp_path):
    words = 'fold the shirt'
    folder = joint_checkpoint(tmp_path, ALOHA, [words])
    names = [*reversed(ALOHA.names)]
    robot = Robot(graph, folder, proprio_names=list(ALOHA.names), proprio_tolerance=1.0)
    states = graph.publisher(JointState, 'proprio', qos.SENSOR)
    stamp = robot.now()
    state = JointState(name=names, position=[0.1] * len(names))
    state.header.stamp = from_ns(stamp)
    states.publish(state)
    buffer = robot.node.arms[''].proprio._values[names[0]]
    graph.until(lambda: len(buffer) >= 1, 'the state came')
    robot.requests.publish(request_to_message(Request(stamp, words, None, None), 0.05, ALOHA))
    robot.observe(stamp, frame(0, SIZE, 3))
    message = robot.answer(1)
    assert message.joint_names == list(ALOHA.names)
    assert message_to_chunk(message, space=ALOHA).values.shape == (25, 14)


def test_joint_positions_are_answered_with_their_names_and_go_on_from_the_last_action(
    graph, folder
):
    space = ActionSpace.from_values(SO100)
    robot = Robot(graph, folder, proprio_names=[*JOINTS, 'jaw'], proprio_tolerance=1.0)
    states = graph.publisher(JointState, 'proprio', qos.SENSOR)
    policy = robot.node.arms[''].policy
    pixels = frame(0, policy.image_size, policy.cameras)
    last = None
    for number in (1, 2):
        stamp = robot.now()
        state = JointState(name=[*JOINTS, 'jaw'], position=[0.1] * 6)
        state.header.stamp = from_ns(stamp)
        states.publish(state)
        buffer = robot.node.arms[''].proprio._values['jaw']
        graph.until(lambda n=number, b=buffer: len(b) >= n, 'the state came')
        request = Request(stamp, 'pick it up', last, None)
        robot.requests.publish(request_to_message(request, 0.05, space))
        robot.observe(stamp, pixels)
        message = robot.answer(number)
        assert message.joint_names == [*JOINTS, 'jaw']
        rows = message_to_chunk(message, space=space).values
        assert all(len(row) == 6 for row in rows)
        last = Action(rows[0], stamp, space=space)
    assert robot.node.health.total('answers') == 2
