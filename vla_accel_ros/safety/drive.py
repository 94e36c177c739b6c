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

"""What every kind of command to the arm can do; the guard drives one and knows no more of it."""

from __future__ import annotations

from typing import Protocol

from vla_accel_ros.action_space import ActionSpace
from vla_accel_ros.safety.guard_config import GuardConfig
from vla_accel_ros.safety.joint_limits import JointLimit
from vla_accel_ros.safety.limits import Refusal

Values = tuple[float, ...]


class Drive(Protocol):
    """A kind of command: how accepted actions become what is sent, and within which limits.

    `now_ns` is monotonic time, never before that of an earlier call.

    Attributes:
        space: What the columns of its actions are.
    """

    space: ActionSpace

    @property
    def limits(self) -> tuple[JointLimit, ...]:
        """Limits of each joint; empty where there are none, or while they are not known."""

    def configure(self, config: GuardConfig) -> None:
        """Change the settings; motion under way goes on within them."""

    def begin(self) -> None:
        """Begin anew, from rest: the arm is being enabled."""

    def clear(self) -> None:
        """End the motion: what is owed is not sent any more."""

    def obstacles(self, now_ns: int) -> list[Refusal]:
        """Return everything that stands against enabling the arm."""

    def check(self, row: list[float], step_s: float, now_ns: int) -> Refusal | None:
        """Check an action, whose form is right, against every limit.

        Args:
            row: The action, [width], finite.
            step_s: Its policy step, seconds.
            now_ns: Monotonic time, nanoseconds.
        """

    def add(self, row: list[float], step_s: float, now_ns: int) -> int:
        """Take an accepted action; return when its step ends, monotonic nanoseconds."""

    def trouble(self, now_ns: int) -> Refusal | None:
        """Say why motion under way must end now, None while it need not."""

    def tick(self, now_ns: int, period_s: float) -> tuple[Values, bool]:
        """Give what to send now, and whether that moves the arm.

        Args:
            now_ns: Monotonic time, nanoseconds.
            period_s: Time to the next tick as far as is known, seconds.
        """

    def fault(self, values: Values) -> str:
        """Name what is unsafe about values of `tick`, whatever made them; empty if nothing is."""

    def held(self, now_ns: int) -> Values:
        """Give what holds the arm where it is; nothing where sending nothing does."""

    def room(self, now_ns: int) -> dict[str, float]:
        """Give what is left to each limit, by name; negative outside."""
