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

"""One master for the arm: who else is at its topics, what holds it, and what enabling asks for."""

from arm_operator import FORWARD, STEP, Arm, speed
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from geometry_msgs.msg import PoseStamped, TwistStamped
import numpy as np
import pytest
from sensor_msgs.msg import Image
from std_msgs.msg import Float64
from std_srvs.srv import SetBool
from trajectory_msgs.msg import JointTrajectory

from vla_accel_ros.actions import Action
from vla_accel_ros.nodes.arm_command import ArmCommand
from vla_accel_ros.nodes.arm_command_masters import DEPTH
from vla_accel_ros.nodes.scheduler import SchedulerNode
from vla_accel_ros.ros import qos
from vla_accel_ros.ros.images import array_to_image
from vla_accel_ros.ros.messages import chunk_to_message, from_ns, to_ns
from vla_accel_ros.ros.publishers import UNKNOWN

TOPICS = {
    'vla/action': JointTrajectory,
    'servo_node/delta_twist_cmds': TwistStamped,
    'gripper_command': Float64,
}
SIDEWAYS = [0.0, 0.02, 0.0, 0.0, 0.0, 0.0, 0.0]


@pytest.fixture
def arm(graph):
    return Arm(graph, **{'limits.max_step': 2.0})


def moving(arm):
    assert arm.enable().success
    arm.act(step=2.0)
    arm.moving()


def held(arm, topic):
    """See the arm held for one reason, and return what the fault says."""
    arm.graph.until(
        lambda: 'several_publishers' in arm.node.health.standing(), 'the intruder is named'
    )
    arm.still()
    standing = arm.node.health.standing()
    assert standing['stopped'] == 'several_publishers'
    assert f'2 publish /{topic}' in standing['several_publishers']
    status = arm.node.health.status('arm_command', 'active')
    assert status.level == DiagnosticStatus.ERROR
    return standing['several_publishers']


@pytest.mark.parametrize('topic', TOPICS)
def test_a_second_publisher_stops_the_arm_until_it_is_gone_and_the_operator_enables(arm, topic):
    moving(arm)
    other = arm.graph.peer.create_publisher(TOPICS[topic], topic, qos.CONTROL)
    assert '/peer' in held(arm, topic)
    refused = arm.enable()
    assert not refused.success
    assert 'several_publishers' in refused.message and f'/{topic}' in refused.message
    arm.graph.peer.destroy_publisher(other)
    arm.graph.until(
        lambda: 'several_publishers' not in arm.node.health.standing(), 'it is alone again'
    )
    arm.act()
    arm.graph.until(lambda: arm.count('not_enabled'), 'it stays stopped')
    assert speed(arm.twists[-1]) == 0
    assert arm.enable().success
    arm.act()
    arm.moving()


def test_an_intruders_first_action_moves_nothing(arm):
    moving(arm)
    accepted = arm.count('actions_accepted')
    other = arm.graph.peer.create_publisher(JointTrajectory, 'vla/action', qos.CONTROL)
    arm.graph.until(
        lambda: other.get_subscription_count() or arm.count('several_publishers'), 'it is heard'
    )
    for number in range(1, 6):
        other.publish(
            chunk_to_message(
                Action(SIDEWAYS, arm.graph.peer.get_clock().now().nanoseconds), STEP, 'base_link'
            )
        )
        arm.graph.until(
            lambda n=number: arm.count('several_publishers') > n, 'the action is refused by name'
        )
    held(arm, 'vla/action')
    assert arm.count('actions_accepted') == accepted
    assert all(m.twist.linear.y == 0 for m in arm.twists)


def test_a_joystick_may_be_allowed_beside_the_scheduler_and_at_the_arm(graph):
    arm = Arm(graph, **{'max_publishers.action': 2, 'max_publishers.arm': 2})
    for topic, kind in TOPICS.items():
        graph.peer.create_publisher(kind, topic, qos.CONTROL)
    graph.until(lambda: all(arm.node.count_publishers(t) == 2 for t in TOPICS), 'all are known')
    assert arm.enable().success
    arm.act()
    arm.moving()
    assert graph.set_parameters(arm.node, **{'max_publishers.action': 1}).successful
    held(arm, 'vla/action')


