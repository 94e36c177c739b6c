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


"""The table top as a MuJoCo model: arm, gripper, table, three cubes and a bin, no mesh files.

The arm's kinematics, masses and gains are those of `panda.json` (Franka Emika Panda, values of
the public MuJoCo Menagerie model). The base frame is the world frame: origin at the arm's foot,
x to the front, z up; the table's surface is z = 0.
"""

from __future__ import annotations

from xml.etree import ElementTree

from vla_accel_ros.sim.arm_model import add_arm, add_drives, add_foot, panda
from vla_accel_ros.sim.looks import RGBA, camera, text

COLOURS = ('red', 'green', 'blue')
CUBE_HALF = 0.026
BIN_HALF = 0.070
BIN_WALL = 0.004
BIN_HEIGHT = 0.045
BIN_FLOOR = 0.004
TIMESTEP = 0.005


def scene_xml() -> str:
    """Return the whole scene as MJCF text."""
    numbers = panda()
    root, world = add_room('tabletop')
    add_foot(world)
    camera(world, 'agent')
    camera(world, 'scene')
    add_arm(world, numbers)
    for index, colour in enumerate(COLOURS):
        add_cube(world, colour, f'0.5 {0.12 * (index - 1)} {CUBE_HALF}')
    _bin(world)
    add_drives(root, numbers)
    return ElementTree.tostring(root, encoding='unicode')


def add_room(name: str):
    """Begin a scene with options, looks and a table.

    Returns:
        The root element, and the world's body.
    """
    root = ElementTree.Element('mujoco', model=name)
    add = ElementTree.SubElement
    add(root, 'compiler', angle='radian', autolimits='true')
    add(root, 'statistic', center='0.4 0 0.2', extent='1')
    add(
        root,
        'option',
        timestep=str(TIMESTEP),
        integrator='implicitfast',
        cone='elliptic',
        impratio='10',
    )
    _looks(root)
    world = add(root, 'worldbody')
    _table(world)
    return root, world


def _looks(root) -> None:
    add = ElementTree.SubElement
    visual = add(root, 'visual')
    add(visual, 'global', offwidth='1280', offheight='960')
    add(visual, 'quality', shadowsize='1024', offsamples='4')
    add(
        visual,
        'headlight',
        ambient='0.46 0.46 0.46',
        diffuse='0.32 0.32 0.32',
        specular='0.05 0.05 0.05',
    )
    add(visual, 'map', znear='0.01', zfar='20', shadowclip='1.2')
    asset = add(root, 'asset')
    add(
        asset,
        'texture',
        type='skybox',
        builtin='gradient',
        rgb1='0.93 0.95 0.97',
        rgb2='0.62 0.68 0.75',
        width='32',
        height='192',
    )
    add(asset, 'material', name='shell', rgba=RGBA['shell'], specular='0.4', shininess='0.5')
    add(asset, 'material', name='joint', rgba=RGBA['joint'], specular='0.4', shininess='0.5')


def _table(world) -> None:
    add = ElementTree.SubElement
    add(
        world,
        'light',
        pos='0.4 -0.6 1.8',
        dir='0 0.35 -1',
        directional='true',
        diffuse='0.34 0.34 0.34',
        specular='0.2 0.2 0.2',
    )
    add(
        world,
        'geom',
        name='table',
        type='box',
        pos='0.25 0 -0.02',
        size='0.85 0.75 0.02',
        rgba=RGBA['table'],
        friction='1 0.005 0.0001',
    )


def add_cube(world, colour: str, place: str) -> None:
    """Add a cube that can be moved.

    Args:
        world: The world's body.
        colour: One of `COLOURS`.
        place: Its centre, m.
    """
    add = ElementTree.SubElement
    body = add(world, 'body', name=colour, pos=place)
    add(body, 'freejoint', name=colour)
    add(
        body,
        'geom',
        name=colour,
        type='box',
        size=text([CUBE_HALF] * 3),
        mass='0.08',
        rgba=RGBA[colour],
        friction='1 0.005 0.0001',
        condim='4',
    )


def _bin(world) -> None:
    add = ElementTree.SubElement
    body = add(world, 'body', name='bin', mocap='true', pos='0.45 0.18 0')
    outer, middle = BIN_HALF + BIN_WALL, BIN_HEIGHT / 2
    walls = (
        ((0, 0, BIN_FLOOR / 2), (outer, outer, BIN_FLOOR / 2)),
        ((BIN_HALF + BIN_WALL / 2, 0, middle), (BIN_WALL / 2, outer, middle)),
        ((-BIN_HALF - BIN_WALL / 2, 0, middle), (BIN_WALL / 2, outer, middle)),
        ((0, BIN_HALF + BIN_WALL / 2, middle), (outer, BIN_WALL / 2, middle)),
        ((0, -BIN_HALF - BIN_WALL / 2, middle), (outer, BIN_WALL / 2, middle)),
    )
    for position, size in walls:
        add(body, 'geom', type='box', pos=text(position), size=text(size), rgba=RGBA['bin'])
