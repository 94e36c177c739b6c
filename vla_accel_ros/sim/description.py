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

from vla_accel_ros.sim.rotations import to_rpy
from vla_accel_ros.sim.scene import panda

JOINT_NAMES = tuple(f'joint{i}' for i in range(1, 8))
# Of the maker's data sheet, rad/s; the simulation itself knows none.
SPEEDS = (2.175, 2.175, 2.175, 2.175, 2.61, 2.61, 2.61)


def urdf() -> str:
    """Return the description as text: the chain of the seven joints and their limits."""
    robot = ElementTree.Element('robot', name='vla_accel_arm')
    add = ElementTree.SubElement
    add(robot, 'link', name='base_link')
    parent = 'base_link'
    for name, link, speed in zip(JOINT_NAMES, panda()['arm'], SPEEDS, strict=True):
        add(robot, 'link', name=link['body'])
        joint = add(robot, 'joint', name=name, type='revolute')
        add(joint, 'parent', link=parent)
        add(joint, 'child', link=link['body'])
        add(joint, 'origin', xyz=_text(link['pos']), rpy=_text(to_rpy(link['quat_wxyz'])))
        add(joint, 'axis', xyz='0 0 1')
        lower, upper = link['joint_range']
        add(joint, 'limit', lower=str(lower), upper=str(upper), velocity=str(speed), effort='87')
        parent = link['body']
    return ElementTree.tostring(robot, encoding='unicode')


def _text(values) -> str:
    return ' '.join(f'{value:.9g}' for value in values)
