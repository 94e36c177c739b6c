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

"""arm_command over DDS with joints: what reaches a controller's topic, and what does not."""

import json
import math
import time

from joint_robots import ALOHA, RANGE, SEVEN, SPEED, joints_of, row_of, urdf
import numpy as np
import pytest
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64, Float64MultiArray, String
from std_srvs.srv import SetBool, Trigger
from trajectory_msgs.msg import JointTrajectory

from vla_accel_ros.actions import Action
from vla_accel_ros.nodes.arm_command import ArmCommand
from vla_accel_ros.ros import qos
from vla_accel_ros.ros.messages import chunk_to_message, from_ns

STEP_S = 0.05
START = 0.1


class Robot:
    """A driver that tells joint states, a controller that hears commands, and a policy."""

    def __init__(self, graph, folder, space=SEVEN, command='joint_positions', **parameters):
        self.graph, self.space, self.names = graph, space, joints_of(space)
        file = folder / f'{space.name}.json'
        file.write_text(json.dumps(space.to_values()))
        self.node = graph.add(ArmCommand, command=command, action_space=str(file), **parameters)
        self.at, self.follows, self.tells = dict.fromkeys(self.names, START), True, True
        self.commands, self.told_s = [], 0.0
        kind, topic = (
            (JointTrajectory, 'joint_trajectory_controller/joint_trajectory')
            if command == 'joint_trajectory'
            else (Float64MultiArray, 'forward_position_controller/commands')
        )
        self.kept = graph.peer.create_subscription(kind, topic, self._on_command, qos.REPORT)
        self.states = graph.publisher(JointState, 'joint_states', qos.SENSOR)
        self.actions = graph.publisher(JointTrajectory, 'vla/action', qos.CONTROL)

    def describe(self, text=None):
        publisher = self.graph.publisher(String, 'robot_description', qos.LATCHED)
        publisher.publish(String(data=urdf(self.names) if text is None else text))

    def _on_command(self, message):
        rows = (
            [list(point.positions) for point in message.points]
            if hasattr(message, 'points')
            else [list(message.data)]
        )
        self.commands.append((time.monotonic(), rows, message))
        if self.follows:
            self.at.update(zip(self.names, rows[0], strict=True))

    def tell(self, **changed):
        # Not in the order of the action's columns, and with a joint that is nobody's business.
        at = {'wheel': 5.0, **dict(reversed(self.at.items())), **changed}
        message = JointState(name=list(at), position=list(at.values()))
        message.header.stamp = self.graph.peer.get_clock().now().to_msg()
        self.states.publish(message)
        self.told_s = time.monotonic()

    def until(self, holds, what):
        def driven():
            if self.tells and time.monotonic() - self.told_s > 0.01:
                self.tell()
            return holds()

        return self.graph.until(driven, what)

    def ready(self):
        self.until(lambda: not self.node._obstacles(), 'nothing stands against enabling')
        self.tell()
        return self.enable()

    def enable(self, on=True):
        return self.graph.call(SetBool, 'arm_command/enable', SetBool.Request(data=on))

    def act(self, joints, gripper=0.0, age_s=0.0):
        stamp_ns = self.graph.peer.get_clock().now().nanoseconds - round(age_s * 1e9)
        action = Action(row_of(self.space, joints, gripper), stamp_ns, space=self.space)
        self.actions.publish(chunk_to_message(action, STEP_S, 'base_link'))

    def count(self, name):
        return self.node.health.total(name)

    def moved(self):
        return self.commands and max(map(abs, np.array(self.commands[-1][1][0]) - START)) > 1e-4

    def standing(self):
        return self.node.health.standing().get('watchdog', '')

    def check(self):
        """Nothing that was ever sent is unsafe."""
        for _, rows, _ in self.commands:
            assert np.isfinite(rows).all()
            assert np.abs(rows).max() <= RANGE


def test_nothing_is_enabled_before_limits_and_joints_are_known_and_each_is_named(graph, tmp_path):
    robot = Robot(graph, tmp_path)
    answer = robot.enable()
    assert not answer.success
    assert 'no_joint_limits: neither the parameter nor the topic robot_desc' in answer.message
    assert 'joints_missing: no position of joint1, joint2' in answer.message
    robot.describe(urdf(robot.names[:6]))
    robot.until(
        lambda: 'joint7' in robot.node.health.standing().get('no_joint_limits', ''), 'it is named'
    )
    robot.describe()
    assert robot.ready().success
    # Taken over, a list of another length would take the limits away, and the arm with them.
    refused = graph.set_parameters(robot.node, **{'joints.velocity': [1.0, 1.0]})
    assert 'joints.velocity has 2 numbers, expected 1 or 7' in refused.reason
    robot.act(START + 0.02)
    robot.until(robot.moved, 'the arm moves')
    robot.check()