def test_no_pose_counts_while_two_tell_where_the_tool_is(graph):
    arm = Arm(graph, **{'workspace.enabled': True})
    inside = graph.publisher(PoseStamped, 'ee_pose', qos.SENSOR)

    def told():
        pose = PoseStamped()
        pose.header.stamp = from_ns(arm.node.now_ns())
        pose.pose.position.x, pose.pose.position.z = 0.5, 0.3
        inside.publish(pose)

    def enabled():
        told()
        return arm.enable().success

    graph.until(enabled, 'one pose is enough')
    other = graph.publisher(PoseStamped, 'ee_pose', qos.SENSOR)

    def refused():
        told()
        return arm.count('pose_of_several') and 'no_pose' in arm.enable().message

    graph.until(refused, 'of two none is taken')
    arm.act()
    graph.until(lambda: arm.count('no_pose'), 'no action is accepted without a pose')
    assert not arm.count('actions_accepted')
    graph.peer.destroy_publisher(other)
    graph.until(enabled, 'one is left')


def test_two_arm_commands_at_one_arm_hold_both(graph, arm):
    moving(arm)
    other = graph.add(ArmCommand, **{'workspace.enabled': False})
    held(arm, 'servo_node/delta_twist_cmds')
    graph.until(lambda: 'several_publishers' in other.health.standing(), 'the other names it, too')
    assert 'several_publishers' in '; '.join(o.reason for o in other._obstacles())


def test_a_refused_enable_lists_everything_that_the_arm_itself_lacks(graph):
    node = graph.add(ArmCommand)
    for topic in ('servo_node/delta_twist_cmds', 'gripper_command'):
        graph.peer.create_publisher(TOPICS[topic], topic, qos.CONTROL)

    def asked():
        return graph.call(SetBool, 'arm_command/enable', SetBool.Request(data=True))

    graph.until(lambda: 'gripper' in str(node.health.standing()), 'both are known')
    answer = asked()
    assert not answer.success
    for reason in (
        'several_publishers: 2 publish /servo_node/delta_twist_cmds',
        '2 publish /gripper_command',
        'no_pose: workspace is on',
        'no_publisher: nobody',
    ):
        assert reason in answer.message
    assert graph.change_state(node, 'deactivate')
    assert asked().message == 'not_active: the node is inactive, expected active'


def test_a_refused_enable_lists_what_the_scheduler_lacks_until_it_lacks_nothing(graph):
    scheduler = graph.add(SchedulerNode, silence=0.2)
    node = graph.add(ArmCommand)
    poses = graph.publisher(PoseStamped, 'ee_pose', qos.SENSOR)
    frames = graph.publisher(Image, 'vla/frame', qos.FRAME)
    answers = graph.publisher(JointTrajectory, 'vla/action_chunk', qos.CONTROL)
    requests = graph.listen(JointTrajectory, 'vla/request', qos.CONTROL)

    def asked():
        return graph.call(SetBool, 'arm_command/enable', SetBool.Request(data=True))

    wanted = ('no_pose', '/scheduler', 'no_frame', 'no_instruction', 'no_answer')
    graph.until(lambda: all(word in asked().message for word in wanted), 'everything is listed')
    assert graph.set_parameters(scheduler, instruction='pick up the red cube').successful

    def enabled():
        pose = PoseStamped()
        pose.header.stamp = from_ns(node.now_ns())
        poses.publish(pose)
        frames.publish(array_to_image(np.zeros((8, 8, 3), np.uint8), node.now_ns()))
        if requests:
            stamp_ns = to_ns(requests[-1].header.stamp)
            answers.publish(chunk_to_message(Action(FORWARD, stamp_ns), STEP, 'base_link'))
        return asked().success

    graph.until(enabled, 'the arm is enabled')


