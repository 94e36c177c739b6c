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

from vla_accel_ros.safety.adaptive_rate import AdaptiveRate
from vla_accel_ros.safety.gripper import GripperLatch
from vla_accel_ros.safety.limits import Limits
from vla_accel_ros.safety.stream import TwistStream
from vla_accel_ros.safety.watchdog import Watchdog

SERVO_RATE_HZ = 20.0


@dataclass(frozen=True)
class GuardConfig:
    """Settings of the guard; each part checks its own.

    Attributes:
        limits: Limits on the actions.
        grace_s: Time after an action's horizon before the watchdog fires, s, at most 0.05.
        hold_limit_s: Longest the consumer holds a twist without a new one, s.
        late_s: How late the next action may come without a dip in the twist, s; below
            `grace_s`.
        min_rate_hz: Floor of the stream's rate; MoveIt Servo wants 20.
        max_rate_hz: Ceiling of it.
        samples_per_action: Twists to an action, between floor and ceiling.
        gripper_open_below: At or below it the gripper opens.
        gripper_close_above: At or above it the gripper closes.
        gripper_min_dwell_s: Least time between two changes of the gripper, s.

    Raises:
        ValueError: When a value is outside its range.
    """

    limits: Limits = field(default_factory=Limits)
    grace_s: float = 0.04
    hold_limit_s: float = 0.1
    late_s: float = 0.01
    min_rate_hz: float = SERVO_RATE_HZ
    max_rate_hz: float = 100.0
    samples_per_action: float = 4.0
    gripper_open_below: float = 0.4
    gripper_close_above: float = 0.6
    gripper_min_dwell_s: float = 0.15

    def __post_init__(self) -> None:
        if not self.min_rate_hz >= SERVO_RATE_HZ:
            raise ValueError(f'min_rate_hz is {self.min_rate_hz}, expected at least 20')
        if not 0 <= self.late_s < self.grace_s:
            raise ValueError(
                f'late_s is {self.late_s}, expected 0 or more and below grace_s {self.grace_s}'
            )
        # The parts check what is theirs.
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
