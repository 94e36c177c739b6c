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

"""The markers' node beside a real arm_command, in a namespace of its own."""

from arm_operator import FORWARD, STEP
from deploy_facts import RIGHT
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import PoseStamped
from hostile import hostile
from rclpy.qos import ReliabilityPolicy
from sensor_msgs.msg import JointState
from std_srvs.srv import SetBool
from trajectory_msgs.msg import JointTrajectory
from visualization_msgs.msg import Marker, MarkerArray

from vla_accel_ros.actions import Action
from vla_accel_ros.graph.rights import NODES as RIGHTS
from vla_accel_ros.nodes.arm_command import ArmCommand
from vla_accel_ros.nodes.markers import Markers, to_message
from vla_accel_ros.nodes.markers_shapes import COLOURS, FREE, HELD, INTUITIVE, NAMES, Scene, shapes
from vla_accel_ros.ros import qos
from vla_accel_ros.ros.facts import facts_to_message
from vla_accel_ros.ros.messages import chunk_to_message, decision_to_message
from vla_accel_ros.scheduling.decision import Decision, Kind

SETTINGS = {'text_height': 0.03}
OUTWARD = [0.02, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
# Actions last longer than the time between two, so that no stall of this process is a gap.
LASTS = 0.25


def shown(arrays):
    """Return the newest markers that are there, by name."""
    if not arrays:
        return {}
    return {each.ns: each for each in arrays[-1].markers if each.action == Marker.ADD}


def colour(marker):
    return [round(each, 3) for each in (marker.color.r, marker.color.g, marker.color.b)]


def test_it_shows_a_real_arm_and_turns_the_box_red_where_the_arm_is_held_at_it(graph):
    left = ['__ns:=/left']
    arm = graph.add(ArmCommand, remaps=left)
    node = graph.add(Markers, remaps=left, rate=30.0)
    twists = '/left/servo_node/delta_twist_cmds'
    # It is no listener of what moves the arm, and nobody waits for it.
    assert graph.peer.count_subscribers(twists) == 0
    for subscription in node.subscriptions:
        if subscription.topic_name != '/parameter_events':
            assert subscription.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT
    arrays = graph.listen(MarkerArray, '/left/vla/markers', qos.REPORT)
    poses = graph.publisher(PoseStamped, '/left/ee_pose', qos.SENSOR, 2)
    actions = graph.publisher(JointTrajectory, '/left/vla/action', qos.CONTROL, 2)
    decisions = graph.publisher(DiagnosticStatus, '/left/vla/decision', qos.REPORT)
    decided = Decision(Kind.INTUITIVE, 'fast_motion', 0, action=Action(OUTWARD), speed=0.4)

    at = [0.5]

    def step():
        """Tell where the tool is, a decision, and an action that leads on by 2 cm."""
        now_ns = graph.peer.get_clock().now().nanoseconds
        pose = PoseStamped()
        pose.header.frame_id = 'base_link'
        pose.pose.position.x, pose.pose.position.z = at[0], 0.3
        poses.publish(pose)
        decisions.publish(decision_to_message(decided, 'scheduler'))
        actions.publish(chunk_to_message(Action(OUTWARD, now_ns), LASTS, 'base_link'))

    graph.peer.create_timer(STEP, step)
    found = graph.until(lambda: set(shown(arrays)) == set(NAMES) and shown(arrays), 'all is shown')
    assert found['text'].text.startswith('intuitive: fast_motion\nspeed 0.400 of 0.75 m/s')
    # The arm is not enabled: what it would do is shown as held.
    assert 'arm held: disabled' in found['text'].text
    assert colour(found['velocity']) == list(COLOURS[HELD][:3])
    assert colour(found['workspace']) == list(FREE[:3])
    assert len(found['workspace'].points) == 24
    (begin, end) = found['velocity'].points
    assert (begin.x, round(end.x, 3)) == (0.5, 0.58)
    answer = graph.call(SetBool, '/left/arm_command/enable', SetBool.Request(data=True))
    assert answer.success, answer.message
    graph.until(lambda: 'arm may move' in shown(arrays)['text'].text, 'it is shown to move')
    graph.until(
        lambda: colour(shown(arrays)['velocity']) == list(COLOURS[INTUITIVE][:3]),
        'the arrow is of the decision',
    )
    # An arm that never moved has no motion to hold: refused actions alone are `idle`.
    graph.until(lambda: arm.health.total('actions_accepted'), 'it moves')
    for _ in range(5):
        at[0] = 0.795
        graph.until(
            lambda: colour(shown(arrays)['velocity']) == list(COLOURS[HELD][:3]), 'it is held'
        )
        if 'arm held: workspace' in shown(arrays)['text'].text:
            break
        # This process stalled on the way there, so that actions were missing first.
        at[0] = 0.5
        graph.until(lambda: 'arm may move' in shown(arrays)['text'].text, 'it moves again')
    assert colour(shown(arrays)['workspace']) == list(COLOURS[HELD][:3])
    assert 'arm held: workspace: x would be' in shown(arrays)['text'].text
    assert arm.health.total('workspace')
    at[0] = 0.5
    graph.until(
        lambda: colour(shown(arrays)['workspace']) == list(FREE[:3]), 'the box is free again'
    )


def test_whatever_comes_it_goes_on(graph):
    node = graph.add(Markers)
    arrays = graph.listen(MarkerArray, 'vla/markers', qos.REPORT)
    now_ns = node.now_ns()
    pose = PoseStamped()
    pose.header.frame_id = 'base_link'
    report = node.health.status('/arm_command', 'active')
    good = {
        '/vla/facts': facts_to_message(RIGHT, '/others'),
        '/vla/action': chunk_to_message(Action(FORWARD, now_ns), STEP, 'base_link'),
        '/vla/decision': decision_to_message(Decision(Kind.INTUITIVE, 'fast', 0), 'scheduler'),
        '/ee_pose': pose,
        '/joint_states': JointState(name=['joint1'], position=[0.1]),
    }
    callbacks = {each.topic_name: each.callback for each in node.subscriptions}
    heard = {f'/{topic.strip("/")}' for topic in RIGHTS['markers'].subscribe}
    assert set(callbacks) - {'/parameter_events', '/clock'} == heard == {*good, '/diagnostics'}
    assert not list(node.clients)
    for seed in range(100):
        for topic, message in good.items():
            callbacks[topic](hostile(message, f'{topic} {seed}'))
        callbacks['/diagnostics'](hostile(DiagnosticArray(status=[report]), seed))
        node._draw()
        callbacks['/vla/facts'](good['/vla/facts'])
    assert node.health.total('malformed_message') and not node.health.total('callback_error')
    before = len(arrays)
    graph.until(lambda: len(arrays) > before, 'it draws on')
    assert graph.errors == [] and node.active


def test_what_is_gone_is_taken_away_and_nothing_else():
    drawn = shapes(Scene('base', lines=('a', 'b')), 1.0)
    message = to_message(drawn, 'base', SETTINGS)
    assert {each.ns: each.action for each in message.markers} == {
        'text': Marker.ADD,
        'velocity': Marker.DELETE,
        'workspace': Marker.DELETE,
    }
    assert {each.header.frame_id for each in message.markers} == {'base'}
    (text,) = (each for each in message.markers if each.ns == 'text')
    assert (text.text, text.scale.z, text.type) == ('a\nb', 0.03, Marker.TEXT_VIEW_FACING)