@pytest.mark.parametrize(
    ('hardware_id', 'values', 'said'),
    [
        ('vla_accel_ros', {'state': 'active'}, ''),
        (
            'vla_accel_ros',
            {'state': 'active', 'standing': 'no_frame: for 3 s'},
            'no_frame: for 3 s',
        ),
        ('vla_accel_ros', {'state': 'inactive'}, 'is inactive, expected active'),
        ('a stranger', {'state': 'burning', 'standing': 'fire'}, ''),
    ],
)
def test_only_a_driver_of_this_package_that_is_not_ready_stands_against_enabling(
    arm, hardware_id, values, said
):
    reports = arm.graph.publisher(DiagnosticArray, '/diagnostics', qos.CONTROL)
    reports.publish(
        DiagnosticArray(
            status=[
                DiagnosticStatus(name='/other', hardware_id='vla_accel_ros'),
                DiagnosticStatus(
                    name='/peer',
                    hardware_id=hardware_id,
                    level=DiagnosticStatus.ERROR,
                    values=[KeyValue(key=k, value=v) for k, v in values.items()],
                ),
            ]
        )
    )
    heard = arm.node._masters._reports._heard
    arm.graph.until(lambda: any(b'/peer' in data for _, data in heard), 'the report came')
    answer = arm.enable()
    assert answer.success == (not said)
    assert not said or answer.message == f'/peer: {said}'


@pytest.fixture
def tell(arm):
    """Give what reports in the name of a node of this package."""
    reports = arm.graph.publisher(DiagnosticArray, '/diagnostics', qos.REPORT)

    def report(name, **values):
        pairs = [KeyValue(key=key, value=value) for key, value in values.items()]
        status = DiagnosticStatus(name=name, hardware_id='vla_accel_ros', values=pairs)
        reports.publish(DiagnosticArray(status=[status]))

    return report


def test_a_driver_is_not_forgotten_while_discovery_does_not_know_its_name(arm, tell):
    kept = arm.node._masters._reports
    tell('/peer', state='inactive')
    arm.graph.until(lambda: 'is inactive' in arm.enable().message, 'it is known')
    for names in ([], [UNKNOWN], ['/other', UNKNOWN]):
        kept.watch(names)
        assert [trouble.reason for trouble in kept.troubles()] == ['/peer']
    kept._on_diagnostics(b'/peer in bytes that are no message')
    assert [trouble.reason for trouble in kept.troubles()] == ['/peer']
    kept.watch(['/other'])
    assert kept.troubles() == []


def test_what_a_driver_reports_before_the_arm_is_active_counts(graph, arm):
    assert graph.change_state(arm.node, 'deactivate')
    graph.add(SchedulerNode)
    kept = arm.node._masters._reports
    graph.until(lambda: '/scheduler' in str(kept.troubles()), 'what it lacks is known')


def test_a_driver_that_is_not_ready_stays_known_however_many_others_report(arm, tell):
    kept = arm.node._masters._reports
    tell('/peer', state='inactive')
    arm.graph.until(lambda: any(b'/peer' in data for _, data in kept._heard), 'the report came')
    assert 'is inactive' in arm.enable().message
    for number in range(3 * DEPTH):
        tell(f'/wheel_{number}', state='active')
        name = f'/wheel_{number}'.encode()
        arm.graph.until(lambda name=name: name in kept._heard[-1][1], 'the next one came')
    assert not any(b'/peer' in data for _, data in kept._heard)
    assert arm.enable().message == '/peer: is inactive, expected active'
    # Another's report that has its name in it is not its own.
    tell('/observer', state='active', sees='/peer')
    arm.graph.until(lambda: b'/observer' in kept._heard[-1][1], 'it came')
    assert 'is inactive' in arm.enable().message
    tell('/peer', state='active')
    arm.graph.until(lambda: arm.enable().success, 'it is ready')


def test_an_arm_that_is_enabled_stays_so_when_a_second_enable_is_refused(arm):
    moving(arm)
    arm.graph.peer.destroy_publisher(arm.actions)
    arm.graph.until(lambda: not arm.node.count_publishers('vla/action'), 'the scheduler is gone')
    assert 'no_publisher' in arm.enable().message
    arm.actions = arm.graph.publisher(JointTrajectory, 'vla/action', qos.CONTROL)
    arm.act(FORWARD)
    arm.graph.until(lambda: arm.count('actions_accepted') == 2, 'the next one moves the arm')
