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

"""What does not fit keeps the arm from moving, over DDS: by name, with both values."""

import json
import shutil

from arm_operator import Arm, speed
from deploy_facts import RIGHT, changed
from diagnostic_msgs.msg import DiagnosticStatus
from joint_robots import SEVEN
import pytest
from std_srvs.srv import SetBool

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.deploy.compare import NAMES
from vla_accel_ros.deploy.robot import Facts, JointRange, Workspace
from vla_accel_ros.nodes.arm_command import ArmCommand
from vla_accel_ros.nodes.arm_command_findings import arm_facts, check_names
from vla_accel_ros.nodes.arm_command_settings import SETTINGS
from vla_accel_ros.nodes.camera import Camera
from vla_accel_ros.nodes.inference import Inference
from vla_accel_ros.nodes.scheduler import SchedulerNode
from vla_accel_ros.ros import qos
from vla_accel_ros.ros.facts import TOPIC, facts_to_message, message_to_facts
from vla_accel_ros.safety.joint_limits import JointLimit

# Each is a robot that would fail without a word.
MISFITS = {
    'action_kind': {'wants__actions': {'kinds': ('joint_position',) * 7}},
    'action_units': {'wants__actions': {'step_m': 1.5}},
    'camera_count': {'wants__views': {'count': 1, 'names': ()}},
    'frame': {'wants__actions': {'frame': 'tool0'}},
    'latency': {'model': {'call_ms': 3000.0}},
    'policy_step': {'wants__actions': {'step_s': 0.2}},
    'start_pose': {'state': {'values': (2.9, -0.2, 0.0)}},
    'state_order': {'state': {'chosen': ('j2', 'j1', 'gripper')}},
}


class Told(Arm):
    """An arm, and the other nodes' facts told by the test."""

    def __init__(self, graph, **parameters):
        super().__init__(graph, **parameters)
        self.facts = graph.publisher(DiagnosticStatus, TOPIC, qos.LATCHED)

    def told(self):
        return self.node.health.standing().get('does_not_fit', '')

    def tell(self, facts=RIGHT):
        """Tell them, and wait until they are heard."""
        self.facts.publish(facts_to_message(facts, '/peer'))
        heard = self.node._findings._hearer
        self.graph.until(lambda: heard.facts().wants == facts.wants, 'the checkpoint is heard')
        self.graph.until(lambda: heard.facts().state == facts.state, 'the state is heard')
        self.graph.until(lambda: heard.facts().model == facts.model, 'the model is heard')


@pytest.fixture
def arm(graph):
    return Told(graph)


def test_enabling_is_refused_by_name_and_a_right_robot_is_enabled(arm):
    for name, change in MISFITS.items():
        facts = changed(**change)
        arm.tell(facts)
        answer = arm.enable()
        assert not answer.success and answer.message.startswith(f'{name}: '), answer.message
    arm.graph.until(lambda: arm.told().startswith(f'{name}: '), 'it is on /diagnostics')
    arm.act()
    arm.graph.until(lambda: arm.count('not_enabled') == 1, 'the action is refused')
    # Nothing ever reached the arm.
    assert arm.twists == []
    arm.tell()
    assert arm.enable().success
    arm.graph.until(lambda: 'does_not_fit' not in arm.node.health.standing(), 'it has ended')
    arm.act()
    arm.moving()


def test_a_finding_is_ignored_by_its_name_alone_and_that_is_told(graph):
    arm = Told(graph, ignored_findings=['policy_step'])
    arm.tell(changed(wants__actions={'step_s': 0.2, 'frame': 'tool0'}))
    answer = arm.enable()
    assert not answer.success and answer.message.startswith('frame: ')
    arm.tell(changed(wants__actions={'step_s': 0.2}))
    assert arm.enable().success
    message = arm.node.health.status('arm_command', 'active').message
    assert 'findings_ignored: policy_step: policy_step of scheduler is 0.05 s' in message
    assert arm.graph.set_parameters(arm.node, ignored_findings=['']).successful
    assert not arm.enable().success


def test_a_name_that_no_finding_has_is_refused(arm):
    result = arm.graph.set_parameters(arm.node, ignored_findings=['units'])
    assert not result.successful and 'expected any of unnorm_key' in result.reason
    check_names(['', *NAMES])


