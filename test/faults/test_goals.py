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

"""Goals over real DDS at real processes: cancel, loading, dead clients, dead nodes."""

import signal

from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseStamped
import numpy as np
import pytest
from rig import Rig
from sensor_msgs.msg import Image
from std_msgs.msg import Bool, String
from std_srvs.srv import SetBool, Trigger
from trajectory_msgs.msg import JointTrajectory

from vla_accel_ros.actions import ActionChunk
from vla_accel_ros.graph.processes import Deployment
from vla_accel_ros.ros import qos
from vla_accel_ros.ros.images import array_to_image
from vla_accel_ros.ros.messages import chunk_to_message, from_ns, to_ns

TASK = 'pick up the red cube'
FORWARD = (0.003, 0.001, -0.002, 0.0, 0.0, 0.01, 0.0)
PIXELS = np.zeros((32, 16, 3), np.uint8)
STEP_S = 0.2
SETTINGS = {
    'policy_step': STEP_S,
    'rule': 'never',
    'goal.required': True,
    'goal.client_silence': 0.3,
}


class Client:
    """Camera and VLA of a scheduler, and the client of its goals.

    Attributes:
        answering: Whether the VLA answers.
        calling: Name of the goal that the client gives signs of life of.
    """

    def __init__(self, rig):
        self.rig, self.answering, self.calling = rig, True, ''
        self.told: list[DiagnosticStatus] = []
        peer = rig.peer
        peer.create_subscription(DiagnosticStatus, 'vla/goal', self.told.append, qos.LATCHED)
        peer.create_subscription(Image, 'vla/observation', self._on_observation, qos.CONTROL)
        self._camera = peer.create_publisher(Image, 'vla/frame', qos.FRAME)
        self._vla = peer.create_publisher(JointTrajectory, 'vla/action_chunk', qos.CONTROL)
        self._poses = peer.create_publisher(PoseStamped, 'ee_pose', qos.SENSOR)
        self._alive = peer.create_publisher(String, 'vla/goal_alive', qos.CONTROL)
        peer.create_timer(STEP_S / 2, self._on_timer)

    def start(self):
        self.rig.recorder.permit()
        return self.rig.call(Trigger, 'scheduler/goal/start', Trigger.Request())

    def started(self):
        """Start a goal as soon as that is allowed."""
        self.rig.until(lambda: self.start().success, 'a goal is accepted')

    def cancel(self):
        return self.rig.call(Trigger, 'scheduler/goal/cancel', Trigger.Request())

    def facts(self):
        return {each.key: each.value for each in self.told[-1].values} if self.told else {}

    def tells(self, message):
        self.rig.until(
            lambda: self.told and self.told[-1].message.startswith(message), f'told: {message}'
        )

    def _on_timer(self):
        self._camera.publish(array_to_image(PIXELS, self.rig.now_ns(), 'agent'))
        pose = PoseStamped()
        pose.header.stamp = from_ns(self.rig.now_ns())
        pose.header.frame_id = 'base_link'
        pose.pose.position.x, pose.pose.position.z = 0.5, 0.3
        self._poses.publish(pose)
        if self.calling:
            self._alive.publish(String(data=self.calling))

    def _on_observation(self, message):
        if self.answering:
            chunk = ActionChunk((FORWARD,), to_ns(message.header.stamp))
            self._vla.publish(chunk_to_message(chunk, STEP_S, 'base_link'))


@pytest.fixture(scope='module')
def served(tmp_path_factory):
    names = ['scheduler', 'arm_command']
    rig = Rig(Deployment(instruction=TASK), tmp_path_factory.mktemp('logs'), names)
    try:
        rig.client = Client(rig)
        rig.start()
        yield rig
    finally:
        rig.close()


@pytest.fixture
def client(served):
    """Give the client of a scheduler without an open goal, and an arm that is disabled."""
    rig, client = served, served.client
    for name in rig.processes.names:
        if rig.processes.status(name) is not None:
            rig.start(name)
    client.answering, client.calling = True, ''
    assert rig.set('scheduler', **SETTINGS).successful
    client.cancel()
    assert rig.ask_to_enable(False).success
    rig.reports.mark()
    yield client
    rig.recorder.verify()
    assert rig.errors == []


