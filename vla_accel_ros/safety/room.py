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

"""How far the arm is from its limits: what a goal's feedback shows."""

from __future__ import annotations

from math import hypot

from vla_accel_ros.safety.limits import Limits
from vla_accel_ros.safety.stream import ANGULAR, LINEAR
from vla_accel_ros.safety.tool_limits import Record


def room(
    limits: Limits,
    record: Record,
    now_ns: int,
    grace_s: float,
    position: tuple[float, float, float] | None,
) -> dict[str, float]:
    """Return what is left to each limit, by name; negative outside.

    Args:
        limits: The limits.
        record: What was accepted before.
        now_ns: Monotonic time, nanoseconds.
        grace_s: How long after its step the last action still counts as motion.
        position: Where the arm is to go, m, base frame; None without a fresh pose.

    Returns:
        `linear_speed` in m/s and `angular_speed` in rad/s against the last action,
        `translation_per_second` in m, `rotation_per_second` in rad, and with a box and a pose
        `workspace`, m to its nearest side.
    """
    velocity = record.velocity(now_ns, grace_s)
    path, turn = record.last_second(now_ns)
    found = {
        'linear_speed': limits.linear_speed - hypot(*velocity[LINEAR]),
        'angular_speed': limits.angular_speed - hypot(*velocity[ANGULAR]),
        'translation_per_second': limits.translation_per_second - path,
        'rotation_per_second': limits.rotation_per_second - turn,
    }
    low, high = limits.workspace_min, limits.workspace_max
    if low is not None and high is not None and position is not None:
        found['workspace'] = min(
            min(here - a, b - here) for here, a, b in zip(position, low, high, strict=True)
        )
    return found
