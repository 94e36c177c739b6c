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


"""The hand of the embedded arm and its two fingers, as MJCF elements."""

from __future__ import annotations

from xml.etree import ElementTree

from vla_accel_ros.sim.looks import RGBA, camera, text

FINGER_OPEN = 0.04
FINGER_THICK = 0.012


def add_hand(link7, numbers: dict) -> None:
    """Fix hand, fingers and the wrist camera to the last link."""
    add = ElementTree.SubElement
    hand = add(
        link7,
        'body',
        name='hand',
        pos=text(numbers['pos']),
        quat=text(numbers['quat_wxyz']),
        gravcomp='1',
    )
    add(
        hand,
        'inertial',
        pos=text(numbers['inertia_pos']),
        mass=str(numbers['mass']),
        diaginertia=text(numbers['diaginertia']),
    )
    # Slimmer toward the fingers, as the real one is: else it fills the wrist camera's lower edge.
    for position, size in (('0 0 0.020', '0.030 0.100 0.020'), ('0 0 0.053', '0.020 0.096 0.013')):
        add(hand, 'geom', type='box', pos=position, size=size, rgba=RGBA['hand'], mass='0')
    add(
        hand,
        'geom',
        type='cylinder',
        fromto='0 0 -0.03 0 0 0.004',
        size='0.044',
        material='joint',
        contype='0',
        conaffinity='0',
        mass='0',
    )
    add(
        hand, 'site', name='tool', pos=text(numbers['tool_site_pos']), size='0.004', rgba='0 0 0 0'
    )
    camera(hand, 'wrist')
    for side, sign in (('left', 1), ('right', -1)):
        finger = add(
            hand, 'body', name=f'finger_{side}', pos=text(numbers['finger_pos']), gravcomp='1'
        )
        add(
            finger,
            'inertial',
            pos='0 0 0.02',
            mass=str(numbers['finger_mass']),
            diaginertia=text(numbers['finger_diaginertia']),
        )
        add(
            finger,
            'joint',
            name=f'finger_{side}',
            type='slide',
            axis=f'0 {sign} 0',
            range=text(numbers['finger_range']),
            armature='0.1',
            damping='10',
        )
        add(
            finger,
            'geom',
            type='box',
            pos=f'0 {sign * 0.012} 0.018',
            size='0.010 0.008 0.018',
            rgba=RGBA['finger'],
            contype='0',
            conaffinity='0',
            mass='0',
        )
        add(
            finger,
            'geom',
            name=f'pad_{side}',
            type='box',
            pos=text((0, sign * FINGER_THICK / 2, 0.036)),
            size=text((0.009, FINGER_THICK / 2, 0.018)),
            rgba=RGBA['pad'],
            friction='2 0.05 0.0001',
            condim='4',
            solref='0.01 1',
            priority='1',
            mass='0',
        )
