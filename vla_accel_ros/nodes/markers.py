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

"""markers: what RViz can draw of decisions, speed, latency and limits. It only looks on.

It hears with best effort, so that nobody waits for it, and not the topics that move the arm, whose
listeners arm_command counts. It has no service beside a node's own, and calls none.
"""

from __future__ import annotations

from collections.abc import Mapping
import os
import sys
import time

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import Point as PointMessage
from geometry_msgs.msg import PoseStamped, Vector3
from rclpy.duration import Duration
from sensor_msgs.msg import JointState
from std_msgs.msg import ColorRGBA
from trajectory_msgs.msg import JointTrajectory
from visualization_msgs.msg import Marker, MarkerArray

from vla_accel_ros.nodes.markers_heard import Heard
from vla_accel_ros.nodes.markers_settings import SETTINGS
from vla_accel_ros.nodes.markers_shapes import NAMES, Shape, shapes
from vla_accel_ros.ros import base, qos
from vla_accel_ros.ros.common_options import FRAME_ID
from vla_accel_ros.ros.diagnostics import HARDWARE_ID
from vla_accel_ros.ros.facts import TOPIC, message_to_facts
from vla_accel_ros.ros.messages import message_step, message_to_action, message_to_decision
from vla_accel_ros.ros.parameter_check import full_name
from vla_accel_ros.safety.stream import LINEAR

KINDS = {'text': Marker.TEXT_VIEW_FACING, 'arrow': Marker.ARROW, 'lines': Marker.LINE_LIST}
# Of an arrow shaft and head, of lines their width, m.
ARROW = Vector3(x=0.01, y=0.02, z=0.03)
LINES = Vector3(x=0.004)
# What is not drawn anew goes away, as when this process ends.
LIFETIME = Duration(seconds=3.0).to_msg()
# How far its process stands back behind all others that want the processor.
NICE = 10


class Markers(base.Node):
    """Publishes `vla/markers`, made of what the other nodes tell."""

    NAME = 'markers'
    SETTINGS = SETTINGS

    def configure(self) -> None:
        """Begin to listen."""
        self._heard = Heard(full_name('arm_command', self.get_namespace()), FRAME_ID.default)
        self._publisher = self.advertise(MarkerArray, 'vla/markers', qos.CONTROL)
        self.subscribe(DiagnosticStatus, 'vla/decision', self._on_decision, qos.WATCHED)
        self.subscribe(DiagnosticStatus, TOPIC, self._on_facts, qos.WATCHED)
        self.subscribe(DiagnosticArray, '/diagnostics', self._on_diagnostics, qos.WATCHED)
        self.subscribe(JointTrajectory, 'vla/action', self._on_action, qos.SENSOR)
        self.subscribe(PoseStamped, 'ee_pose', self._on_pose, qos.SENSOR)
        self.subscribe(JointState, 'joint_states', self._on_joints, qos.SENSOR)
        self.every(1 / self.settings['rate'], self._draw)

    def _on_decision(self, message: DiagnosticStatus) -> None:
        self._heard.decision(message_to_decision(message), time.monotonic())

    def _on_facts(self, message: DiagnosticStatus) -> None:
        facts = message_to_facts(message).arm
        if facts is not None:
            self._heard.arm(facts, time.monotonic())

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.hardware_id == HARDWARE_ID:
                values = {each.key: each.value for each in status.values}
                self._heard.report(status.name, values, time.monotonic())

    def _on_action(self, message: JointTrajectory) -> None:
        now = time.monotonic()
        if self._heard.takes_displacements(now):
            action = message_to_action(message)
            self._heard.velocity(action.values[LINEAR].tolist(), message_step(message), now)

    def _on_pose(self, message: PoseStamped) -> None:
        at = message.pose.position
        self._heard.pose(message.header.frame_id, (at.x, at.y, at.z), time.monotonic())

    def _on_joints(self, message: JointState) -> None:
        self._heard.joints(message.name, message.position, time.monotonic())

    def _draw(self) -> None:
        if not self.active or not self._publisher.get_subscription_count():
            return
        scene = self._heard.scene(time.monotonic())
        drawn = shapes(scene, self.settings['arrow_seconds'])
        self._publisher.publish(to_message(drawn, scene.frame_id, self.settings))
        self.health.count('published')


def to_message(drawn: tuple[Shape, ...], frame_id: str, settings: Mapping) -> MarkerArray:
    """Write shapes; of those that are not there the last one is taken away.

    Args:
        drawn: At most one of a name.
        frame_id: Frame of their points.
        settings: The node's parameters.
    """
    markers = [_marker(shape, settings) for shape in drawn]
    gone = set(NAMES) - {shape.name for shape in drawn}
    markers += [Marker(ns=name, action=Marker.DELETE) for name in sorted(gone)]
    for marker in markers:
        # Without a stamp: RViz takes the newest transform, and waits for none.
        marker.header.frame_id = frame_id
    return MarkerArray(markers=markers)


def _marker(shape: Shape, settings: Mapping) -> Marker:
    red, green, blue, opacity = shape.colour
    marker = Marker(
        ns=shape.name,
        type=KINDS[shape.kind],
        action=Marker.ADD,
        color=ColorRGBA(r=red, g=green, b=blue, a=opacity),
        lifetime=LIFETIME,
        text=shape.text,
    )
    marker.pose.orientation.w = 1.0
    points = [PointMessage(x=x, y=y, z=z) for x, y, z in shape.points]
    if shape.kind == 'text':
        marker.pose.position = points[0]
        marker.scale = Vector3(z=settings['text_height'])
    else:
        marker.points = points
        marker.scale = ARROW if shape.kind == 'arrow' else LINES
    return marker


def main(argv: list[str] | None = None) -> int:
    """Run the node as a process that gives way to all others."""
    os.nice(NICE)
    return base.run(Markers, argv)


if __name__ == '__main__':
    sys.exit(main())
