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

"""The witness at the topic of a joint trajectory controller: it judges every message of a test."""

from collections import deque
from collections.abc import Callable
import math

from arm_recorder import DELIVERY_S, EVERY_ONE, IN_TIME_S, NS
from joint_robots import ALOHA, RANGE, SPEED, joints_of
from permits import Permits
from std_msgs.msg import Float64
from trajectory_msgs.msg import JointTrajectory

from vla_accel_ros.nodes.arm_command_kind import TOPICS, TRAJECTORY, gripper_topics
from vla_accel_ros.ros.messages import to_ns
from vla_accel_ros.safety.joint_limits import JointSettings
from vla_accel_ros.safety.limits import Limits

TOPIC = TOPICS[TRAJECTORY]
# rad: what an action may be from where the arm is, and a tick's motion more.
FARTHEST = JointSettings().largest_step[0] + SPEED * 0.05
# rad: two positions that differ by less are one.
DUST = 1e-9
# A command has no stamp: so long it may have been under way.
UNDER_WAY_NS = NS // 10
# So many states, and actions, are remembered; the newest ones say where the joints are.
REMEMBERED, NEWEST = 300, 50
# The longest time from one command to the next that the speed is judged over.
TICK_S = 0.05


class JointRecorder(Permits):
    """Hears every trajectory and notes whatever is not safe; what moves is one that differs.

    Args:
        node: Listens.
        now_ns: The clock of the stamps.
        increasing: As of `ArmRecorder`; commands have no stamps.

    Attributes:
        sent: The last command, [joints]; empty before one came.
        sent_ns: When it came.
        actions: When each came, its stamp and its step in s.
        last_motion_ns: When the last command came that differs from the one before.
        at_a_state: Whether it was a position that had been measured by then: an arm that is held
            at a command gets there later.
        unsafe: What was not safe since the last `verify`.
        held_s: How long after the horizon of the last valid action the last motion came.
    """

    def __init__(self, node, now_ns: Callable[[], int], increasing: bool = True) -> None:
        super().__init__(now_ns)
        self.sent: tuple[float, ...] = ()
        self.actions: list[tuple[int, int, float]] = []
        self.unsafe: list[str] = []
        self.held_s: list[float] = []
        self.at_a_state = False
        self.last_motion_ns = self.sent_ns = 0
        self._moves_ns: deque[int] = deque(maxlen=1000)
        self._states: deque[tuple[float, ...]] = deque(maxlen=REMEMBERED)
        node.create_subscription(JointTrajectory, TOPIC, self._on_command, EVERY_ONE)
        node.create_subscription(JointTrajectory, 'vla/action', self._on_action, EVERY_ONE)
        for topic in gripper_topics(ALOHA):
            node.create_subscription(Float64, topic, self._on_gripper, EVERY_ONE)

    resting = True

    def listening(self) -> None:
        """Take note that the callbacks had their turn."""

    def stranger(self) -> None:
        """Take note that a new process sends actions."""

    def tell(self, positions: tuple[float, ...]) -> None:
        """Take note of where the robot says that it is, [joints]."""
        self._states.append(positions)

    def moves_after(self, now_ns: int) -> int:
        """Count the commands since then that differ from the one before."""
        return sum(each > now_ns for each in self._moves_ns)

    def late_s(self, horizon_ns: int) -> float:
        """Return by how much the end of the motion missed its time, s; 0 when in time."""
        self.held_s.append((self.last_motion_ns - horizon_ns) / NS)
        return max(0.0, self.held_s[-1] - IN_TIME_S - DELIVERY_S)

    def verify(self) -> None:
        """Assert that every message since the last call was safe."""
        unsafe, self.unsafe = self.unsafe, []
        assert not unsafe, '\n'.join([f'{len(unsafe)} unsafe messages', *unsafe[:5]])

    def _away(self, row: tuple[float, ...], states: int = REMEMBERED) -> float:
        newest = list(self._states)[-states:]
        return min((_apart(row, state) for state in newest), default=math.inf)

    def _permitted(self, now_ns: int) -> bool:
        return any(begin <= now_ns <= end + UNDER_WAY_NS for begin, end in self._permits)

    def _covered(self, now_ns: int) -> bool:
        newest = self.actions[-REMEMBERED:]
        longest_s = max((step_s for *_, step_s in newest), default=0.0)
        bound_s = Limits().max_age_s + longest_s + IN_TIME_S + DELIVERY_S
        return any(0 <= now_ns - stamp_ns <= bound_s * NS for _, stamp_ns, _ in newest)

    def _on_command(self, message: JointTrajectory) -> None:
        now_ns = self._now_ns()
        (row,) = [tuple(point.positions) for point in message.points]
        moved = not self.sent or _apart(row, self.sent) > DUST
        held = self._away(row) <= DUST
        gap_s = max((now_ns - self.sent_ns) / NS, TICK_S)
        way = _apart(row, self.sent) if self.sent else 0.0
        # NaN fails every comparison, so each is of what has to hold.
        for holds, what in (
            (message.joint_names == joints_of(ALOHA), 'other joints'),
            (to_ns(message.header.stamp) == 0, 'stamped'),
            (all(abs(value) <= RANGE + DUST for value in row), 'out of the range'),
            (self._away(row, NEWEST) <= FARTHEST, 'far from where the joints are'),
            (held or way <= SPEED * gap_s + DUST, f'{way:.3g} rad in {gap_s:.3g} s'),
            (held or not moved or self._permitted(now_ns), 'not enabled'),
            (held or not moved or self._covered(now_ns), 'no action is behind it'),
        ):
            if not holds:
                self.unsafe.append(f'{what}: {row}')
        self.sent, self.sent_ns = row, now_ns
        if moved:
            self.last_motion_ns, self.at_a_state = now_ns, held
            self._moves_ns.append(now_ns)

    def _on_action(self, message: JointTrajectory) -> None:
        if message.points:
            step_s = to_ns(message.points[0].time_from_start) / NS
            self.actions.append((self._now_ns(), to_ns(message.header.stamp), min(step_s, 0.5)))

    def _on_gripper(self, message: Float64) -> None:
        if message.data not in (0.0, 1.0) or not self._permitted(self._now_ns()):
            self.unsafe.append(f'gripper at {message.data}')


def _apart(row: tuple[float, ...], other: tuple[float, ...]) -> float:
    return max((abs(a - b) for a, b in zip(row, other, strict=True)), default=math.inf)
