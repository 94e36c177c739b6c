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


"""arm_command over DDS: what reaches the arm's topic, and what does not."""

from itertools import pairwise
import math
import time

from arm_operator import FORWARD, STEP, Arm, speed
from geometry_msgs.msg import PoseStamped
import numpy as np
import pytest
from trajectory_msgs.msg import JointTrajectory

from vla_accel_ros.actions import Action
from vla_accel_ros.ros import qos
from vla_accel_ros.ros.messages import chunk_to_message, from_ns, to_ns


@pytest.fixture
def arm(graph):
    return Arm(graph)


def test_an_arm_that_is_not_enabled_gets_nothing_at_all(arm):
    arm.act()
    arm.graph.until(lambda: arm.count('not_enabled') == 1, 'the refusal is counted')
    assert arm.stop().success
    assert arm.enable().success
    arm.act()
    arm.accepted(1)
    arm.moving()
    # The first thing ever sent is from after the enabling: zero, waiting for an action.
    assert speed(arm.twists[0]) == 0
    assert arm.count('not_enabled') == 1


def test_a_stream_of_actions_becomes_their_displacement_within_one_percent(arm):
    arm.enable()
    steps, due = 30, time.monotonic()
    for _ in range(steps):
        arm.graph.until(lambda at=due: time.monotonic() >= at, 'the next step')
        # Actions that last long overlap, so that no stall of a busy machine is a gap.
        arm.act(step=0.4)
        due += STEP
    arm.accepted(steps)
    arm.still()
    moved = np.zeros(3)
    for now, after in pairwise(arm.twists):
        held = min((to_ns(after.header.stamp) - to_ns(now.header.stamp)) * 1e-9, 0.1)
        linear = now.twist.linear
        moved += np.array([linear.x, linear.y, linear.z]) * held
    wanted = steps * np.array(FORWARD[:3])
    assert np.linalg.norm(moved - wanted) <= 0.01 * np.linalg.norm(wanted)
    assert {m.header.frame_id for m in arm.twists} == {'base_link'}


def test_the_watchdog_holds_the_arm_within_100_ms_of_the_last_actions_horizon(arm):
    arm.enable()
    arm.act()
    arm.accepted(1)
    arm.moving()
    begun = to_ns(next(m for m in arm.twists if speed(m) > 0).header.stamp)
    arm.still()
    arm.graph.until(lambda: 'watchdog' in arm.node.health.standing(), 'the watchdog is named')
    assert arm.node.health.standing()['watchdog'] == 'no_action'
    ended = to_ns(
        next(m for m in arm.twists if to_ns(m.header.stamp) > begun and speed(m) == 0).header.stamp
    )
    assert (ended - begun) * 1e-9 <= STEP + 0.1
    arm.act()
    arm.accepted(2)
    arm.graph.until(
        lambda: 'watchdog' not in arm.node.health.standing(), 'an action ends the hold'
    )


@pytest.mark.parametrize(
    ('reason', 'bad'),
    [
        ('nan_or_inf', {'values': [math.nan, *FORWARD[1:]]}),
        ('nan_or_inf', {'values': [*FORWARD[:6], math.inf]}),
        ('translation_step', {'values': [0.5, *FORWARD[1:]]}),
        ('rotation_step', {'values': [0, 0, 0, 0, 0, 2.0, 0]}),
        ('gripper_range', {'values': [*FORWARD[:6], 7.0]}),
        ('stale', {'age_s': 2.0}),
        ('from_the_future', {'age_s': -2.0}),
        ('malformed', {'step': 30.0}),
        ('wrong_frame', {'frame': 'camera_link'}),
    ],
)
def test_a_bad_action_is_refused_by_name_and_moves_nothing(arm, reason, bad):
    arm.enable()
    arm.act(**bad)
    arm.graph.until(lambda: arm.count(reason) == 1 and arm.twists, f'{reason} is counted')
    # A good action is the sentinel: whatever moved the arm before it was the bad one.
    before = len(arm.twists)
    arm.act()
    arm.accepted(1)
    arm.moving()
    assert before and all(speed(m) == 0 for m in arm.twists[:before])
    assert arm.count('actions_accepted') == 1
    status = arm.node.health.status('arm_command', 'active')
    assert reason in status.message
    assert {v.key: v.value for v in status.values}['last_refusal'].startswith(reason)


