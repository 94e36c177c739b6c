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

"""Limits of joints, as a robot's description (URDF) says them."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, isfinite
from typing import NamedTuple
from xml.etree import ElementTree

# Kinds of joints that one number moves; a continuous one has no end.
LEAST_VELOCITY = 0.001
MOVABLE = ('revolute', 'prismatic', 'continuous')


class DescribedLimit(NamedTuple):
    """What a description says of a joint.

    Attributes:
        lower: Least position, rad or m; minus infinity of a continuous joint.
        upper: Largest.
        velocity: Largest speed, rad/s or m/s.
    """

    lower: float
    upper: float
    velocity: float


def read_limits(text: str) -> Mapping[str, DescribedLimit | ValueError]:
    """Read the limits of every joint that one number moves, by name.

    Args:
        text: The description, as the parameter or topic `robot_description` has it.

    Returns:
        Of each joint its limits, or the error to raise for whoever wants it: limits that are
        missing or not possible, or a name that comes twice.

    Raises:
        ValueError: When it is no URDF.
    """
    if '<!DOCTYPE' in text or '<!ENTITY' in text:
        raise ValueError('robot_description has a DOCTYPE or an ENTITY, expected plain URDF')
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise ValueError(f'robot_description is no XML: {error}') from None
    if root.tag != 'robot':
        raise ValueError(f'robot_description begins with <{root.tag}>, expected <robot>')
    # Joints of a <transmission> or of <ros2_control> are not children of the robot.
    found: dict[str, DescribedLimit | ValueError] = {}
    for joint in root.findall('joint'):
        name = joint.get('name')
        if name and joint.get('type') in MOVABLE:
            try:
                limit: DescribedLimit | ValueError = _limit(joint)
            except ValueError as error:
                limit = error
            twice = ValueError(f"joint '{name}' of robot_description comes twice")
            found[name] = twice if name in found else limit
    return found


def tighter(
    known: Mapping[str, DescribedLimit], described: Mapping[str, DescribedLimit | ValueError]
) -> dict[str, DescribedLimit | ValueError]:
    """Give a description's limits, none of them wider than what an earlier one said.

    Args:
        known: What was said before, by name.
        described: What `read_limits` gave.

    Returns:
        As `read_limits`; of a joint whose ranges have nothing in common, the error to raise.
    """
    found = dict(described)
    for name, new in described.items():
        old = known.get(name)
        if not isinstance(new, DescribedLimit) or old is None:
            continue
        lower, upper = max(old.lower, new.lower), min(old.upper, new.upper)
        if lower < upper:
            found[name] = DescribedLimit(lower, upper, min(old.velocity, new.velocity))
        else:
            found[name] = ValueError(
                f"joint '{name}' of robot_description goes from {new.lower:g} to {new.upper:g}, "
                f'and an earlier description said {old.lower:g} to {old.upper:g}: is it of '
                'another robot?'
            )
    return found


def _limit(joint: ElementTree.Element) -> DescribedLimit:
    name, limit = joint.get('name'), joint.find('limit')
    if limit is None:
        raise ValueError(f"joint '{name}' of robot_description has no <limit>")
    endless = joint.get('type') == 'continuous'
    lower = -inf if endless else _number(limit, 'lower', name, 0.0)
    upper = inf if endless else _number(limit, 'upper', name, 0.0)
    velocity = _number(limit, 'velocity', name, 0.0)
    if not lower < upper or not velocity >= LEAST_VELOCITY:
        raise ValueError(
            f"joint '{name}' of robot_description goes from {lower:g} to {upper:g} at "
            f'{velocity:g} a second, expected lower below upper and a velocity of at least '
            f'{LEAST_VELOCITY:g}'
        )
    return DescribedLimit(lower, upper, velocity)


def _number(limit: ElementTree.Element, key: str, name: str | None, absent: float) -> float:
    text = limit.get(key)
    if text is None:
        return absent
    try:
        value = float(text)
    except ValueError:
        value = inf
    if not isfinite(value):
        raise ValueError(
            f"joint '{name}' of robot_description has {key} '{text}', expected a number"
        )
    return value
