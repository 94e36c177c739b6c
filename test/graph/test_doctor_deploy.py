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

"""What doctor says of a robot that runs, that does not, and of its drivers alone."""

import json
import shutil

import numpy as np
import pytest
from sensor_msgs.msg import Image, JointState

from vla_accel_ros import cli
from vla_accel_ros.deploy.finding import Level
from vla_accel_ros.graph.doctor_deploy import Question, deployed, parameters
from vla_accel_ros.nodes.arm_command import ArmCommand
from vla_accel_ros.nodes.scheduler import SchedulerNode
from vla_accel_ros.paths import checkpoint_folder
from vla_accel_ros.ros import qos
from vla_accel_ros.ros.images import array_to_image
from vla_accel_ros.ros.messages import from_ns

TOOL = ['ee_x', 'ee_y', 'ee_z', 'ee_rx', 'ee_ry', 'ee_rz', 'finger_width', 'gripper']
RIGHT = f"""
/**/camera: {{ros__parameters: {{image_topics: [image_raw, wrist/image_raw]}}}}
/**/inference:
  ros__parameters: {{checkpoint: tabletop-m-oft, proprio_names: [{', '.join(TOOL)}]}}
"""


@pytest.fixture
def file(tmp_path):
    def write(text=RIGHT):
        path = tmp_path / 'robot.yaml'
        path.write_text(text)
        return str(path)

    return write


def by_name(findings):
    return {each.name: each for each in findings}


def test_nothing_that_runs_is_said_to_be_not_there():
    found = by_name(deployed(Question(seconds=0.3)))
    assert found['nodes'].level is Level.ERROR
    assert 'camera, scheduler, inference, arm_command' in found['nodes'].text
    assert 'camera_count' not in found and 'state_width' not in found


def test_a_parameter_file_stands_for_nodes_that_do_not_run(file):
    found = by_name(deployed(Question(params_file=file(), seconds=0.3)))
    assert found['nodes'].level is Level.WARNING
    for name in ('action_kind', 'camera_count', 'camera_order', 'policy_step', 'state_width'):
        assert found[name].level is Level.OK, found[name]
    assert 'image_raw, wrist/image_raw' in found['camera_missing'].text
    assert found['state_missing'].level is Level.ERROR


@pytest.mark.parametrize(
    ('name', 'text', 'said'),
    [
        ('policy_step', '/**/scheduler: {ros__parameters: {policy_step: 0.2}}', 'is 0.2 s'),
        ('frame', '/**/arm_command: {ros__parameters: {frame_id: tool0}}', "is 'tool0'"),
        ('camera_order', '/**/camera: {ros__parameters: {image_topics: [wrist, a]}}', 'wrist, a'),
        ('centre_crop', '/**/camera: {ros__parameters: {centre_crop: 0.9}}', 'camera is 0.9'),
    ],
)
def test_what_the_file_sets_wrongly_is_named(file, name, text, said):
    found = by_name(deployed(Question(params_file=file(text), seconds=0.2)))
    assert found[name].level is not Level.OK and said in found[name].text


def test_a_policy_server_stands_in_the_place_of_a_checkpoint(file):
    text = """
/**/inference: {ros__parameters: {remote: 'ws://127.0.0.1:1', remote_images: [a, b, c],
  remote_state: s, proprio_names: [j1, j2]}}
"""
    found = by_name(deployed(Question(params_file=file(text), seconds=0.2)))
    assert 'wants 3 views' in found['camera_count'].text
    assert found['camera_count'].level is Level.ERROR
    assert 'wants 2 numbers' in found['state_missing'].text
    for name in ('action_kind', 'camera_size', 'policy_step', 'state_width'):
        assert found[name].level is Level.OK, found[name]
    # What only statistics say is not made up.
    assert not {'unnorm_key', 'statistics', 'action_units', 'centre_crop'} & set(found)


