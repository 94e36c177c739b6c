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

"""The embedded arm as a robot's description (URDF): names, chain and limits of its joints."""

from __future__ import annotations

from xml.etree import ElementTree

from vla_accel_ros.sim.arm_model import joint_names, panda
from vla_accel_ros.sim.rotations import to_rpy

# Of the maker's data sheet, rad/s; the simulation itself knows none.
SPEEDS = (2.175, 2.175, 2.175, 2.175, 2.61, 2.61, 2.61)
JOINT_NAMES = joint_names(panda())


def urdf() -> str:
    """Return the description as text: the chain of the seven joints and their limits."""
    robot = ElementTree.Element('robot', name='vla_accel_arm')
    ElementTree.SubElement(robot, 'link', name='base_link')
    add_chain(robot, panda(), 'base_link')
    return ElementTree.tostring(robot, encoding='unicode')


def add_chain(robot, numbers: dict, base: str, prefix: str = '', place=(0.0, 0.0, 0.0)) -> None:
    """Add an arm's links and joints to a description.

    Args:
        robot: The root element.
        numbers: The arm's, as `arm_model.panda` gives them.
        base: Link that the arm stands on.
        prefix: What the arm's names begin with.
        place: Of the arm's foot on that link, m.
    """
    add = ElementTree.SubElement
    names, parent = iter(joint_names(numbers)), base
    for link, speed in zip(numbers['arm'], SPEEDS, strict=True):
        child, moves = f'{prefix}{link["body"]}', 'joint_range' in link
        add(robot, 'link', name=child)
        name = f'{prefix}{next(names)}' if moves else f'{child}_fixed'
        joint = add(robot, 'joint', name=name, type='revolute' if moves else 'fixed')
        add(joint, 'parent', link=parent)
        add(joint, 'child', link=child)
        at = [a + b for a, b in zip(link['pos'], place, strict=True)]
        add(joint, 'origin', xyz=_text(at), rpy=_text(to_rpy(link['quat_wxyz'])))
        if moves:
            add(joint, 'axis', xyz='0 0 1')
            lower, upper = map(str, link['joint_range'])
            add(joint, 'limit', lower=lower, upper=upper, velocity=str(speed), effort='87')
        parent, place = child, (0.0, 0.0, 0.0)


def _text(values) -> str:
    return ' '.join(f'{value:.9g}' for value in values)
