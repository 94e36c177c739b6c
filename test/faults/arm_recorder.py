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

"""The witness at the arm's topics: it judges every message of a whole test."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
import math
import time

from geometry_msgs.msg import TwistStamped
from permits import Permits
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from std_msgs.msg import Float64
from trajectory_msgs.msg import JointTrajectory

from vla_accel_ros.ros.messages import to_ns
from vla_accel_ros.safety.limits import ROUNDING, Limits

NS = 1_000_000_000
LIMITS = Limits()
# What the watchdog promises: zero so long after the last valid action's horizon.
IN_TIME_S = 0.1
# From a publisher to arm_command and back to the witness on a machine with other things to do.
# The horizon counts from when the action came; the witness only knows when it was sent.
DELIVERY_S = 0.05
# The slowest stream has a twist each 50 ms. What a gap has beyond it, the machine did not give
# to the process, whose lateness then says nothing; more than this is not put down to it.
SLOWEST_S, EXCUSE_S = 0.05, 0.5
# A busy machine delivers late, but not always; so the youngest stamp of a test is younger than
# the first when stamps are made as messages are sent. None may be older than the second.
YOUNGEST_S, AGE_S = 0.03, 0.5
# When this process was elsewhere for longer than the first, messages have waited for it; what is
# longer ago than the second no longer matters.
AWAY_S, CATCH_UP_S = 0.1, 2.0
# Gripper commands carry no stamp: one may be this long on its way.
UNDER_WAY_NS = NS // 2

EVERY_ONE = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=2000, reliability=ReliabilityPolicy.RELIABLE
)


@dataclass(frozen=True)
class Twist:
    """A twist as it was sent: linear m/s, angular rad/s, [6]."""

    stamp_ns: int
    received_ns: int
    values: tuple[float, ...]

    @property
    def moving(self) -> bool:
        return any(self.values)


class ArmRecorder(Permits):
    """Hears everything that is sent to the arm, and notes whatever is not safe.

    Args:
        node: Listens.
        now_ns: The clock that the stamps are of.
        increasing: Whether no two stamps are the same; those of a simulated clock may be.

    Attributes:
        twists: All that were heard.
        actions: When each came, its stamp and its step in s.
        last_motion_ns: Stamp of the last twist that moves the arm, 0 before the first.
        unsafe: What was not safe since the last `verify`.
        held_s: How long after the horizon of the last valid action zero came, one a rest.
    """

    def __init__(self, node, now_ns: Callable[[], int], increasing: bool = True) -> None:
        super().__init__(now_ns)
        self._least_ns = int(increasing)
        self._judged, self._was_set_back = 0, False
        self.twists: list[Twist] = []
        self.actions: list[tuple[int, int, float]] = []
        self.unsafe: list[str] = []
        self.held_s: list[float] = []
        self.last_motion_ns = 0
        self._strangers_ns: list[int] = []
        self._deaf: list[tuple[int, int]] = []
        self._away: deque[tuple[float, float]] = deque(maxlen=20)
        self._listened_s = time.monotonic()
        for kind, topic, callback in (
            (TwistStamped, 'servo_node/delta_twist_cmds', self._on_twist),
            (Float64, 'gripper_command', self._on_gripper),
            (JointTrajectory, 'vla/action', self._on_action),
        ):
            node.create_subscription(kind, topic, callback, EVERY_ONE)

    def listening(self) -> None:
        """Take note that the callbacks had their turn: for what the test itself held up."""
        now_s = time.monotonic()
        if now_s - self._listened_s > AWAY_S:
            self._away.append((now_s, now_s - self._listened_s))
        self._listened_s = now_s

    def set_back(self) -> None:
        """Begin anew, for the clock is about to be set back; the arm is not enabled."""
        self.verify()
        self._judged, self._was_set_back, self.last_motion_ns = 0, True, 0
        for heard in (self._permits, self.twists, self.actions):
            heard.clear()

    def stranger(self) -> None:
        """Take note that a new process sends actions: the arm may hear it before the witness."""
        self._strangers_ns.append(self._now_ns())

    @property
    def resting(self) -> bool:
        """Whether the last twist does not move the arm."""
        return bool(self.twists) and not self.twists[-1].moving

    def moves_after(self, stamp_ns: int) -> int:
        """Count the twists since then that move the arm."""
        count = 0
        for twist in reversed(self.twists):
            if twist.stamp_ns <= stamp_ns:
                break
            count += twist.moving
        return count

    def late_s(self, horizon_ns: int) -> float:
        """Return by how much the zero after the last motion missed its time; 0 when in time.

        Decided by stamps alone, less what the process was not run.
        """
        last = max(i for i, t in enumerate(self.twists) if t.moving)
        assert last + 1 < len(self.twists), 'no zero follows the last motion'
        before, zero = self.twists[last].stamp_ns, self.twists[last + 1].stamp_ns
        excuse = min(max((zero - before) / NS - SLOWEST_S, 0.0), EXCUSE_S)
        self.held_s.append((zero - horizon_ns) / NS)
        return max(0.0, self.held_s[-1] - IN_TIME_S - DELIVERY_S - excuse)

    def verify(self) -> None:
        """Assert that every message since the last call was safe."""
        twists, self._judged = self.twists[self._judged :], len(self.twists)
        captures = sorted(stamp for _, stamp, _ in self.actions)
        longest = max((step for *_, step in self.actions), default=0.0)
        covered_ns = round((LIMITS.max_age_s + longest + IN_TIME_S) * NS)
        at = 0
        for twist in twists:
            while at < len(captures) and captures[at] <= twist.stamp_ns:
                at += 1
            covered = at and twist.stamp_ns - captures[at - 1] <= covered_ns
            deaf = any(begin <= twist.stamp_ns <= end for begin, end in self._deaf)
            if twist.moving and not (covered or deaf):
                self.unsafe.append(f'no action is behind {twist}')
        youngest_s = min(((t.received_ns - t.stamp_ns) / NS for t in twists), default=0.0)
        if youngest_s > YOUNGEST_S:
            self.unsafe.append(f'the youngest stamp is {youngest_s:.3f} s old')
        unsafe, self.unsafe = self.unsafe, []
        assert not unsafe, '\n'.join([f'{len(unsafe)} unsafe messages', *unsafe[:5]])

    def _permitted(self, stamp_ns: int, slack_ns: int = 0) -> bool:
        return any(begin <= stamp_ns <= end + slack_ns for begin, end in self._permits)

    def _on_action(self, message: JointTrajectory) -> None:
        while self._strangers_ns:
            self._deaf.append((self._strangers_ns.pop(), self._now_ns()))
        if message.points:
            self.actions.append(
                (
                    self._now_ns(),
                    to_ns(message.header.stamp),
                    to_ns(message.points[0].time_from_start) / NS,
                )
            )

    def _on_twist(self, message: TwistStamped) -> None:
        linear, angular = message.twist.linear, message.twist.angular
        twist = Twist(
            to_ns(message.header.stamp),
            self._now_ns(),
            (linear.x, linear.y, linear.z, angular.x, angular.y, angular.z),
        )
        if self._was_set_back and twist.stamp_ns > twist.received_ns:
            # It was under way when the clock was set back.
            return
        # NaN fails every comparison, so each is of what has to hold.
        age_s = (twist.received_ns - twist.stamp_ns) / NS
        now_s = time.monotonic()
        away_s = (
            now_s
            - self._listened_s
            + sum(span_s for at_s, span_s in self._away if now_s - at_s < CATCH_UP_S)
        )
        for holds, what in (
            (all(map(math.isfinite, twist.values)), 'not finite'),
            (math.hypot(*twist.values[:3]) <= LIMITS.linear_speed * ROUNDING, 'too fast'),
            (math.hypot(*twist.values[3:]) <= LIMITS.angular_speed * ROUNDING, 'too fast'),
            (message.header.frame_id == 'base_link', 'in another frame'),
            (
                not self.twists or twist.stamp_ns >= self.twists[-1].stamp_ns + self._least_ns,
                'out of order',
            ),
            (0 <= age_s <= AGE_S + away_s, 'not stamped when it was sent'),
            (not twist.moving or self._permitted(twist.stamp_ns), 'not enabled'),
        ):
            if not holds:
                self.unsafe.append(f'{what}: {twist}')
        self.twists.append(twist)
        if twist.moving:
            self.last_motion_ns = twist.stamp_ns

    def _on_gripper(self, message: Float64) -> None:
        if message.data not in (0.0, 1.0):
            self.unsafe.append(f'gripper at {message.data}')
        if not self._permitted(self._now_ns(), UNDER_WAY_NS):
            self.unsafe.append('gripper: not enabled')