def test_an_action_older_than_the_last_is_refused_as_out_of_order(arm):
    arm.enable()
    arm.act()
    arm.accepted(1)
    message = chunk_to_message(
        Action(FORWARD, arm.graph.peer.get_clock().now().nanoseconds), STEP, 'base_link'
    )
    arm.actions.publish(message)
    arm.accepted(2)
    arm.actions.publish(message)
    arm.graph.until(lambda: arm.count('out_of_order') == 1, 'the second copy is refused')


def test_a_message_that_holds_no_action_is_refused_as_malformed(arm):
    arm.enable()
    arm.actions.publish(JointTrajectory(joint_names=['elbow']))
    arm.graph.until(lambda: arm.count('malformed') == 1, 'the refusal is counted')
    assert arm.graph.errors == []


@pytest.mark.parametrize('end', ['stop', 'disable', 'deactivate', 'close'])
def test_zero_ends_the_motion_whoever_ends_it(graph, end):
    arm = Arm(graph, **{'limits.max_step': 2.0})
    arm.enable()
    arm.act(step=2.0)
    arm.accepted(1)
    arm.moving()
    begun_ns = to_ns(next(m for m in arm.twists if speed(m) > 0).header.stamp)
    if end == 'stop':
        assert arm.stop().message == 'stop_requested'
    elif end == 'disable':
        assert arm.enable(False).success
    elif end == 'deactivate':
        assert arm.graph.change_state(arm.node, 'deactivate')
    else:
        arm.node.close()
    arm.still()
    # Long before the action would have run out.
    assert to_ns(arm.twists[-1].header.stamp) - begun_ns < 1.5e9


def test_stop_mid_motion_stays_until_the_operator_enables_again(arm):
    arm.enable()
    arm.act(step=0.4)
    arm.accepted(1)
    arm.moving()
    arm.stop()
    arm.act()
    arm.graph.until(lambda: arm.count('not_enabled') == 1, 'the action is refused')
    arm.still()
    assert arm.node.health.standing()['stopped'] == 'stop_requested'
    assert arm.enable().message == 'enabled'
    arm.act()
    arm.accepted(2)
    arm.moving()
    assert 'stopped' not in arm.node.health.standing()


def test_deactivating_takes_the_enabling_back(arm):
    arm.enable()
    assert arm.graph.change_state(arm.node, 'deactivate')
    assert not arm.enable().success
    assert arm.graph.change_state(arm.node, 'activate')
    arm.act()
    arm.graph.until(lambda: arm.count('not_enabled') == 1, 'the action is refused')


def test_activating_again_sends_nothing_until_enabled(arm):
    arm.enable()
    arm.act(step=0.4)
    arm.moving()
    assert arm.graph.change_state(arm.node, 'deactivate')
    arm.still()
    number = len(arm.twists)
    assert arm.graph.change_state(arm.node, 'activate')
    # The stream's timer goes on meanwhile: each of these takes longer than its period.
    for refused in range(1, 6):
        arm.act()
        arm.graph.until(lambda n=refused: arm.count('not_enabled') == n, 'an action is refused')
    due = time.monotonic() + 3 * arm.node._guard.period_s
    arm.graph.until(lambda: time.monotonic() > due, 'the timer has come round')
    assert len(arm.twists) == number


def test_another_clock_in_mid_motion_stops_the_arm(arm):
    arm.enable()
    arm.act(step=0.4)
    arm.moving()
    assert arm.graph.set_parameters(arm.node, use_sim_time=True).successful
    arm.act()
    arm.graph.until(lambda: 'stopped' in arm.node.health.standing(), 'the arm is stopped')
    assert arm.node.health.standing()['stopped'] == 'clock_reset'
    arm.still()
    refused = arm.enable()
    assert not refused.success
    assert '/clock' in refused.message


