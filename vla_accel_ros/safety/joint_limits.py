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

"""Limits of each joint: what the robot's description says, tightened by parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from vla_accel_ros.inputs.urdf import DescribedLimit
from vla_accel_ros.options import check_options, option

FARTHEST = 1000.0
_LISTS = ('lower', 'upper', 'velocity', 'acceleration', 'largest_step')


@dataclass(frozen=True)
class JointSettings:
    """What a person sets about joints; lists have one number for all, or one a joint.

    Joints are in the order of the action's columns. Of a limit that the description has, too, the
    tighter one holds.

    Raises:
        ValueError: When a value is outside its range.
    """

    lower: tuple[float, ...] = option(
        (-FARTHEST,),
        'Least position, where above that of robot_description; one number, or one a joint',
        unit='rad or m',
        range=(-FARTHEST, FARTHEST),
    )
    upper: tuple[float, ...] = option(
        (FARTHEST,),
        'Largest position, where below that of robot_description; likewise',
        unit='rad or m',
        range=(-FARTHEST, FARTHEST),
    )
    velocity: tuple[float, ...] = option(
        (100.0,),
        'Largest speed of a joint, where below that of robot_description; likewise',
        unit='rad/s or m/s',
        range=(0.001, 100.0),
    )
    acceleration: tuple[float, ...] = option(
        (50.0,),
        "Largest change of a joint's speed a second; braking is free; likewise",
        unit='rad/s^2 or m/s^2',
        range=(0.01, 10000.0),
    )
    largest_step: tuple[float, ...] = option(
        (0.3,),
        'Farthest that an action or a command may be from the measured position; likewise',
        unit='rad or m',
        range=(0.0001, 10.0),
    )
    max_age_s: float = option(
        0.1,
        'An older position of a joint counts as none: the arm is held',
        unit='s',
        range=(0.005, 1.0),
    )

    def __post_init__(self) -> None:
        check_options(self)

    def each(self, count: int) -> dict[str, tuple[float, ...]]:
        """Give of each list a number for each joint, by its name.

        Args:
            count: Joints.

        Raises:
            ValueError: When a list has another length.
        """
        found = {}
        for key in _LISTS:
            values = getattr(self, key)
            if len(values) not in (1, count):
                raise ValueError(f'joints.{key} has {len(values)} numbers, expected 1 or {count}')
            found[key] = tuple(values) * (count if len(values) == 1 else 1)
        return found


class JointLimit(NamedTuple):
    """Limits of one joint, in rad or m and seconds.

    Attributes:
        name: The joint's.
        unit: `rad` or `m`.
        lower: Least position.
        upper: Largest.
        velocity: Largest speed.
        acceleration: Largest change of the speed a second.
        largest_step: Farthest that an action may be from the measured position.
    """

    name: str
    unit: str
    lower: float
    upper: float
    velocity: float
    acceleration: float
    largest_step: float


def joint_limits(
    names: Sequence[str],
    units: Sequence[str],
    described: Mapping[str, DescribedLimit | ValueError],
    settings: JointSettings,
) -> tuple[JointLimit, ...]:
    """Give the limits of each joint.

    Args:
        names: Names of the joints, in the order of the action's columns.
        units: `rad` or `m` of each.
        described: What the robot's description says, by name.
        settings: What tightens it.

    Raises:
        ValueError: When a joint is not described, a list has another length, or the limits leave
            no room.
    """
    missing = [name for name in names if name not in described]
    if missing:
        raise ValueError(
            f'robot_description has no limits of {", ".join(missing)}, only of '
            f'{", ".join(sorted(described)) or "no joint"}'
        )
    lists = settings.each(len(names))
    found = []
    for place, (name, unit) in enumerate(zip(names, units, strict=True)):
        mine, said = {key: values[place] for key, values in lists.items()}, described[name]
        if isinstance(said, ValueError):
            raise said
        lower, upper = max(mine['lower'], said.lower), min(mine['upper'], said.upper)
        if not lower < upper:
            raise ValueError(f'{name} goes from {lower:g} to {upper:g} {unit}, expected some room')
        velocity = min(mine['velocity'], said.velocity)
        found.append(
            JointLimit(
                name, unit, lower, upper, velocity, mine['acceleration'], mine['largest_step']
            )
        )
    return tuple(found)
