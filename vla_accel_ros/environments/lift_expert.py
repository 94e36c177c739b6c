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

"""A scripted expert for robosuite's Lift: a function of the simulator's state only."""

from __future__ import annotations

import math

import numpy as np

# Of what is asked of it in a step, OSC_POSE does about a quarter: the goal starts from where the
# arm is, not from where it should be.
GAIN = 3.0
HOVER = 0.10
FUNNEL = 0.010
DEPTH = 0.012
# Between the fingers, m: the cubes are 40 to 44 mm wide, the open hand 80 mm.
HOLDING = 0.047
LIFT = 0.025


def lift(tool: np.ndarray, cube: np.ndarray, width: float, yaw_error: float) -> np.ndarray:
    """Return what to do to lift the cube.

    Args:
        tool: Position of the tool [3] in m.
        cube: Position of the cube [3] in m, in the same frame.
        width: Distance between the fingers, m.
        yaw_error: Turn about z that lines the fingers up with the cube, rad.

    Returns:
        float64 [7]: m, rad, gripper 0 open to 1 closed.
    """
    offset = cube - tool
    sideways = math.hypot(offset[0], offset[1])
    between = sideways < 1.5 * FUNNEL and abs(offset[2]) < 1.5 * DEPTH
    turn = [0.0, 0.0, GAIN * yaw_error]
    if between and width < HOLDING:
        return np.array([0.0, 0.0, LIFT, 0.0, 0.0, 0.0, 1.0])
    if between and abs(offset[2]) < DEPTH:
        return np.array([*(GAIN * offset), 0.0, 0.0, 0.0, 1.0])
    # Above the cube until it is lined up, then down.
    aligned = sideways < FUNNEL and abs(yaw_error) < 0.15
    goal = offset + [0.0, 0.0, 0.0 if aligned else HOVER]
    return np.array([*(GAIN * goal), *turn, 0.0])


def yaw_error(tool: np.ndarray, cube: np.ndarray) -> float:
    """Return the turn about z, -45 to 45 degrees in rad, that lines the tool up with the cube.

    Args:
        tool: Rotation [3, 3] of the tool, which points down.
        cube: Rotation [3, 3] of the cube.
    """
    difference = math.atan2(cube[1, 0], cube[0, 0]) - math.atan2(tool[1, 0], tool[0, 0])
    quarter = math.pi / 2
    return (difference + quarter / 2) % quarter - quarter / 2