class Drivers:
    """Two cameras and joint states, published while the doctor listens."""

    def __init__(self, graph, skew_ns=0):
        node = graph.peer
        self._node, self._skew_ns, self._number = node, skew_ns, 0
        self._images = [
            node.create_publisher(Image, topic, qos.SENSOR)
            for topic in ('image_raw', 'wrist/image_raw')
        ]
        self._state = node.create_publisher(JointState, 'proprio', qos.SENSOR)

    def publish(self, values):
        now = self._node.get_clock().now().nanoseconds
        pixels = np.random.default_rng(self._number).integers(0, 256, (48, 64, 3), np.uint8)
        self._number += 1
        for publisher, stamp in zip(self._images, (now, now - self._skew_ns), strict=True):
            publisher.publish(array_to_image(pixels, stamp))
        state = JointState(name=TOOL, position=values)
        state.header.stamp = from_ns(now)
        self._state.publish(state)


def measured(graph, question, values, skew_ns=0):
    drivers = Drivers(graph, skew_ns)
    timer = graph.peer.create_timer(0.02, lambda: drivers.publish(values))
    from threading import Event, Thread

    done = Event()

    def spin():
        while not done.is_set():
            graph.once()

    thread = Thread(target=spin)
    thread.start()
    try:
        return by_name(deployed(question))
    finally:
        done.set()
        thread.join()
        graph.peer.destroy_timer(timer)


def test_drivers_are_measured_before_any_node_runs(graph, file):
    start = [0.45, 0.0, 0.1, 0.0, 0.0, 0.0, 0.04, 0.0]
    question = Question(params_file=file(), seconds=2.0)
    found = measured(graph, question, start)
    for name in ('camera_missing', 'camera_stamp', 'camera_skew', 'state_stamp', 'start_pose'):
        assert found[name].level is Level.OK, found[name]
    assert 'rgb8 of 64x48' in found['camera_encoding'].text
    start[2] = 1.4
    found = measured(graph, question, start, skew_ns=8 * 10**6 + 10**9)
    assert found['start_pose'].level is Level.ERROR and 'ee_z is 1.4' in found['start_pose'].text
    assert found['camera_stamp'].level is Level.ERROR
    assert 'wrist/image_raw is 1' in found['camera_stamp'].text


def test_nodes_that_run_are_heard_rather_than_the_file(graph, file, capfd):
    graph.add(SchedulerNode, policy_step=0.2)
    graph.add(ArmCommand, **{'workspace.enabled': False})
    path = file()
    question = Question(params_file=path, seconds=2.0)
    found = by_name(deployed(question))
    assert found['nodes'].text.endswith('camera, inference')
    assert 'policy_step of scheduler is 0.2 s' in found['policy_step'].text
    arguments = ['doctor', '--deploy', '--seconds', '2', '--params-file', path]
    assert cli.main([*arguments, '--json']) == 1
    said = json.loads(capfd.readouterr().out)
    assert not said['ok'] and 'policy_step' in said['lacking']
    step = next(each for each in said['findings'] if each['name'] == 'policy_step')
    assert step['level'] == 'error' and not step['ok'] and step['remedy']


def test_the_command_ends_with_what_does_not_fit(file, capfd):
    arguments = ['doctor', '--deploy', '--seconds', '0.2', '--params-file', file()]
    assert cli.main(arguments) == 1
    assert 'does not fit: camera_missing, state_missing' in capfd.readouterr().out
    assert cli.main([*arguments[:4], '--params-file', 'none.yaml']) == 2
    assert 'none.yaml' in capfd.readouterr().err


def test_a_checkpoint_that_is_none_is_a_finding(tmp_path):
    found = by_name(deployed(Question(checkpoint=str(tmp_path), seconds=0.2)))
    assert found['checkpoint'].level is Level.ERROR
    assert 'has no config.json' in found['checkpoint'].text
    folder = tmp_path / 'copy'
    shutil.copytree(checkpoint_folder('tabletop-s'), folder)
    question = Question(checkpoint=str(folder), unnorm_key='other', seconds=0.2)
    assert "unnorm_key 'other'" in by_name(deployed(question))['checkpoint'].text


def test_the_size_that_the_launch_file_would_set_is_that_of_the_checkpoint():
    assert parameters(Question(checkpoint='tabletop-s'))['camera']['image_size'] == 96
