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

"""The guard's settings, checked as a whole."""

from __future__ import annotations

from dataclasses import dataclass, field

from vla_accel_ros.options import check_options, option
from vla_accel_ros.safety.adaptive_rate import AdaptiveRate
from vla_accel_ros.safety.gripper import GripperLatch
from vla_accel_ros.safety.joint_limits import JointSettings
from vla_accel_ros.safety.limits import Limits
from vla_accel_ros.safety.stream import TwistStream
from vla_accel_ros.safety.watchdog import MAX_GRACE_S, Watchdog

SERVO_RATE_HZ = 20.0


@dataclass(frozen=True)
class GuardConfig:
    """Settings of the guard; each part checks its own.

    Attributes:
        limits: Limits on the actions.
        joints: Limits of joints, for the drive of joint positions.

    Raises:
        ValueError: When a value is outside its range, or some do not fit together.
    """

    limits: Limits = field(default_factory=Limits)
    joints: JointSettings = field(default_factory=JointSettings)
    min_rate_hz: float = option(
        SERVO_RATE_HZ,
        'Floor of the twist stream; Servo halts below 20',
        unit='Hz',
        range=(SERVO_RATE_HZ, 200.0),
    )
    max_rate_hz: float = option(
        100.0, 'Ceiling of the twist stream', unit='Hz', range=(SERVO_RATE_HZ, 500.0)
    )
    samples_per_action: float = option(
        4.0, 'Twists to an action between floor and ceiling: more is smoother', range=(1.0, 50.0)
    )
    grace_s: float = option(
        0.04,
        'Time past an action for the next one to be late before the arm is held',
        unit='s',
        range=(0.001, MAX_GRACE_S),
    )
    hold_limit_s: float = option(
        0.1,
        'Longest the consumer holds a twist alone: incoming_command_timeout of Servo',
        unit='s',
        range=(0.05, 1.0),
    )
    late_s: float = option(
        0.01,
        'How late the next action may come without a dip in the twist; below watchdog_grace',
        unit='s',
        range=(0.0, 0.05),
    )
    gripper_open_below: float = option(
        0.4,
        'At or below it the gripper opens; the gap to close_above is the hysteresis',
        range=(0.0, 1.0),
    )
    gripper_close_above: float = option(0.6, 'At or above it the gripper closes', range=(0.0, 1.0))
    gripper_min_dwell_s: float = option(
        0.15,
        'Least time between two changes of the gripper, against flicker',
        unit='s',
        range=(0.0, 5.0),
    )

    def __post_init__(self) -> None:
        check_options(self)
        if self.late_s >= self.grace_s:
            raise ValueError(f'late_s is {self.late_s}, expected below grace_s, {self.grace_s}')
        # The parts check what of theirs has to fit together.
        self.make_watchdog()
        self.make_stream()
        self.make_gripper()
        self.make_rate()

    def make_watchdog(self) -> Watchdog:
        """Build the watchdog."""
        return Watchdog(self.grace_s)

    def make_stream(self) -> TwistStream:
        """Build the twist stream."""
        return TwistStream(
            self.limits.linear_speed, self.limits.angular_speed, self.hold_limit_s, self.late_s
        )

    def make_gripper(self) -> GripperLatch:
        """Build the gripper's latch."""
        return GripperLatch(
            self.gripper_open_below, self.gripper_close_above, self.gripper_min_dwell_s
        )

    def make_rate(self) -> AdaptiveRate:
        """Build the stream's rate."""
        return AdaptiveRate(self.min_rate_hz, self.max_rate_hz, self.samples_per_action)
