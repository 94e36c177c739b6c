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

"""An operator, a scheduler and an arm around arm_command."""

import math

from geometry_msgs.msg import TwistStamped
from std_msgs.msg import Float64
from std_srvs.srv import SetBool, Trigger
from trajectory_msgs.msg import JointTrajectory

from vla_accel_ros.actions import Action
from vla_accel_ros.nodes.arm_command import ArmCommand
from vla_accel_ros.ros import qos
from vla_accel_ros.ros.messages import chunk_to_message

STEP = 0.05
FORWARD = [0.004, 0.0, -0.002, 0.0, 0.0, 0.01, 0.0]


class Arm:
    """Plays them to the node under test."""

    def __init__(self, graph, **parameters):
        self.graph = graph
        parameters.setdefault('workspace.enabled', False)
        self.node = graph.add(ArmCommand, **parameters)
        self.arrivals: list[tuple[float, TwistStamped]] = []
        self.actions = graph.publisher(JointTrajectory, 'vla/action', qos.CONTROL)
        self.twists = graph.listen(TwistStamped, 'servo_node/delta_twist_cmds', qos.REPORT)
        self.gripper = graph.listen(Float64, 'gripper_command', qos.REPORT)

    def enable(self, on=True):
        return self.graph.call(SetBool, 'arm_command/enable', SetBool.Request(data=on))

    def stop(self):
        return self.graph.call(Trigger, 'arm_command/stop', Trigger.Request())

    def act(self, values=FORWARD, age_s=0.0, step=STEP, frame='base_link'):
        stamp_ns = self.graph.peer.get_clock().now().nanoseconds - round(age_s * 1e9)
        self.actions.publish(chunk_to_message(Action(values, stamp_ns), step, frame))

    def count(self, name):
        return self.node.health.total(name)

    def accepted(self, number):
        self.graph.until(
            lambda: self.count('actions_accepted') >= number, f'{number} actions accepted'
        )

    def moving(self):
        self.graph.until(lambda: self.twists and speed(self.twists[-1]) > 0, 'the arm moves')

    def still(self):
        self.graph.until(lambda: self.twists and speed(self.twists[-1]) == 0, 'the arm is held')


def speed(message):
    a, b = message.twist.linear, message.twist.angular
    return math.hypot(a.x, a.y, a.z, b.x, b.y, b.z)
