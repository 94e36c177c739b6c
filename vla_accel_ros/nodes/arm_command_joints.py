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

"""Joint positions to a controller of ros2_control, checked against the robot's joint states."""

from __future__ import annotations

from builtin_interfaces.msg import Duration
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray, String
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from vla_accel_ros.nodes.arm_command_kind import TOPICS, TRAJECTORY, space_of
from vla_accel_ros.ros import qos
from vla_accel_ros.ros.messages import NS, to_ns
from vla_accel_ros.safety.arm_guard import Command
from vla_accel_ros.safety.drive import Values
from vla_accel_ros.safety.joint_drive import JointDrive


class Joints:
    """The kinds of command that joint_trajectory_controller and forward_command_controller take.

    A trajectory is sent anew at each tick: the position of the next tick, and with
    `joints.times` off what follows it, all without times, for `positions_upsampling`. It has no
    stamp, which means now.

    Args:
        node: The `base.Node` that commands the arm.
    """

    counted = 'joint_commands'

    def __init__(self, node) -> None:
        self._node, settings = node, node.settings
        self.drive = JointDrive(space_of(settings))
        self._trajectory = settings['command'] == TRAJECTORY
        kind = JointTrajectory if self._trajectory else Float64MultiArray
        self.publisher = node.advertise(kind, TOPICS[settings['command']], qos.CONTROL)
        # Also before the node is active: what is missing is told when the arm is to be enabled.
        node.subscribe(JointState, 'joint_states', self._on_joints, qos.SENSOR, always=True)
        if settings['robot_description']:
            self._describe(settings['robot_description'])
        else:
            node.subscribe(
                String, 'robot_description', self._on_description, qos.LATCHED, always=True
            )

    def send(self, command: Command, period_s: float) -> None:
        """Publish joint positions; nothing where the command has none."""
        if not command.values:
            return
        if not self._trajectory:
            self.publisher.publish(Float64MultiArray(data=command.values))
            return
        timed = self._node.settings['joints.times']
        rows = [command.values]
        if not timed and command.moving:
            rows += self.drive.ahead(period_s)
        message = JointTrajectory(joint_names=self.drive.names)
        message.points = [_point(row, period_s if timed else 0.0) for row in rows]
        self.publisher.publish(message)

    def enabled(self) -> None:
        """Do nothing: which controller runs is the robot's business."""

    def close(self) -> None:
        """Do nothing: the node owns every topic."""

    def _on_joints(self, message: JointState) -> None:
        node, stamp_ns = self._node, to_ns(message.header.stamp)
        # Of a state without a stamp only the arrival is known.
        age_s = (node.now_ns() - stamp_ns) / NS if stamp_ns else 0.0
        wrong = self.drive.update_joints(message.name, message.position, node.elapsed_ns(), age_s)
        if wrong:
            node.health.event('joint_states_refused', wrong)

    def _on_description(self, message: String) -> None:
        self._describe(message.data)

    def _describe(self, text: str) -> None:
        health, wrong = self._node.health, self.drive.describe(text)
        if not wrong:
            health.clear('no_joint_limits')
            health.figure('joints', '; '.join(map(_told, self.drive.limits)))
        elif health.fault('no_joint_limits', wrong, renew=True):
            self._node.get_logger().error(f'no_joint_limits: {wrong}')


def _point(row: Values, after_s: float) -> JointTrajectoryPoint:
    sec, nanosec = divmod(round(after_s * NS), NS)
    return JointTrajectoryPoint(positions=row, time_from_start=Duration(sec=sec, nanosec=nanosec))


def _told(limit) -> str:
    return (
        f'{limit.name} {limit.lower:.4g} to {limit.upper:.4g} {limit.unit}, '
        f'{limit.velocity:.4g} {limit.unit}/s'
    )
