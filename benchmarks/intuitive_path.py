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

"""Measure the intuitive path: from a camera's message to the arm's, through the real processes.

A driver publishes the views of an observation; camera, scheduler and arm_command are processes
of their own, as on a robot, and so is inference, which answers the deliberative steps between
the intuitive ones. A second inference process computes back to back beside them.

The policy step is shorter than the camera's period, so that the arm comes to rest before each
frame: the first moving twist after a frame is then the one that this frame has led to.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from dataclasses import dataclass, field, replace
import sys
from time import monotonic_ns

from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseStamped, TwistStamped
import numpy as np
from sensor_msgs.msg import Image

from benchmarks.back_to_back import BUSY, INSTRUCTION, Answers, load
from benchmarks.figures import Report, Row, summarise
from benchmarks.program import main
from benchmarks.rig import Rig
from vla_accel_ros.evaluation.conditions import CpuMeter
from vla_accel_ros.graph.processes import Deployment, Process, camera_parameters, processes
from vla_accel_ros.nodes.sim_arm_settings import IMAGES, ONE_ARM
from vla_accel_ros.ros import qos
from vla_accel_ros.ros.messages import from_ns, message_to_decision, to_ns

RATE_HZ = 20.0
WARM_UP = 60
STEP_S = 0.02
BARS = {'p50': 3.0, 'p99': 10.0}
# What the model makes of noise must not be refused; none of it costs or saves time.
ARM = {
    'limits.translation_step': 1.0,
    'limits.rotation_step': 3.0,
    'limits.linear_speed': 5.0,
    'limits.angular_speed': 20.0,
    'limits.translation_per_second': 5.0,
    'limits.rotation_per_second': 20.0,
    'limits.linear_acceleration': 1000.0,
    'limits.angular_acceleration': 10000.0,
}
SCHEDULER = {
    'rule': 'always',
    'predictor': 'ridge',
    'tau': 0.3,
    'policy_step': STEP_S,
    'gripper_guard': False,
    'max_translation_step': 1.0,
    'max_rotation_step': 3.0,
}


@dataclass
class Log:
    """What happened; `*_ns` are of the steady clock, stamps of the ROS clock.

    Attributes:
        sent: (stamp, before publishing the first view, after publishing the last) a frame.
        twists: (arrival, stamp, whether it moves) a twist.
        kinds: Kind of decision by stamp of its frame.
    """

    sent: list[tuple[int, int, int]] = field(default_factory=list)
    twists: list[tuple[int, int, bool]] = field(default_factory=list)
    kinds: dict[int, str] = field(default_factory=dict)


@dataclass
class Matched:
    """Frames of one kind of decision, matched with their twists.

    Attributes:
        arrived_ms: From the driver's publish to the twist's arrival.
        stamped_ms: From the frame's stamp to the twist's stamp, taken as arm_command sends it.
        moving: Frames left out because the arm still moved when they came.
        lost: Frames that no twist followed before the next frame.
    """

    arrived_ms: list[float] = field(default_factory=list)
    stamped_ms: list[float] = field(default_factory=list)
    moving: int = 0
    lost: int = 0


def match(log: Log, kind: str) -> Matched:
    """Match the frames that led to one kind of decision with the twists that followed.

    The arm is at rest when a frame is sent, else the frame is left out; the first moving twist
    that arrives after it, and before the next frame is sent, is its own.
    """
    matched = Matched()
    arrivals = [arrival for arrival, _, _ in log.twists]
    ends = [begun for _, begun, _ in log.sent[1:]]
    for (stamp_ns, begun_ns, _), end_ns in zip(log.sent, ends, strict=False):
        if log.kinds.get(stamp_ns) != kind:
            continue
        first = bisect_right(arrivals, begun_ns)
        if first and log.twists[first - 1][2]:
            matched.moving += 1
            continue
        for arrival_ns, twist_ns, moves in log.twists[first : bisect_right(arrivals, end_ns)]:
            # One that was on its way already when the frame was stamped is an older step's.
            if moves and twist_ns > stamp_ns:
                matched.arrived_ms.append((arrival_ns - begun_ns) / 1e6)
                matched.stamped_ms.append((twist_ns - stamp_ns) / 1e6)
                break
        else:
            matched.lost += 1
    return matched


class Driver:
    """Publishes the views of an observation and the tool's pose, and listens to the arm."""

    def __init__(self, rig: Rig, width: int, height: int) -> None:
        self._node = rig.node
        self.log = Log()
        make, listen = self._node.create_publisher, self._node.create_subscription
        self.views = [make(Image, topic, qos.SENSOR) for topic in IMAGES[ONE_ARM]]
        self.pose = make(PoseStamped, 'ee_pose', qos.SENSOR)
        self._image = Image(height=height, width=width, encoding='rgb8', step=3 * width)
        self._image.data = array(
            'B', np.random.default_rng(0).integers(0, 256, width * height * 3, np.uint8).tobytes()
        )
        listen(TwistStamped, 'servo_node/delta_twist_cmds', self._on_twist, qos.CONTROL)
        listen(DiagnosticStatus, 'vla/decision', self._on_decision, qos.REPORT)
        self._node.create_timer(1 / RATE_HZ, self._send)

    def _send(self) -> None:
        begun_ns = monotonic_ns()
        stamp_ns = self._node.get_clock().now().nanoseconds
        self._image.header.stamp = from_ns(stamp_ns)
        for view in self.views:
            view.publish(self._image)
        self.log.sent.append((stamp_ns, begun_ns, monotonic_ns()))
        pose = PoseStamped()
        pose.header.stamp = from_ns(stamp_ns)
        pose.pose.position.x, pose.pose.position.z = 0.45, 0.3
        self.pose.publish(pose)

    def _on_twist(self, message: TwistStamped) -> None:
        arrival_ns = monotonic_ns()
        linear, angular = message.twist.linear, message.twist.angular
        moves = any((linear.x, linear.y, linear.z, angular.x, angular.y, angular.z))
        self.log.twists.append((arrival_ns, to_ns(message.header.stamp), moves))

    def _on_decision(self, message: DiagnosticStatus) -> None:
        values = message_to_decision(message)
        # A late answer is decided on, too; the frame's own decision came first.
        self.log.kinds.setdefault(int(values['stamp_ns']), values['kind'])