def test_actions_move_the_joints_and_the_watchdog_holds_what_is_measured(graph, tmp_path):
    robot = Robot(graph, tmp_path, robot_description=urdf(joints_of(SEVEN)))
    assert robot.ready().success
    assert robot.commands == []
    for k in range(1, 6):
        due = time.monotonic() + STEP_S
        robot.act(START + 0.02 * k)
        robot.until(lambda k=k: robot.count('actions_accepted') >= k, 'accepted')
        robot.until(lambda due=due: time.monotonic() >= due, 'the next step')
    accepted_s = time.monotonic()
    robot.follows = False
    robot.until(lambda: robot.standing() == 'no_action', 'the watchdog is named')
    measured = list(robot.at.values())
    held_s, rows, _ = robot.commands[-1]
    # The step's end, the bound of the hold, and a busy machine's delivery.
    assert held_s - accepted_s <= STEP_S + 0.1 + 0.1
    np.testing.assert_allclose(rows[0], measured, atol=SPEED * 0.05)
    robot.follows = True
    robot.act(np.array(list(robot.at.values())) + 0.01)
    robot.until(lambda: not robot.standing(), 'an action ends the hold')
    times = np.array([at for at, _, _ in robot.commands])
    path = np.array([rows[0] for _, rows, _ in robot.commands])
    # Of two commands one may have waited for the other on its way here.
    assert np.abs(np.diff(path, axis=0)).max() <= SPEED * max(np.diff(times).max(), 0.05)
    robot.check()


@pytest.mark.parametrize(
    ('reason', 'joints', 'age_s'),
    [
        ('jump', 1.3, 0.0),
        ('joint_position', 9.0, 0.0),
        ('nan_or_inf', math.nan, 0.0),
        ('stale', START, 2.0),
        ('from_the_future', START, -2.0),
    ],
)
def test_a_bad_action_is_refused_by_name_and_nothing_is_sent(
    graph, tmp_path, reason, joints, age_s
):
    robot = Robot(graph, tmp_path, robot_description=urdf(joints_of(SEVEN)))
    robot.ready()
    robot.act(joints, age_s=age_s)
    robot.until(lambda: robot.count(reason) == 1, f'{reason} is counted')
    assert robot.commands == []
    figures = {v.key: v.value for v in robot.node.health.status('arm_command', 'active').values}
    if reason == 'jump':
        told = (
            'jump: joint1 is measured at 0.1 rad and the action says 1.3: 1.2 apart, at most 0.3'
        )
        assert figures['last_refusal'] == told
    robot.act(START + 0.01)
    robot.until(robot.moved, 'a good action moves the arm')
    robot.check()


def test_joint_states_that_stop_end_the_motion_and_their_return_lets_it_go_on(graph, tmp_path):
    robot = Robot(graph, tmp_path, robot_description=urdf(joints_of(SEVEN)))
    robot.ready()

    def act_on():
        robot.act(np.array(list(robot.at.values())) + 0.01)
        return robot.standing() == 'joints_stale' or robot.count('joints_stale')

    robot.act(START + 0.01)
    robot.until(robot.moved, 'the arm moves')
    robot.tells = False
    robot.until(act_on, 'the stale joints are named')
    robot.tells = True
    robot.until(
        lambda: (
            (robot.act(np.array(list(robot.at.values())) + 0.005), not robot.standing())[1]
            and robot.moved()
        ),
        'the arm moves again without a restart',
    )
    robot.check()


@pytest.mark.parametrize('times', [True, False])
def test_two_arms_get_one_trajectory_and_a_gripper_each(graph, tmp_path, times):
    robot = Robot(
        graph,
        tmp_path,
        ALOHA,
        'joint_trajectory',
        robot_description=urdf(joints_of(ALOHA)),
        **{'joints.times': times},
    )
    right = graph.listen(Float64, 'right_gripper_command', qos.REPORT)
    left = graph.listen(Float64, 'left_gripper_command', qos.REPORT)
    robot.ready()
    robot.act([START + 0.02] * 6 + [START - 0.02] * 6, gripper=[0.0, 1.0])
    robot.until(lambda: robot.moved() and left and right, 'both arms are commanded')
    assert (left[0].data, right[0].data) == (0.0, 1.0)
    message = robot.commands[0][2]
    assert message.joint_names == joints_of(ALOHA)
    assert message.header.stamp == from_ns(0)
    after = [point.time_from_start.nanosec for point in message.points]
    assert (len(after) == 1 and after[0] > 0) if times else (len(after) > 1 and not any(after))
    assert graph.call(Trigger, 'arm_command/stop', Trigger.Request()).success
    robot.act([START] * 12)
    robot.until(lambda: robot.count('not_enabled'), 'the stopped arm takes nothing')
    robot.check()
