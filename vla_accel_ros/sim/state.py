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


"""What the simulation knows about one instant, for the expert, the tasks and labels."""

from __future__ import annotations

from dataclasses import dataclass
import math

import numpy as np


@dataclass(frozen=True, eq=False)
class State:
    """Poses in the base frame, metres and radians.

    Attributes:
        ee_position: float64 [3], the tool between the finger tips.
        ee_rotation: float64 [3, 3], its axes; x to the front and z down at rest.
        width: Distance between the finger pads, m.
        gripper: The gripper command in force, 0 open to 1 closed.
        cubes: Centre float64 [3] of each cube, by colour.
        rotations: Axes float64 [3, 3] of each cube, by colour.
        bin_position: float64 [3], the middle of the bin's bottom.
        time: Simulated seconds since the reset.
    """

    ee_position: np.ndarray
    ee_rotation: np.ndarray
    width: float
    gripper: float
    cubes: dict[str, np.ndarray]
    rotations: dict[str, np.ndarray]
    bin_position: np.ndarray
    time: float

    @property
    def ee_yaw(self) -> float:
        """Heading of the tool's x axis about the base's z axis, rad."""
        return math.atan2(self.ee_rotation[1, 0], self.ee_rotation[0, 0])

    def yaw(self, colour: str) -> float:
        """Return a cube's heading about z, rad in [-pi/4, pi/4): a quarter turn is the same."""
        rotation = self.rotations[colour]
        # The column least along z gives a heading whichever face the cube lies on.
        column = int(np.argmin(np.abs(rotation[2])))
        heading = math.atan2(rotation[1, column], rotation[0, column])
        return (heading + math.pi / 4) % (math.pi / 2) - math.pi / 4