def test_a_goal_moves_the_arm_and_cancel_holds_it_within_the_watchdogs_bound(client):
    rig = client.rig
    client.started()
    rig.moves()
    rig.until(lambda: float(client.facts()['rate_hz']) > 1, 'the rate is told')
    facts = client.facts()
    assert (
        facts['status'] == 'executing' and facts['instruction'] == TASK and int(facts['steps']) > 1
    )
    assert facts['decision'] and facts['decision_reason'] and float(facts['left_s']) > 0
    assert float(facts['room.linear_speed']) > 0
    # Two at once: the second is refused, and so is another instruction.
    second = client.start()
    assert not second.success and 'cancel it first' in second.message
    refused = rig.set('scheduler', instruction='push the block')
    assert not refused.successful and 'until it ends' in refused.reason
    rig.moves()
    assert client.cancel().message == 'canceled: cancel_requested'
    rig.rests()
    rig.recorder.forbid()
    assert client.facts()['status'] == 'canceled'
    assert rig.set('scheduler', instruction=TASK).successful


def test_cancel_while_the_model_is_loading_never_enables_the_arm(client):
    rig = client.rig
    client.answering = False
    assert rig.change('scheduler', 'deactivate') and rig.change('scheduler', 'activate')
    client.started()
    client.tells('accepted: no_answer')
    assert client.cancel().success
    client.tells('canceled')
    client.answering = True
    rig.quiet('scheduler', 'no_answer')
    assert rig.reports.value('arm_command', 'arm').startswith('disabled')


def test_a_client_that_dies_has_its_goal_canceled_and_the_arm_held(client):
    rig = client.rig
    client.started()
    client.calling = client.facts()['goal']
    rig.moves()
    client.calling = ''
    client.tells('canceled: client_gone')
    rig.rests()


@pytest.mark.parametrize('by', ['operator', 'topic', 'operator says no', 'step_limit'])
def test_a_goal_ends_by_a_word_a_topic_or_a_limit_and_the_arm_rests(client, by):
    rig = client.rig
    assert rig.set('scheduler', **{'goal.step_limit': 3 if by == 'step_limit' else 0}).successful
    client.started()
    rig.moves()
    if by == 'topic':
        rig.publisher(Bool, 'vla/success', qos.CONTROL).publish(Bool(data=True))
    elif by != 'step_limit':
        word = SetBool.Request(data=by == 'operator')
        assert rig.call(SetBool, 'scheduler/goal/finish', word).success
    ends = {
        'operator': 'succeeded: operator',
        'topic': 'succeeded: success_topic',
        'operator says no': 'aborted: operator',
        'step_limit': 'aborted: step_limit',
    }
    client.tells(ends[by])
    rig.rests()
    assert rig.set('scheduler', **{'goal.step_limit': 0}).successful


def test_a_scheduler_that_is_killed_leaves_an_arm_that_rests_and_does_not_go_on_by_itself(client):
    rig = client.rig
    client.started()
    rig.moves()
    rig.kill('scheduler')
    rig.rests()
    # With the dead one beside the new one, arm_command would stop for a second publisher.
    rig.forgotten('vla/action')
    rig.start('scheduler')
    assert rig.set('scheduler', **SETTINGS).successful
    # Whoever enables the arm by hand moves nothing, for there is no goal.
    rested_ns = rig.recorder.last_motion_ns
    assert rig.enable().success
    rig.counts('scheduler', 'actions_withheld')
    rig.until(lambda: 'enabled already' in client.start().message, 'a goal is refused')
    assert rig.recorder.last_motion_ns == rested_ns
    assert rig.ask_to_enable(False).success
    client.started()
    rig.moves()


def test_an_arm_command_that_is_killed_aborts_the_goal_and_comes_back_disabled(client):
    rig = client.rig
    client.started()
    rig.moves()
    rig.end('arm_command', signal.SIGKILL)
    client.tells('aborted: arm_silent')
    rig.start('arm_command')
    client.started()
    rig.moves()


def test_a_stop_by_the_operator_aborts_the_goal_and_the_arm_stays_stopped(client):
    rig = client.rig
    client.started()
    rig.moves()
    rig.stop()
    client.tells('aborted: arm_stopped: stopped: stop_requested')
    rig.rests()


def test_a_second_stop_ends_a_goal_that_prepares_on_a_stopped_arm(client):
    rig = client.rig
    rig.stop()
    client.answering = False
    assert rig.change('scheduler', 'deactivate') and rig.change('scheduler', 'activate')
    client.started()
    client.tells('accepted: no_answer')
    rig.stop()
    client.tells('aborted: arm_stopped: stopped: stop_requested')
    assert rig.reports.value('arm_command', 'arm') == 'stopped: stop_requested'
