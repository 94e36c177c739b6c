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

from dataclasses import dataclass
from math import inf, isfinite
from typing import NamedTuple

from vla_accel_ros.action_space import ActionSpace
from vla_accel_ros.actions import Action
from vla_accel_ros.options import check_options, option

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


class Order:
    """The stamps of what was accepted: they increase, and none is of before the enabling."""

    def __init__(self) -> None:
        self.forget(0)

    def forget(self, not_before_ns: int) -> None:
        """Begin anew: older stamps are stale."""
        self.not_before_ns = not_before_ns
        self.newest_ns: int | None = None

    def add(self, stamp_ns: int) -> None:
        """Remember the stamp of an accepted action."""
        self.newest_ns = stamp_ns


def check_form(
    action: object, step_s: float, limits: Limits, space: ActionSpace
) -> Refusal | None:
    """Check that an action is one of a space, finite, and of a step that can be.

    Args:
        action: The action.
        step_s: Its policy step, seconds.
        limits: The limits.
        space: What its columns must be.

    Returns:
        The first refusal, None when there is none.
    """
    if not isinstance(action, Action):
        return Refusal(
            'malformed', f'{type(action).__name__} is no action of {space.width} columns'
        )
    if action.space is not space and action.space != space:
        return Refusal(
            'action_space',
            f"action is of the space '{action.space.name}' with the columns "
            f"{' '.join(action.space.names)}, expected '{space.name}' with "
            f'{" ".join(space.names)}',
        )
    if not limits.min_step_s <= step_s * ROUNDING or not step_s <= limits.max_step_s * ROUNDING:
        return Refusal(
            'malformed', f'step is {step_s} s, expected {limits.min_step_s} to {limits.max_step_s}'
        )
    row = action.values.tolist()
    if not all(map(isfinite, row)):
        return Refusal('nan_or_inf', f'action is {row}')
    for place in space.grippers.tolist():
        if not -GRIPPER_TOLERANCE <= row[place] <= 1 + GRIPPER_TOLERANCE:
            name, value = space.names[place], row[place]
            return Refusal('gripper_range', f'{name} is {value:.4g}, expected 0 to 1')
    return None


def check_stamp(stamp_ns: int, limits: Limits, order: Order, clock_ns: int) -> Refusal | None:
    """Check that a capture stamp is neither old, nor ahead, nor out of order.

    Args:
        stamp_ns: The stamp, nanoseconds.
        limits: The limits.
        order: What was accepted before.
        clock_ns: Time on the clock of the stamps, nanoseconds.
    """
    age_s = (clock_ns - stamp_ns) / NS
    if stamp_ns < order.not_before_ns:
        return Refusal('stale', f'stamp is {age_s:.3f} s old, from before the arm was enabled')
    if age_s > limits.max_age_s:
        return Refusal('stale', f'stamp is {age_s:.3f} s old, at most {limits.max_age_s}')
    if -age_s > limits.max_future_s:
        return Refusal('from_the_future', f'stamp is {-age_s:.3f} s ahead of the clock')
    if order.newest_ns is not None and stamp_ns <= order.newest_ns:
        return Refusal('out_of_order', f'stamp {stamp_ns} is not after {order.newest_ns}')
    return None
