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

"""Two arms that follow a trajectory controller's topic, their driver, and a policy beside them."""

from collections.abc import Callable, Iterator

from arm_recorder import NS
from joint_recorder import TOPIC
from joint_robots import ALOHA, joints_of, row_of, urdf
import numpy as np
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from trajectory_msgs.msg import JointTrajectory

from vla_accel_ros.actions import Action
from vla_accel_ros.ros import qos
from vla_accel_ros.ros.messages import chunk_to_message, from_ns

NAMES = joints_of(ALOHA)
PERIOD_S, STATE_S = 0.05, 0.01
# Actions last longer than the time between two, so that no stall of this process is a gap.
STEP_S = 0.25
# rad: of an action, where the way turns, and how far the policy may be ahead of the arm.
PACE, TURN, AHEAD = 0.01, 0.5, 0.15
# The right arm does not do what the left one does.
WAY = np.array([1.0] * 6 + [-0.5] * 6)


class JointFeeder:
    """Publishes an action each 50 ms and joint states each 10 ms, by timers of the rig's peer.

    Attributes:
        flowing: Whether actions are published.
        spoil: Changes the joints of an action, [12] rad.
        age_s: How old the actions' stamps are.
        telling: Whether joint states are published.
        state: Changes a joint state's message before it is sent.
        pushed: What moves the arms between two states in the place of what is sent, rad; None
            where nothing does.
        between: Makes the messages that are sent between any two others.
        sent_between: How many have been.
        good_ns: When the last good action was sent.
        state_ns: When the last good state was sent.
    """

    def __init__(self, rig) -> None:
        self._rig, self.at = rig, np.zeros(len(NAMES))
        self._to, self._pace = self.at, PACE
        self._actions = rig.publisher(JointTrajectory, 'vla/action', qos.CONTROL, partners=2)
        self._states = rig.publisher(JointState, 'joint_states', qos.SENSOR)
        self._description = rig.publisher(String, 'robot_description', qos.LATCHED)
        self.describe()
        rig.peer.create_subscription(JointTrajectory, TOPIC, self._on_command, qos.CONTROL)
        self.good_ns = self.state_ns = 0
        self.reset()
        rig.peer.create_timer(PERIOD_S, self._on_action)
        rig.peer.create_timer(STATE_S, self._on_state)

    def describe(self, names=NAMES) -> None:
        """Publish a description with such joints."""
        self._description.publish(String(data=urdf(names)))

    def reset(self) -> None:
        """Feed good actions and states."""
        self.flowing = self.telling = True
        self.pushed: float | None = None
        self.spoil: Callable | None = None
        self.state: Callable | None = None
        self.age_s, self._goal = 0.0, float(self.at[0])
        self.between: Iterator[Callable[[], JointTrajectory]] | None = None
        self.sent_between, self._turn = 0, False

    def cease(self) -> int:
        """Send no more actions and return the horizon of the last good one."""
        self.flowing = False
        return self.horizon_ns

    @property
    def horizon_ns(self) -> int:
        """End of the last good action."""
        return self.good_ns + round(STEP_S * NS)

    def action(
        self, joints=None, gripper=0.0, age_s=0.0, step_s=STEP_S, frame='base_link', further=0.0
    ) -> JointTrajectory:
        """Make a message of an action."""
        joints = self._goal * WAY + further if joints is None else joints
        stamp_ns = self._rig.now_ns() - round(age_s * NS)
        values = row_of(ALOHA, joints, gripper)
        return chunk_to_message(Action(values, stamp_ns, space=ALOHA), step_s, frame)

    def message(self, positions) -> JointState:
        """Make a joint state, not in the columns' order and with a joint that is nobody's."""
        at = {'wheel': 5.0, **dict(reversed(list(zip(NAMES, map(float, positions), strict=True))))}
        message = JointState(name=list(at), position=list(at.values()))
        message.header.stamp = from_ns(self._rig.now_ns())
        return message

    def _on_action(self) -> None:
        self._turn = not self._turn
        if self._turn and self.between is not None:
            self._actions.publish(next(self.between)())
            self.sent_between += 1
        elif self.flowing:
            # As a policy does, it begins from where the arm is once that is elsewhere.
            if abs(self._goal - self.at[0]) > AHEAD:
                self._goal = float(self.at[0])
            if abs(self._goal) > TURN:
                self._pace = -PACE if self._goal > 0 else PACE
            self._goal += self._pace
            joints = self._goal * WAY
            if self.spoil is None and self.age_s == 0:
                self.good_ns = self._rig.now_ns()
            self._actions.publish(
                self.action(joints if self.spoil is None else self.spoil(joints), age_s=self.age_s)
            )

    def _on_state(self) -> None:
        way = 0.3 * (self._to - self.at) if self.pushed is None else self.pushed * WAY
        self.at = self.at + way
        if not self.telling:
            return
        message = self.message(self.at)
        self._rig.recorder.tell(tuple(map(float, self.at)))
        if self.state is not None:
            self.state(message)
        else:
            self.state_ns = self._rig.now_ns()
        self._states.publish(message)

    def _on_command(self, message: JointTrajectory) -> None:
        self._to = np.array(message.points[0].positions)
