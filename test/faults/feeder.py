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

"""Who feeds arm_command when no policy does: actions and tool poses, good and bad."""

from collections.abc import Callable, Iterator
import math

from arm_recorder import NS
from geometry_msgs.msg import PoseStamped
from trajectory_msgs.msg import JointTrajectory

from vla_accel_ros.actions import Action
from vla_accel_ros.ros import qos
from vla_accel_ros.ros.messages import chunk_to_message, from_ns

PERIOD_S = 0.05
# Actions last longer than the time between two, so that no stall of this process is a gap.
STEP_S = 0.25
FORWARD = (0.003, 0.001, -0.002, 0.0, 0.0, 0.01, 0.0)
NAN, HUGE = (math.nan, *FORWARD[1:]), (5.0, *FORWARD[1:])


class Feeder:
    """Publishes an action and the tool's pose each 50 ms, by a timer of the rig's peer.

    Attributes:
        flowing: Whether actions are published.
        values: What they say.
        age_s: How old their stamps are.
        position: Where the tool is said to be, m; None says nothing.
        between: Makes the messages that are sent between any two others.
        sent_between: How many have been.
        good_ns: When the last good one was sent.
    """

    def __init__(self, rig) -> None:
        self._rig = rig
        self._actions = rig.publisher(JointTrajectory, 'vla/action', qos.CONTROL, partners=2)
        self._poses = rig.publisher(PoseStamped, 'ee_pose', qos.SENSOR)
        self.good_ns = 0
        self.reset()
        rig.peer.create_timer(PERIOD_S, self._on_timer)

    def reset(self) -> None:
        """Feed good actions."""
        self.flowing, self.values, self.age_s = True, FORWARD, 0.0
        self.position = (0.5, 0.0, 0.3)
        self.between: Iterator[Callable[[], JointTrajectory]] | None = None
        self.sent_between, self._turn = 0, False

    def cease(self) -> int:
        """Send nothing more and return the horizon of the last good action."""
        self.flowing = False
        return self.horizon_ns

    @property
    def horizon_ns(self) -> int:
        """End of the last good action."""
        return self.good_ns + round(STEP_S * NS)

    def action(
        self, values=FORWARD, age_s: float = 0.0, step_s: float = STEP_S, frame: str = 'base_link'
    ) -> JointTrajectory:
        """Make a message of an action."""
        stamp_ns = self._rig.now_ns() - round(age_s * NS)
        return chunk_to_message(Action(values, stamp_ns), step_s, frame)

    def send(self, message: JointTrajectory) -> None:
        """Publish it, whatever it says."""
        self._actions.publish(message)

    def feed(self) -> None:
        """Publish the pose, and an action if they flow."""
        if self.position is not None:
            pose = PoseStamped()
            pose.header.stamp = from_ns(self._rig.now_ns())
            pose.header.frame_id = 'base_link'
            point = pose.pose.position
            point.x, point.y, point.z = self.position
            self._poses.publish(pose)
        self._turn = not self._turn
        if self._turn and self.between is not None:
            self.send(next(self.between)())
            self.sent_between += 1
        elif self.flowing:
            self.send(self.action(self.values, self.age_s))
            if self.values == FORWARD and self.age_s == 0:
                self.good_ns = self._rig.now_ns()

    def _on_timer(self) -> None:
        self.feed()