def graph(checkpoint: str, real_time: bool) -> tuple[Deployment, tuple[Process, ...]]:
    """Return the graph of a robot with two cameras, set so that each step can be told apart."""
    urgent = {'real_time_priority': real_time}
    deployment = Deployment(
        checkpoint=checkpoint, instruction=INSTRUCTION, image_topics=IMAGES[ONE_ARM]
    )
    changes = {
        'camera': urgent,
        'scheduler': {**SCHEDULER, **urgent},
        'arm_command': {**ARM, **urgent},
        'inference': {'policy_step': STEP_S},
    }
    return deployment, tuple(
        replace(process, parameters={**process.parameters, **changes.get(process.name, {})})
        for process in processes(deployment)
    )


def drive(
    checkpoint: str, width: int, height: int, seconds: float, busy: bool, real_time: bool
) -> tuple[Log, dict[str, object]]:
    """Run the graph for a while.

    Args:
        checkpoint: As the inference node takes it; of two cameras.
        width: Of each camera's images, pixels.
        height: Likewise.
        seconds: How long, warm-up apart.
        busy: Whether a second inference computes back to back.
        real_time: Whether camera, scheduler, arm_command and this process ask for real-time
            priority.

    Returns:
        What happened, and facts about the run.
    """
    parts = [graph(checkpoint, real_time)]
    names = [f'/{process.name}' for process in parts[0][1]]
    if busy:
        parts.append(load(checkpoint, len(IMAGES[ONE_ARM])))
        names.append(BUSY)
    with Rig(*parts, real_time=real_time) as rig:
        rig.until_active(*names)
        driver = Driver(rig, width, height)
        rig.until_matched(*driver.views, driver.pose)
        rig.enable()
        rig.until(lambda: len(driver.log.sent) > WARM_UP, 'warm-up', 60.0)
        driver.log = Log()
        meter = CpuMeter(rig.pids())
        counted = Answers(rig, '/inference', *names[len(parts[0][1]) :])
        rig.spin(seconds)
        facts = {'cpu shares': meter.shares(), **counted.facts()}
        facts['priorities'] = ', '.join(
            [
                *(
                    rig.status(name).get('priority', 'ordinary')
                    for name in ('/camera', '/scheduler', '/arm_command')
                ),
                rig.priority,
            ]
        )
    return driver.log, facts


def measure(seconds: float = 120.0, checkpoint: str = 'tabletop-s') -> Report:
    """Measure the path under several conditions; the bar is on the first.

    Args:
        seconds: Of the run that the bar is on; the others take half.
        checkpoint: A checkpoint of two cameras.
    """
    rows: list[Row] = []
    facts: dict[str, object] = {}
    busy = 'inference back to back'
    # As the embedded arm's cameras draw: at the size that the checkpoint wants.
    size = camera_parameters(checkpoint)['image_size']
    runs = (
        (busy, size, size, seconds, True, True),
        ('inference only when asked', size, size, seconds / 2, False, True),
        (f'{busy}, no real-time priority', size, size, seconds / 2, True, False),
        (busy, 640, 480, seconds / 2, True, True),
    )
    for number, (condition, *how) in enumerate(runs):
        log, found = drive(checkpoint, *how)
        matched = match(log, 'intuitive')
        text = f'2 x {how[0]}x{how[1]}, {condition}'
        rows.append(
            summarise(
                f'{text}: driver publishes → twist arrives',
                'ms',
                matched.arrived_ms,
                None if number else BARS,
            )
        )
        rows.append(summarise(f'{text}: frame stamped → twist stamped', 'ms', matched.stamped_ms))
        found |= {
            'frames': len(log.sent),
            'intuitive': len(matched.arrived_ms) + matched.lost,
            'left out, arm still moving': matched.moving,
            'lost': matched.lost,
        }
        facts[text] = found
    return Report(
        'intuitive_path',
        f'python -m benchmarks.intuitive_path --seconds {seconds:g}',
        tuple(rows),
        {
            'camera': f'{RATE_HZ:g} Hz',
            'warm-up': f'{WARM_UP} frames',
            'checkpoint': checkpoint,
            'policy_step': f'{STEP_S} s',
            'rule': 'always',
            'tau': SCHEDULER['tau'],
        },
        facts,
    )


if __name__ == '__main__':
    sys.exit(main(measure, __doc__))
