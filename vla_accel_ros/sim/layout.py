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


"""Where things are at the start of an episode, drawn at random within comfortable reach."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vla_accel_ros.sim.rotations import DOWN, yaw_matrix
from vla_accel_ros.sim.scene import COLOURS

CUBES = np.array([[0.40, -0.20], [0.59, 0.06]])
CUBE_DISTANCE = 0.105
CUBE_YAW = 0.30
BIN = np.array([[0.42, 0.175], [0.52, 0.195]])
TOOL = np.array([[0.42, -0.12, 0.17], [0.52, 0.06, 0.23]])
TOOL_YAW = 0.10


@dataclass(frozen=True, eq=False)
class Layout:
    """A start, poses in the base frame.

    Attributes:
        cubes: x, y float64 [2] of each cube in m and its yaw in rad, by colour.
        bin_position: x, y float64 [2] of the bin, m.
        tool_position: float64 [3], m.
        tool_rotation: float64 [3, 3].
    """

    cubes: dict[str, tuple[np.ndarray, float]]
    bin_position: np.ndarray
    tool_position: np.ndarray
    tool_rotation: np.ndarray


def draw(random: np.random.Generator) -> Layout:
    """Draw a layout; the cubes keep room for a finger between them."""
    while True:
        places = random.uniform(CUBES[0], CUBES[1], (len(COLOURS), 2))
        gaps = np.linalg.norm(places[:, None] - places[None], axis=-1)
        if gaps[np.triu_indices(len(COLOURS), 1)].min() > CUBE_DISTANCE:
            break
    yaws = random.uniform(-CUBE_YAW, CUBE_YAW, len(COLOURS)).tolist()
    return Layout(
        cubes=dict(zip(COLOURS, zip(places, yaws, strict=True), strict=True)),
        bin_position=random.uniform(BIN[0], BIN[1]),
        tool_position=random.uniform(TOOL[0], TOOL[1]),
        tool_rotation=yaw_matrix(random.uniform(-TOOL_YAW, TOOL_YAW)) @ DOWN,
    )
