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

"""The limits of the arm: what is refused, and under which name. Nothing is clipped."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import hypot, inf, isfinite
from typing import NamedTuple

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.actions import Action
from vla_accel_ros.options import check_options, option
from vla_accel_ros.safety.stream import ANGULAR, GRIPPER_AT, LINEAR, ZERO

NS = 1_000_000_000
GRIPPER_TOLERANCE = 1e-3
# Rounding of float32 on the wire must not refuse an action that is exactly at a limit.
ROUNDING = 1.0 + 1e-6


class Refusal(NamedTuple):
    """Why an action was refused.

    Attributes:
        reason: A stable name.
        detail: The value and what was expected, for people.
    """

    reason: str
    detail: str


@dataclass(frozen=True)
class Limits:
    """Limits on the accepted displacements; the defaults suit the embedded arm.

    The workspace is a box that the end effector stays in, m, base frame; it is on when both
    corners are given.

    Raises:
        ValueError: When a limit is outside its range, or the box is empty or half given.
    """

    translation_step: float = option(
        0.05, 'Largest displacement of one action', unit='m', range=(0.0001, 1.0)
    )
    rotation_step: float = option(
        0.3, 'Largest rotation of one action', unit='rad', range=(0.0001, 3.1416)
    )
    linear_speed: float = option(
        0.75, 'Largest speed of an action and of the twist', unit='m/s', range=(0.001, 5.0)
    )
    angular_speed: float = option(
        3.5,
        'Largest angular speed of an action and of the twist',
        unit='rad/s',
        range=(0.001, 20.0),
    )
    translation_per_second: float = option(
        0.8, 'Largest path over any second', unit='m', range=(0.001, 5.0)
    )
    rotation_per_second: float = option(
        3.8, 'Largest turn over any second', unit='rad', range=(0.001, 20.0)
    )
    linear_acceleration: float = option(
        20.0,
        'Largest change of velocity from action to action over its step; braking is free',
        unit='m/s^2',
        range=(0.01, 1000.0),
    )
    angular_acceleration: float = option(
        120.0,
        'Largest change of angular velocity, likewise',
        unit='rad/s^2',
        range=(0.01, 10000.0),
    )
    workspace_min: tuple[float, float, float] | None = None
    workspace_max: tuple[float, float, float] | None = None
    max_pose_age_s: float = option(
        0.5, 'An older tool pose counts as none while the box is on', unit='s', range=(0.01, 5.0)
    )
    max_age_s: float = option(
        0.5, 'Actions with an older capture stamp are stale', unit='s', range=(0.01, 5.0)
    )
    max_future_s: float = option(
        0.05,
        'Actions stamped further ahead of the clock are refused',
        unit='s',
        range=(0.0001, 5.0),
    )
    min_step_s: float = option(0.01, 'Shortest policy step accepted', unit='s', range=(0.001, 1.0))
    max_step_s: float = option(
        0.5,
        'Longest policy step accepted: it bounds how long one action moves the arm',
        unit='s',
        range=(0.01, 2.0),
    )

    def __post_init__(self) -> None:
        check_options(self)
        if self.min_step_s > self.max_step_s:
            raise ValueError(
                f'max_step_s is {self.max_step_s}, expected min_step_s, {self.min_step_s}, or more'
            )
        if (self.workspace_min is None) != (self.workspace_max is None):
            raise ValueError('workspace has one corner, expected both or none')
        low, high = self.workspace_min, self.workspace_max
        if low is not None and high is not None:
            whole = len(low) == len(high) == 3 and all(
                -inf < a < b < inf for a, b in zip(low, high, strict=True)
            )
            if not whole:
                raise ValueError(f'workspace is {low} to {high}, expected min below max, 3 axes')

    @property
    def boxed(self) -> bool:
        """Whether the workspace box is on."""
        return self.workspace_min is not None


def motion(row: list[float]) -> list[float]:
    """Return what an action of the end effector moves, without its gripper: m and rad."""
    return row[LINEAR] + row[ANGULAR]


class Record:
    """What was accepted before: order, velocity, and the path of the last second."""

    def __init__(self) -> None:
        self._paths: deque[tuple[int, float, float]] = deque()
        self.forget(0)

    def forget(self, not_before_ns: int) -> None:
        """Begin anew: older stamps are stale, the arm is at rest.

        The path of the last second stays: stopping and enabling must not double the limit.
        """
        self.not_before_ns = not_before_ns
        self.newest_stamp_ns: int | None = None
        self._velocity = ZERO
        self._moving_until_ns: int | None = None

    def add(self, action: Action, now_ns: int, step_s: float) -> None:
        """Remember an accepted action."""
        row = action.values.tolist()
        self.newest_stamp_ns = action.stamp_ns
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


def check(
    action: object,
    step_s: float,
    limits: Limits,
    record: Record,
    now_ns: int,
    clock_ns: int,
    position: tuple[float, float, float] | None = None,
    grace_s: float = 0.0,
) -> Refusal | None:
    """Check an action against every limit.

    Args:
        action: The action.
        step_s: Its policy step, seconds.
        limits: The limits.
        record: What was accepted before.
        now_ns: Monotonic time, nanoseconds.
        clock_ns: Time on the clock of the stamps, nanoseconds.
        position: Where the displacement begins, m, base frame; None without a fresh pose.
        grace_s: How long after its step the last action still counts as motion.

    Returns:
        The first refusal, None when the action is within all limits.
    """
    if not isinstance(action, Action):
        return Refusal(
            'malformed', f'{type(action).__name__} is no action of {END_EFFECTOR.width} columns'
        )
    if action.space is not END_EFFECTOR and action.space != END_EFFECTOR:
        return Refusal(
            'action_space',
            f"action is of the space '{action.space.name}' with the columns "
            f"{' '.join(action.space.names)}, expected '{END_EFFECTOR.name}' with "
            f'{" ".join(END_EFFECTOR.names)}',
        )
    if not limits.min_step_s <= step_s * ROUNDING or not step_s <= limits.max_step_s * ROUNDING:
        return Refusal(
            'malformed', f'step is {step_s} s, expected {limits.min_step_s} to {limits.max_step_s}'
        )
    row = action.values.tolist()
    if not all(map(isfinite, row)):
        return Refusal('nan_or_inf', f'action is {row}')
    gripper = row[GRIPPER_AT]
    if not -GRIPPER_TOLERANCE <= gripper <= 1 + GRIPPER_TOLERANCE:
        return Refusal('gripper_range', f'gripper is {gripper:.4g}, expected 0 to 1')
    return (
        _check_stamp(action.stamp_ns, limits, record, clock_ns)
        or _check_motion(row, step_s, limits, record, now_ns, grace_s)
        or _check_workspace(row, limits, position)
    )


def no_pose(limits: Limits) -> Refusal:
    """Return the refusal for want of a tool pose, without which no box can be kept."""
    return Refusal('no_pose', f'workspace is on, no pose within {limits.max_pose_age_s} s')


def _check_stamp(stamp_ns: int, limits: Limits, record: Record, clock_ns: int) -> Refusal | None:
    age_s = (clock_ns - stamp_ns) / NS
    if stamp_ns < record.not_before_ns:
        return Refusal('stale', f'stamp is {age_s:.3f} s old, from before the arm was enabled')
    if age_s > limits.max_age_s:
        return Refusal('stale', f'stamp is {age_s:.3f} s old, at most {limits.max_age_s}')
    if -age_s > limits.max_future_s:
        return Refusal('from_the_future', f'stamp is {-age_s:.3f} s ahead of the clock')
    if record.newest_stamp_ns is not None and stamp_ns <= record.newest_stamp_ns:
        return Refusal('out_of_order', f'stamp {stamp_ns} is not after {record.newest_stamp_ns}')
    return None


def _check_motion(
    row: list[float], step_s: float, limits: Limits, record: Record, now_ns: int, grace_s: float
) -> Refusal | None:
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


def _check_workspace(
    row: list[float], limits: Limits, position: tuple[float, float, float] | None
) -> Refusal | None:
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