def test_the_gripper_is_sent_on_change_only_with_hysteresis(graph):
    arm = Arm(graph, **{'gripper.min_dwell': 0.0})
    arm.enable()
    for number, gripper in enumerate([0.1, 0.0, 0.5, 0.9, 0.55, 1.0, 0.2]):
        arm.act([*FORWARD[:6], gripper])
        arm.accepted(number + 1)
    arm.graph.until(lambda: len(arm.gripper) >= 3, 'three changes')
    assert [m.data for m in arm.gripper] == [0.0, 1.0, 0.0]


def test_an_action_out_of_the_workspace_is_refused_and_without_a_pose_any(graph):
    arm = Arm(
        graph,
        **{
            'workspace.enabled': True,
            'workspace.min': [0.0, 0.0, 0.0],
            'workspace.max': [0.5, 0.5, 0.5],
        },
    )
    poses = graph.publisher(PoseStamped, 'ee_pose', qos.SENSOR)
    assert 'no_pose' in arm.enable().message
    pose = PoseStamped()
    pose.header.frame_id = 'base_link'
    pose.pose.position.x, pose.pose.position.y, pose.pose.position.z = 0.499, 0.2, 0.2
    taken = arm.node._guard

    def known():
        poses.publish(pose)
        graph.once()
        return not taken.drive.obstacles(arm.node.elapsed_ns())

    graph.until(known, 'the pose is known')
    assert arm.enable().success
    arm.act()
    graph.until(lambda: arm.count('workspace') == 1, 'the way out is refused')
    arm.act([-0.004, *FORWARD[1:]])
    arm.accepted(1)
    pose.header.stamp = from_ns(graph.peer.get_clock().now().nanoseconds - 10**9)
    graph.until(lambda: not known(), 'a pose with an old stamp counts as none')
    arm.act()
    graph.until(lambda: arm.count('no_pose') == 1, 'no action without a pose')


def test_unitless_commands_are_shares_of_the_scales(graph):
    arm = Arm(
        graph, **{'command_in_type': 'unitless', 'scale.linear': 1.0, 'scale.rotational': 4.0}
    )
    arm.enable()
    arm.act([0.02, 0, 0, 0, 0, 0.1, 0])
    arm.accepted(1)
    arm.moving()
    first = next(m for m in arm.twists if speed(m) > 0)
    assert 0 < first.twist.linear.x <= 0.02 / STEP
    # 0.02 m in shares of 1 m/s, beside 0.1 rad in shares of 4 rad/s.
    assert first.twist.linear.x / first.twist.angular.z == pytest.approx(0.02 / (0.1 / 4.0))
    result = graph.set_parameters(arm.node, **{'limits.linear_speed': 1.5})
    assert not result.successful
    assert 'scale.linear' in result.reason
    # Servo's units do not change while it runs, and ours not while the arm may move.
    result = graph.set_parameters(arm.node, command_in_type='speed_units')
    assert not result.successful
    assert 'clean the node up' in result.reason


def test_limits_change_live_and_what_does_not_fit_is_refused_with_a_reason(arm):
    arm.enable()
    assert arm.graph.set_parameters(arm.node, **{'limits.translation_step': 0.001}).successful
    arm.act()
    arm.graph.until(lambda: arm.count('translation_step') == 1, 'the new limit holds')
    result = arm.graph.set_parameters(arm.node, min_rate=90.0, max_rate=30.0)
    assert not result.successful
    assert '90' in result.reason


def test_the_stream_follows_the_rate_of_the_actions(graph):
    arm = Arm(graph, min_rate=20.0, max_rate=100.0, samples_per_action=4.0)
    arm.enable()
    due = time.monotonic()
    for _ in range(20):
        graph.until(lambda at=due: time.monotonic() >= at, 'the next step')
        arm.act()
        due += STEP
    arm.accepted(20)
    assert 60 < 1 / arm.node._guard.period_s <= 100
