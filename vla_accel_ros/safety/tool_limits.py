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

"""Limits on displacements of the end effector: step, speed, acceleration, path and place."""

from __future__ import annotations

from collections import deque
from math import hypot

from vla_accel_ros.safety.limits import NS, ROUNDING, Limits, Refusal
from vla_accel_ros.safety.stream import ANGULAR, LINEAR, ZERO


def motion(row: list[float]) -> list[float]:
    """Return what an action of the end effector moves, without its gripper: m and rad."""
    return row[LINEAR] + row[ANGULAR]


class Record:
    """What was accepted before: velocity, and the path of the last second."""

    def __init__(self) -> None:
        self._paths: deque[tuple[int, float, float]] = deque()
        self.forget()

    def forget(self) -> None:
        """Begin anew: the arm is at rest.

        The path of the last second stays: stopping and enabling must not double the limit.
        """
        self._velocity = ZERO
        self._moving_until_ns: int | None = None

    def add(self, row: list[float], now_ns: int, step_s: float) -> None:
        """Remember an accepted action, [7]."""
        self._velocity = tuple(value / step_s for value in motion(row))
        self._moving_until_ns = now_ns + round(step_s * NS)
        self._paths.append((now_ns, hypot(*row[LINEAR]), hypot(*row[ANGULAR])))

    def velocity(self, now_ns: int, grace_s: float) -> tuple[float, ...]:
        """Velocity of the last action, m/s and rad/s [6]; zero once it has run out."""
        until = self._moving_until_ns
        if until is None or now_ns > until + grace_s * NS:
            return ZERO
        return self._velocity

    def last_second(self, now_ns: int) -> tuple[float, float]:
        """Path in m and turn in rad that were accepted within the last second."""
        # Those of the future are of before the clock was set back.
        while self._paths and not 0 <= now_ns - self._paths[0][0] < NS:
            self._paths.popleft()
        return sum(path[1] for path in self._paths), sum(path[2] for path in self._paths)


def no_pose(limits: Limits) -> Refusal:
    """Return the refusal for want of a tool pose, without which no box can be kept."""
    return Refusal('no_pose', f'workspace is on, no pose within {limits.max_pose_age_s} s')


def check_motion(
    row: list[float], step_s: float, limits: Limits, record: Record, now_ns: int, grace_s: float
) -> Refusal | None:
    """Check a displacement against every limit of its size.

    Args:
        row: The action, [7], finite.
        step_s: Its policy step, seconds.
        limits: The limits.
        record: What was accepted before.
        now_ns: Monotonic time, nanoseconds.
        grace_s: How long after its step the last action still counts as motion.
    """
    translation, rotation = hypot(*row[LINEAR]), hypot(*row[ANGULAR])
    path, turn = record.last_second(now_ns)
    before = record.velocity(now_ns, grace_s)
    velocity = [value / step_s for value in motion(row)]
    linear, angular = (
        _acceleration(before[columns], velocity[columns], step_s) for columns in (LINEAR, ANGULAR)
    )
    for reason, value, limit, unit in (
        ('translation_step', translation, limits.translation_step, 'm'),
        ('rotation_step', rotation, limits.rotation_step, 'rad'),
        ('linear_speed', translation / step_s, limits.linear_speed, 'm/s'),
        ('angular_speed', rotation / step_s, limits.angular_speed, 'rad/s'),
        ('translation_per_second', path + translation, limits.translation_per_second, 'm'),
        ('rotation_per_second', turn + rotation, limits.rotation_per_second, 'rad'),
        ('linear_acceleration', linear, limits.linear_acceleration, 'm/s^2'),
        ('angular_acceleration', angular, limits.angular_acceleration, 'rad/s^2'),
    ):
        if value > limit * ROUNDING:
            return Refusal(reason, f'{value:.4g} {unit}, at most {limit:.4g}')
    return None


def _acceleration(before: tuple[float, ...], after: list[float], step_s: float) -> float:
    """Acceleration between two velocities; 0 for braking, which is always allowed.

    Braking neither speeds up nor reverses: both the new velocity and the change are no larger
    than the old velocity.
    """
    change = hypot(*(b - a for a, b in zip(before, after, strict=True)))
    old = hypot(*before)
    if hypot(*after) <= old and change <= old * ROUNDING:
        return 0.0
    return change / step_s


def check_workspace(
    row: list[float], limits: Limits, position: tuple[float, float, float] | None
) -> Refusal | None:
    """Check that a displacement does not lead out of the box.

    Args:
        row: The action, [7], finite.
        limits: The limits.
        position: Where the displacement begins, m, base frame; None without a fresh pose.
    """
    low_corner, high_corner = limits.workspace_min, limits.workspace_max
    if low_corner is None or high_corner is None:
        return None
    if position is None:
        return no_pose(limits)
    for axis, here, move, low, high in zip(
        'xyz', position, row[LINEAR], low_corner, high_corner, strict=True
    ):
        there = here + move
        # From outside, any motion back toward the box is allowed.
        if (there > high and move > 0) or (there < low and move < 0):
            return Refusal(
                'workspace', f'{axis} would be {there:.4g} m, expected {low:.4g} to {high:.4g}'
            )
    return None
