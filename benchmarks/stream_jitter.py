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

"""Measure how even the command stream is at 50 Hz while inference computes back to back.

Two set-ups: arm_command alone beside a busy inference process, and the whole graph on the
embedded arm, rendering included. arm_command runs as configured for a robot.

The stream begins anew with each action, so that the motion answers at once. The interval that
an action cuts short is no jitter and is listed apart; the bar is on all the others.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
import sys
from time import monotonic_ns

from geometry_msgs.msg import PoseStamped, TwistStamped
from trajectory_msgs.msg import JointTrajectory

from benchmarks.back_to_back import BUSY, INSTRUCTION, Answers, load
from benchmarks.figures import Report, Row, summarise
from benchmarks.program import main
from benchmarks.rig import Rig
from vla_accel_ros.actions import Action
from vla_accel_ros.evaluation.conditions import CpuMeter
from vla_accel_ros.graph.processes import Deployment, Process, processes
from vla_accel_ros.ros import qos
from vla_accel_ros.ros.messages import chunk_to_message, from_ns, to_ns

RATE_HZ = 50.0
CHECKPOINT, CAMERAS = 'tabletop-s', 2
# Ten actions a second, five twists each.
STEP_S = 0.1
WARM_UP_S = 5.0
BARS = {'p99': 2.0}
# An action is sent on at the arm within this time of its arrival here.
NEAR_NS = 3_000_000


def deviations(
    times_ns: list[int], actions_ns: list[int], stamps_ns: list[int]
) -> tuple[list[float], list[float]]:
    """Return how far the intervals between twists are from the period, milliseconds.

    Args:
        times_ns: Times of the twists, in order: of sending or of arrival.
        actions_ns: Arrivals of actions, ROS clock, in order.
        stamps_ns: When the twists were sent, ROS clock.

    Returns:
        The deviations of intervals that the timer ended, and those that an action may have.
    """
    even: list[float] = []
    cut: list[float] = []
    for index in range(1, len(times_ns)):
        # A timer's twist may come right before an action's: neither has an even interval.
        after = bisect_left(actions_ns, stamps_ns[index] - NEAR_NS)
        by_action = after < len(actions_ns) and actions_ns[after] <= stamps_ns[index] + NEAR_NS
        interval_ms = (times_ns[index] - times_ns[index - 1]) / 1e6
        (cut if by_action else even).append(abs(interval_ms - 1e3 / RATE_HZ))
    return even, cut


class Listener:
    """Notes when twists were sent, when they arrived, and when actions did."""

    def __init__(self, rig: Rig) -> None:
        self._clock, self._steady = rig.node.get_clock(), monotonic_ns
        self.clear()
        listen = rig.node.create_subscription
        listen(TwistStamped, 'servo_node/delta_twist_cmds', self._on_twist, qos.CONTROL)
        listen(JointTrajectory, 'vla/action', self._on_action, qos.CONTROL)

    def clear(self) -> None:
        """Forget everything."""
        self.stamps_ns: list[int] = []
        self.arrivals_ns: list[int] = []
        self.actions_ns: list[int] = []

    def _on_twist(self, message: TwistStamped) -> None:
        self.arrivals_ns.append(self._steady())
        self.stamps_ns.append(to_ns(message.header.stamp))

    def _on_action(self, _message: JointTrajectory) -> None:
        self.actions_ns.append(self._clock.now().nanoseconds)


class Mover:
    """Sends actions to and fro, and the tool's pose, as scheduler and robot would."""

    def __init__(self, rig: Rig) -> None:
        self._clock, self._sign = rig.node.get_clock(), 1
        self.action = rig.node.create_publisher(JointTrajectory, 'vla/action', qos.CONTROL)
        self.pose = rig.node.create_publisher(PoseStamped, 'ee_pose', qos.SENSOR)
        rig.node.create_timer(STEP_S, self._send)

    def _send(self) -> None:
        now_ns = self._clock.now().nanoseconds
        pose = PoseStamped()
        pose.header.stamp = from_ns(now_ns)
        pose.pose.position.x, pose.pose.position.z = 0.45, 0.3
        self.pose.publish(pose)
        self._sign = -self._sign
        self.action.publish(
            chunk_to_message(
                Action([0.01 * self._sign, 0, 0, 0, 0, 0, 0], now_ns), STEP_S, 'base_link'
            )
        )


def arm_alone() -> tuple[Deployment, tuple[Process, ...]]:
    """Return arm_command alone; `Mover` is what moves it."""
    deployment = Deployment()
    return deployment, tuple(
        steady(process) for process in processes(deployment) if process.name == 'arm_command'
    )


def whole_graph() -> tuple[Deployment, tuple[Process, ...]]:
    """Return everything, on the embedded arm."""
    deployment = Deployment(sim=True, checkpoint=CHECKPOINT, instruction=INSTRUCTION)
    return deployment, tuple(map(steady, processes(deployment)))


def steady(process: Process) -> Process:
    """Give arm_command a fixed rate, another process nothing."""
    if process.name != 'arm_command':
        return process
    rates = {'min_rate': RATE_HZ, 'max_rate': RATE_HZ}
    return replace(process, parameters={**process.parameters, **rates})


def drive(
    part: tuple[Deployment, tuple[Process, ...]], seconds: float
) -> tuple[Listener, dict[str, object]]:
    """Run processes beside a busy inference and listen to the stream.

    Args:
        part: What to run; without a scheduler in it this process sends the actions.
        seconds: How long, warm-up apart.

    Returns:
        What was heard, and facts about the run.
    """
    names = [f'/{process.name}' for process in part[1]]
    with Rig(part, load(CHECKPOINT, CAMERAS)) as rig:
        rig.until_active(*names, BUSY)
        listener = Listener(rig)
        if '/scheduler' not in names:
            mover = Mover(rig)
            rig.until_matched(mover.action, mover.pose)
        rig.enable()
        rig.spin(WARM_UP_S)
        listener.clear()
        meter, counted = CpuMeter(rig.pids()), Answers(rig, BUSY)
        rig.spin(seconds)
        arm = rig.status('/arm_command')
        facts = {
            'cpu shares': meter.shares(),
            **counted.facts(),
            'actions': len(listener.actions_ns),
            'twists': len(listener.stamps_ns),
            'priorities': f'{arm.get("priority")}, {rig.priority}',
            'its own view, late_ms_p99': arm.get('late_ms_p99'),
        }
    return listener, facts


def measure(seconds: float = 60.0) -> Report:
    """Measure both set-ups, each for so many seconds."""
    rows: list[Row] = []
    facts: dict[str, object] = {}
    for text, part in (('arm_command alone', arm_alone()), ('whole graph', whole_graph())):
        heard, found = drive(part, seconds)
        sent, cut = deviations(heard.stamps_ns, heard.actions_ns, heard.stamps_ns)
        arrived, _ = deviations(heard.arrivals_ns, heard.actions_ns, heard.stamps_ns)
        rows += [
            summarise(f'{text}: deviation of the interval from 20 ms, as sent', 'ms', sent, BARS),
            summarise(f'{text}: the same, as received', 'ms', arrived, BARS),
            summarise(f'{text}: as sent, of intervals that an action may have ended', 'ms', cut),
        ]
        facts[text] = found
    return Report(
        'stream_jitter',
        f'python -m benchmarks.stream_jitter --seconds {seconds:g}',
        tuple(rows),
        {'stream': f'{RATE_HZ:g} Hz', 'warm-up': f'{WARM_UP_S:g} s', 'checkpoint': CHECKPOINT},
        facts,
    )


if __name__ == '__main__':
    sys.exit(main(measure, __doc__))