def test_an_arm_in_motion_is_held_while_another_checkpoint_does_not_fit(arm):
    arm.tell()
    assert arm.enable().success
    arm.act(step=0.4)
    arm.accepted(1)
    arm.moving()
    arm.tell(changed(wants__actions={'step_s': 0.2}))
    arm.act()
    arm.graph.until(lambda: arm.count('does_not_fit'), 'the action is refused')
    arm.still()
    assert arm.count('actions_accepted') == 1
    arm.graph.until(lambda: 'does_not_fit' in arm.node.health.standing(), 'it is told')
    assert 'policy_step' in arm.node.health.standing()['does_not_fit']
    # Nobody has to enable it again: what did not fit is mended.
    arm.tell()
    arm.act()
    arm.accepted(2)
    arm.moving()


def test_what_is_momentary_counts_before_the_start_only(arm):
    arm.tell()
    assert arm.enable().success
    arm.tell(changed(**MISFITS['start_pose']))
    arm.act()
    arm.accepted(1)
    arm.moving()
    assert max(map(speed, arm.twists)) > 0


@pytest.fixture
def robot(graph, checkpoint, tmp_path):
    """Give the four nodes around a checkpoint of two views that was trained at 5 Hz."""
    folder = tmp_path / 'checkpoint'
    shutil.copytree(checkpoint, folder)
    (folder / 'conventions.json').write_text(
        json.dumps({'step_s': 0.2, 'frame': 'tool0', 'views': ['agent', 'wrist']})
    )
    graph.add(Camera, image_topics=['wrist/image'], image_size=32)
    scheduler = graph.add(SchedulerNode)
    inference = graph.add(
        Inference, checkpoint=str(folder), threads=1, warm_up=1, nice=0, policy_step=0.2
    )
    arm = graph.add(ArmCommand, **{'workspace.enabled': False})
    graph.robot = scheduler, inference, arm
    return graph


def test_real_nodes_around_a_real_checkpoint_name_what_does_not_fit(robot):
    scheduler, _, arm = robot.robot
    hearer = arm._findings._hearer

    def heard():
        facts = hearer.facts()
        return facts.wants and facts.camera and facts.scheduler

    def refusal():
        answer = robot.call(SetBool, 'arm_command/enable', SetBool.Request(data=True))
        assert not answer.success
        return answer.message

    robot.until(heard, 'all nodes are heard')
    # Nothing was asked yet: it is that of the warm-up.
    assert hearer.facts().model.call_ms > 0
    said = refusal()
    assert 'camera_count: the checkpoint wants 2 views, image_topics has 1 (wrist/image)' in said
    assert 'policy_step of scheduler is 0.05 s, policy_step of inference is 0.2 s' in said
    assert "frame: the checkpoint's actions are in 'tool0'" in said
    assert 'camera_missing: nothing came on wrist/image' in said
    # What is mended is told at once, and is not named any more.
    assert robot.set_parameters(scheduler, policy_step=0.2).successful
    robot.until(lambda: hearer.facts().scheduler.policy_step == 0.2, 'the new step is heard')
    said = refusal()
    assert 'policy_step' not in said and 'camera_count' in said


def test_of_joints_the_speed_is_that_of_the_robots_description():
    settings = {each.name: each.default for each in SETTINGS} | {'command': 'joint_trajectory'}
    limits = [JointLimit(n, 'rad', -1.0, 1.0, s, 9.0, 0.3) for n, s in (('a', 2.0), ('b', 1.5))]
    assert arm_facts(settings, SEVEN, limits).angular_speed == 1.5
    assert arm_facts(settings, SEVEN).angular_speed == 100.0


def test_the_arm_tells_its_box_or_the_ranges_of_its_joints():
    settings = {each.name: each.default for each in SETTINGS}
    box = {'workspace.min': (0.1, -0.2, 0.0), 'workspace.max': (0.5, 0.2, 0.4)}
    told = arm_facts(settings | box, END_EFFECTOR)
    assert told.workspace == Workspace(*box.values()) and told.joints == ()
    assert arm_facts(settings | {'workspace.enabled': False}, END_EFFECTOR).workspace is None
    limits = [JointLimit('a', 'rad', -1.0, 0.5, 2.0, 9.0, 0.3)]
    # Actions of joints are not held to the box.
    told = arm_facts(settings | {'command': 'joint_trajectory'}, SEVEN, limits)
    assert told.workspace is None and told.joints == (JointRange('a', 'rad', -1.0, 0.5),)
    assert message_to_facts(facts_to_message(Facts(arm=told), '/arm_command')).arm == told
