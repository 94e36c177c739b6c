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

"""A scripted expert for SimplerEnv's tasks: a function of the simulator's state only.

It remembers nothing, so that whatever goes wrong is taken up again from where it is. Fast in the
open, slow where something is touched, as people are. All waypoints are ours.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from vla_accel_ros.sim.motion import ramp, toward
from vla_accel_ros.sim.rotations import wrap

# m a step of 0.2 s.
FAST, SLOW = 0.050, 0.015
TURN = 0.35
# Of the way that is left. What is told adds up, and the arm is behind it: more would go too far.
GAIN = 0.6
HOVER = 0.050
# How high a thing is carried over where it goes, and from where it is let go, m.
CLEAR, REST = 0.045, 0.004
ALIGNED = 0.010
# From the fingertips to the point between them, m. Tips that press on the table do not close.
TIPS = 0.022
# How far above the thing the hand stays when it is done, m.
AWAY = 0.12
# Between fingers that are open, m.
OPEN = 0.066


class Scene(NamedTuple):
    """One instant, in the frame in which actions are told.

    Attributes:
        tool: Position of the point between the fingertips, [3] in m.
        heading: Direction in which the fingers open, about z in rad; half a turn is the same.
        pointing: Direction in which the hand points, a unit vector [3].
        width: Distance between the fingers, m.
        held: Whether both fingers press on the thing.
        thing: Position of the thing, [3] in m.
        long: Direction of its long side, about z in rad; None where it has none.
        half: Half its height, m.
        goal: Position of what it goes onto, [3] in m.
        top: Height of the surface that it goes onto, m.
    """

    tool: np.ndarray
    heading: float
    pointing: np.ndarray
    width: float
    held: bool
    thing: np.ndarray
    long: float | None
    half: float
    goal: np.ndarray
    top: float


def act(scene: Scene) -> np.ndarray:
    """Return what to do now.

    Returns:
        float64 [7]: told displacement in m and rad, gripper 0 open to 1 closed.
    """
    offset = scene.goal - scene.thing
    sideways = math.hypot(offset[0], offset[1])
    bottom = scene.thing[2] - scene.half - scene.top
    if sideways < 0.020 and bottom < 2 * REST:
        # Let go, and rise when the fingers are open.
        left = (scene.thing[2] + AWAY - scene.tool[2]) * (scene.width > OPEN)
        up = np.array([0.0, 0.0, max(left, 0.0)])
        return _told(toward(up, SLOW, GAIN), _level(scene), 0.0)
    if scene.held:
        return _deliver(scene, offset, sideways, bottom)
    return _grasp(scene)


def _grasp(scene: Scene) -> np.ndarray:
    offset = scene.thing - scene.tool
    offset[2] += max(TIPS - scene.half, 0.0)
    turn = _turn(scene)
    sideways = math.hypot(offset[0], offset[1])
    misfit = sideways + 0.04 * float(np.abs(turn).max())
    above = -offset[2]
    # Fingers that are closing already go on where they would not have begun.
    closing = 0.012 * ramp((OPEN - scene.width) / 0.010)
    if misfit < ALIGNED + closing and above < 0.008 + closing:
        return _told(np.zeros(3), turn, 1.0)
    height = HOVER * ramp((misfit - 0.6 * ALIGNED) / 0.020)
    step = toward(offset + [0.0, 0.0, height], _speed(sideways, above - HOVER), GAIN)
    # Beside the thing and below the height of hovering: rise first, go sideways after.
    low = ramp((height - above - 0.02) / 0.03)
    return _told(step * (1.0 - low) + [0.0, 0.0, 0.03 * low], turn, 0.0)


def _deliver(scene: Scene, offset: np.ndarray, sideways: float, bottom: float) -> np.ndarray:
    far = ramp((sideways - 0.010) / 0.03)
    up = REST + (CLEAR - REST) * far - bottom
    step = toward(np.array([offset[0], offset[1], up]), _speed(sideways, up), GAIN)
    # Below what stands in the way: straight up, slowly.
    low = ramp((up - 0.015) / 0.02)
    return _told(step * (1.0 - low) + [0.0, 0.0, SLOW * low], _level(scene), 1.0)


def _level(scene: Scene) -> np.ndarray:
    """Return the turn after which the hand points down, rotation vector [3] in rad."""
    return np.cross(scene.pointing, [0.0, 0.0, -1.0])


def _turn(scene: Scene) -> np.ndarray:
    """Return the turn after which the fingers close on the short side, rotation vector [3]."""
    turn = _level(scene)
    if scene.long is not None:
        turn[2] += wrap(scene.long + math.pi / 2 - scene.heading, math.pi)
    return turn


def _speed(sideways: float, vertical: float) -> float:
    return SLOW + (FAST - SLOW) * ramp((math.hypot(sideways, vertical) - 0.02) / 0.06)


def _told(step: np.ndarray, turn: np.ndarray, gripper: float) -> np.ndarray:
    return np.array([*step, *toward(turn, TURN, GAIN), gripper])
