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


"""The arm as MJCF elements: its numbers, chain, foot and drives; with seven joints or with six."""

from __future__ import annotations

from collections.abc import Sequence
import json
from pathlib import Path
from xml.etree import ElementTree

from vla_accel_ros.sim.hand import add_hand
from vla_accel_ros.sim.looks import text

# Of the six-jointed arm: where the seven-jointed one has the joint that turns the elbow about.
_FIXED = 2
_NAMED = ('name', 'joint', 'joint1', 'joint2')


def panda() -> dict:
    """Return the arm's numbers as `panda.json` holds them (m, rad, kg, kg m^2)."""
    return json.loads(Path(__file__).with_name('panda.json').read_text())


def six_joints() -> dict:
    """Return the numbers of the same arm with its third joint held at zero."""
    numbers = panda()
    for each in (numbers['home_qpos'], numbers['actuators_position_kp_kd']):
        del each[_FIXED]
    del numbers['arm'][_FIXED]['joint_range']
    return numbers


def joint_names(numbers: dict) -> tuple[str, ...]:
    """Return the names of an arm's joints, fingers not among them."""
    return tuple(f'joint{place}' for place in range(1, 1 + len(numbers['home_qpos'])))


def ranges(numbers: dict) -> list[Sequence[float]]:
    """Return lowest and highest position of each joint, rad."""
    return [link['joint_range'] for link in numbers['arm'] if 'joint_range' in link]


def prefixed(element, prefix: str) -> None:
    """Put a prefix before every name that an element and those below it have or point at."""
    for each in element.iter():
        each.attrib.update({k: f'{prefix}{each.get(k)}' for k in _NAMED if k in each.attrib})


def add_foot(world) -> None:
    """Add what the arm stands on."""
    add = ElementTree.SubElement
    add(
        world,
        'geom',
        type='cylinder',
        fromto='0 0 0 0 0 0.15',
        size='0.075',
        material='shell',
        contype='0',
        conaffinity='0',
    )
    add(
        world,
        'geom',
        type='cylinder',
        fromto='0 0 0 0 0 0.012',
        size='0.10',
        material='joint',
        contype='0',
        conaffinity='0',
    )


def add_arm(world, numbers: dict) -> None:
    """Add links, joints, hand and fingers to a body."""
    armature, damping = numbers['joint_armature_damping']
    body, names = world, iter(joint_names(numbers))
    for link in numbers['arm']:
        body = ElementTree.SubElement(
            body,
            'body',
            name=link['body'],
            pos=text(link['pos']),
            quat=text(link['quat_wxyz']),
            gravcomp='1',
        )
        ElementTree.SubElement(
            body,
            'inertial',
            pos=text(link['inertia_pos']),
            mass=str(link['mass']),
            fullinertia=text(link['fullinertia_xx_yy_zz_xy_xz_yz']),
        )
        if 'joint_range' in link:
            ElementTree.SubElement(
                body,
                'joint',
                name=next(names),
                type='hinge',
                axis='0 0 1',
                range=text(link['joint_range']),
                armature=str(armature),
                damping=str(damping),
            )
        for number, (ends, radius) in enumerate(link['visual_capsules_fromto_radius']):
            ElementTree.SubElement(
                body,
                'geom',
                type='capsule',
                fromto=text(ends),
                size=str(radius),
                material='joint' if number else 'shell',
                contype='0',
                conaffinity='0',
                mass='0',
            )
    add_hand(body, numbers['hand'])


def add_drives(root, numbers: dict) -> None:
    """Add what moves the joints, and what keeps the two fingers apart alike."""
    equality = ElementTree.SubElement(root, 'equality')
    ElementTree.SubElement(
        equality,
        'joint',
        joint1='finger_left',
        joint2='finger_right',
        solimp='0.95 0.99 0.001',
        solref='0.005 1',
    )
    actuator = ElementTree.SubElement(root, 'actuator')
    gains = numbers['actuators_position_kp_kd']
    for name, (gain, damping) in zip(joint_names(numbers), gains, strict=True):
        ElementTree.SubElement(
            actuator, 'position', name=name, joint=name, kp=str(gain), kv=str(damping)
        )
    for side in ('left', 'right'):
        ElementTree.SubElement(
            actuator,
            'position',
            name=f'finger_{side}',
            joint=f'finger_{side}',
            kp='2000',
            kv='60',
            forcerange='-30 30',
        )
