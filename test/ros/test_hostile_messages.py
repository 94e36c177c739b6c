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

"""Whatever a field of a message holds ends as a named event: never a traceback, never motion."""

import json

from checkpoints import random_checkpoint
from deploy_facts import RIGHT
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import PoseStamped, TwistStamped
from hostile import hostile
from inference_robot import INSTRUCTION, Robot, frame
from joint_robots import SEVEN, joints_of, urdf
import numpy as np
import pytest
from sensor_msgs.msg import CompressedImage, JointState
from std_msgs.msg import Bool, Float64, String

from vla_accel_ros.actions import Action, ActionChunk
from vla_accel_ros.inputs.compression import compress
from vla_accel_ros.models.families.oft.config import OFTConfig
from vla_accel_ros.models.presets import TOKENS
from vla_accel_ros.nodes.arm_command import ArmCommand
from vla_accel_ros.nodes.camera import Camera
from vla_accel_ros.nodes.scheduler import SchedulerNode
from vla_accel_ros.nodes.sim_arm import SimArm
from vla_accel_ros.ros.facts import facts_to_message
from vla_accel_ros.ros.images import array_to_image
from vla_accel_ros.ros.messages import ChunkStats, chunk_to_message, from_ns, request_to_message
from vla_accel_ros.scheduling.decision import Request

ROUNDS = 100
FORWARD = [0.004, 0.0, -0.002, 0.0, 0.0, 0.01, 0.0]


def valid(topic, now_ns):
    """Return messages of a topic that are all right."""
    stamp = from_ns(now_ns)
    made = {
        'vla/action': [chunk_to_message(Action(FORWARD, now_ns), 0.05, 'base_link')],
        'vla/action_chunk': [
            chunk_to_message(
                ActionChunk([FORWARD] * 3, now_ns), 0.05, 'base_link', ChunkStats(1, 0.1, 7, 0)
            )
        ],
        'vla/request': [
            request_to_message(
                Request(now_ns, INSTRUCTION, Action(FORWARD), np.array(FORWARD)), 0.05
            )
        ],
        'vla/frame': [array_to_image(np.zeros((4, 4, 3), np.uint8), now_ns)],
        'vla/observation': [array_to_image(frame(), now_ns)],
        'vla/observation/compressed': [
            CompressedImage(format='rgb8; png compressed bgr8', data=compress(frame(), 'png'))
        ],
        'image_raw': [array_to_image(np.zeros((4, 4, 3), np.uint8), now_ns)],
        'vla/instruction': [String(data=INSTRUCTION)],
        'vla/success': [Bool(data=True)],
        'vla/goal_alive': [String(data='1')],
        'diagnostics': [DiagnosticArray(status=[DiagnosticStatus(name='/arm_command')])],
        'joint_states': [JointState(name=joints_of(SEVEN), position=[0.1] * 7)],
        'robot_description': [String(data=urdf(joints_of(SEVEN)))],
        'vla/facts': [facts_to_message(RIGHT, '/others')],
        'ee_pose': [PoseStamped()],
        'servo_node/delta_twist_cmds': [TwistStamped()],
        'gripper_command': [Float64(data=0.5)],
        'proprio': [JointState(name=[f'p{i}' for i in range(8)], position=[0.1] * 8)],
        'zipped/compressed': [CompressedImage(format='jpeg', data=b'\xff\xd8\xff\xe0')],
    }[topic]
    for message in made:
        if hasattr(message, 'header'):
            message.header.stamp = stamp
    return made


def attack(graph, node, skip=('/clock', '/parameter_events')):
    """Call every subscription of a node back with hostile messages, and spin between them."""
    attacked = []
    for subscription in list(node.subscriptions):
        topic = subscription.topic_name.lstrip('/')
        if subscription.topic_name in skip:
            continue
        attacked.append(topic)
        for seed in range(ROUNDS):
            good = valid(topic, node.now_ns())[0]
            subscription.callback(hostile(good, f'{topic} {seed}'))
            if seed % 10 == 0:
                subscription.callback(good)
                graph.once()
    graph.until(lambda: True, 'nothing')
    assert node.health.total('callback_error') == 0, node.health.status('n', 'active').message
    assert graph.errors == [] and node.active
    return attacked


def test_arm_command_names_whatever_comes(graph):
    node = graph.add(ArmCommand)
    node._guard.enable(node.elapsed_ns(), node.now_ns())
    assert set(attack(graph, node)) == {'vla/action', 'ee_pose', 'vla/facts', 'diagnostics'}
    assert node.health.total('malformed') and node.health.total('nan_or_inf')


def test_arm_command_of_joints_names_whatever_comes(graph, tmp_path):
    file = tmp_path / 'seven.json'
    file.write_text(json.dumps(SEVEN.to_values()))
    node = graph.add(ArmCommand, command='joint_positions', action_space=str(file))
    attacked = set(attack(graph, node))
    assert attacked == {
        *('vla/action', 'vla/facts', 'diagnostics', 'joint_states', 'robot_description')
    }
    assert node.health.total('malformed') and node.health.total('joint_states_refused')


def test_the_scheduler_names_whatever_comes(graph):
    node = graph.add(SchedulerNode, instruction=INSTRUCTION, rule='never')
    assert set(attack(graph, node)) == {
        *('vla/frame', 'vla/action_chunk', 'vla/instruction', 'vla/success', 'vla/goal_alive'),
        'diagnostics',
    }
    assert node.health.total('malformed_message')


def test_the_camera_node_names_whatever_comes(graph):
    node = graph.add(Camera, image_topics=['image_raw', 'zipped/compressed'], image_size=16)
    attack(graph, node)
    assert node.health.total('garbage_frame') and node.health.total('stale_frame')


def test_the_simulated_arm_names_whatever_comes(graph):
    node = graph.add(SimArm, image_size=32)
    assert set(attack(graph, node)) == {'servo_node/delta_twist_cmds', 'gripper_command'}
    assert node.health.total('twist_not_finite')
    before = node._steps
    graph.until(lambda: node._steps > before + 3, 'it goes on')
    assert node.health.total('callback_error') == 0


@pytest.mark.parametrize('proprio', [0, 8])
def test_inference_names_whatever_comes_and_answers_the_next(graph, tmp_path, proprio):
    head = OFTConfig(chunk=3, proprio=8) if proprio else TOKENS
    names = {'proprio_names': [f'p{i}' for i in range(8)]} if proprio else {}
    robot = Robot(graph, random_checkpoint(tmp_path, head=head), **names)
    attack(graph, robot.node)
    health, heard = robot.node.health, {s.topic_name: s.callback for s in robot.node.subscriptions}
    assert health.total('malformed_message') and health.total('wrong_frame')

    def dealt_with():
        return sum(
            map(
                health.total,
                ('answers', 'malformed_message', 'unknown_instruction', 'callback_error'),
            )
        )

    # In pairs, so that what is taken goes on to the model.
    for seed in range(40):
        stamp, before = robot.now(), dealt_with()
        if proprio:
            heard['/proprio'](valid('proprio', stamp)[0])
        request = hostile(valid('vla/request', stamp)[0], seed)
        request.header.stamp = from_ns(stamp)
        heard['/vla/request'](request)
        heard['/vla/observation'](valid('vla/observation', stamp)[0])
        graph.until(lambda n=before: dealt_with() > n, 'it is answered or named')
    assert health.total('callback_error') == 0
    assert health.total('answers')
