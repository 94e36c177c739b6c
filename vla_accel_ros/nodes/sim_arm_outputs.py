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

"""What the simulated arm shows: images, proprioception, the tools' poses, the clock."""

from __future__ import annotations

from geometry_msgs.msg import PoseStamped
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import String

from vla_accel_ros.nodes.sim_arm_robots import Robot
from vla_accel_ros.ros import qos
from vla_accel_ros.ros.images import array_to_image
from vla_accel_ros.ros.messages import from_ns
from vla_accel_ros.sim.rotations import quaternion


class Outputs:
    """The publishers of the simulated arm.

    `proprio` names its values: the joints, then what the simulation's `proprio` gives, so that a
    checkpoint's proprioception is picked by name. `~/state` is the whole physics (MuJoCo's
    integration state), for whoever wants to render the scene at leisure; no robot has it.

    Args:
        node: The `base.Node` that owns the publishers.
        robot: What is shown.
        stepped: Whether the arm's time drives `/clock`.
    """

    def __init__(self, node, robot: Robot, stepped: bool) -> None:
        self._robot, self._env, self._settings = robot, robot.env, node.settings
        self._images = {
            name: node.advertise(Image, topic, qos.SENSOR) for name, topic in robot.cameras.items()
        }
        self._state = node.advertise(JointState, '~/state', qos.SENSOR)
        self._proprio = node.advertise(JointState, 'proprio', qos.SENSOR)
        self._joints = node.advertise(JointState, 'joint_states', qos.SENSOR)
        self._description = node.advertise(String, 'robot_description', qos.LATCHED)
        self._poses = [node.advertise(PoseStamped, name, qos.SENSOR) for name in robot.poses]
        self._clock = node.advertise(Clock, '/clock', qos.SENSOR) if stepped else None

    def describe(self) -> None:
        """Publish the robot's description, which stays for whoever comes later."""
        self._description.publish(String(data=self._robot.describe()))

    def show(self, stamp_ns: int) -> None:
        """Publish the state of this instant under its stamp; rendering comes after."""
        stamp = from_ns(stamp_ns)
        if self._clock is not None:
            self._clock.publish(Clock(clock=stamp))
        for publisher, pose in zip(self._poses, self._env.ee_poses(), strict=True):
            publisher.publish(self._pose_message(stamp, *pose))
        state = JointState(name=[*self._robot.states, *self._robot.proprio])
        state.header.stamp = stamp
        state.position = [*self._env.joint_positions(), *map(float, self._env.proprio())]
        self._proprio.publish(state)
        joints = JointState(header=state.header, name=self._robot.states)
        joints.position = state.position[: len(joints.name)]
        self._joints.publish(joints)
        for name, publisher in self._images.items():
            publisher.publish(array_to_image(self._env.render_camera(name), stamp_ns, name))
        if self._state.get_subscription_count() > 0:
            whole = JointState(position=self._env.physics().tolist())
            whole.header.stamp = stamp
            self._state.publish(whole)

    def _pose_message(self, stamp, position, rotation) -> PoseStamped:
        message = PoseStamped()
        message.header.stamp, message.header.frame_id = stamp, self._settings['frame_id']
        point, turn = message.pose.position, message.pose.orientation
        point.x, point.y, point.z = map(float, position)
        turn.x, turn.y, turn.z, turn.w = quaternion(rotation)
        return message
