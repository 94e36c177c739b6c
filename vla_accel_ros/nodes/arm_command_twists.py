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

"""Twists to MoveIt Servo, and the tool pose that keeps them inside the box."""

from __future__ import annotations

from geometry_msgs.msg import PoseStamped, TwistStamped

from vla_accel_ros.nodes.arm_command_kind import TOPICS, TWIST
from vla_accel_ros.nodes.arm_command_servo import ServoSwitch
from vla_accel_ros.ros import publishers, qos
from vla_accel_ros.ros.messages import NS, to_ns
from vla_accel_ros.safety.arm_guard import Command
from vla_accel_ros.safety.stream import ANGULAR, LINEAR
from vla_accel_ros.safety.tool_drive import ToolDrive


class Twists:
    """The kind of command that MoveIt Servo takes.

    Args:
        node: The `base.Node` that commands the arm.
    """

    counted = 'twists'

    def __init__(self, node) -> None:
        self._node = node
        self.drive = ToolDrive()
        self.publisher = node.advertise(TwistStamped, TOPICS[TWIST], qos.CONTROL)
        self._poses = node.subscribe(PoseStamped, 'ee_pose', self._on_pose, qos.SENSOR)
        self._servo = ServoSwitch(node)

    def send(self, command: Command, period_s: float) -> None:
        """Publish a twist."""
        settings = self._node.settings
        linear, angular = command.values[LINEAR], command.values[ANGULAR]
        if settings['command_in_type'] == 'unitless':
            linear = [value / settings['scale.linear'] for value in linear]
            angular = [value / settings['scale.rotational'] for value in angular]
        message = TwistStamped()
        message.header.stamp = self._node.get_clock().now().to_msg()
        message.header.frame_id = settings['frame_id']
        out = message.twist
        out.linear.x, out.linear.y, out.linear.z = linear
        out.angular.x, out.angular.y, out.angular.z = angular
        self.publisher.publish(message)

    def enabled(self) -> None:
        """Have Servo take twists."""
        self._servo.ask()

    def close(self) -> None:
        """Let go of the client of MoveIt Servo."""
        self._servo.close()

    def _on_pose(self, message: PoseStamped) -> None:
        node = self._node
        frame, point = message.header.frame_id, message.pose.position
        if frame and frame != node.settings['frame_id']:
            node.health.event(
                'pose_wrong_frame', f'{frame!r}, expected {node.settings["frame_id"]!r}'
            )
            return
        if several := publishers.several(node, self._poses):
            node.health.event('pose_of_several', several)
            return
        stamp_ns = to_ns(message.header.stamp)
        # Of a pose without a stamp only the arrival is known.
        age_s = max(node.now_ns() - stamp_ns, 0) / NS if stamp_ns else 0.0
        if not self.drive.update_pose((point.x, point.y, point.z), node.elapsed_ns(), age_s):
            node.health.event('pose_not_finite', f'x {point.x}, y {point.y}, z {point.z} m')
