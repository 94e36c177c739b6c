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

"""How the product's seven columns become the action of an environment that is not ours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vla_accel_ros.action_space import END_EFFECTOR

NAMES = END_EFFECTOR.names
MOVING = END_EFFECTOR.moving
TOOL = END_EFFECTOR.tool()


@dataclass(frozen=True)
class ActionMapping:
    """From m, rad and a gripper of 0 open to 1 closed to an environment's columns, and back.

    The default is the product's own convention. Displacements are what the environment is
    *told*: a compliant controller follows them with a lag of its own.

    Attributes:
        columns: What each of the environment's columns is, by the names of `END_EFFECTOR`. Columns
            that it lacks are dropped: say so only of an environment that cannot turn, say.
        scale: m (x, y, z) and rad (roll, pitch, yaw) that one unit of the environment stands
            for, six numbers in the order of `END_EFFECTOR`; may be negative.
        gripper_open: The environment's value for an open gripper.
        gripper_closed: The environment's value for a closed one.
        binary: Whether the gripper is told one of the two and nothing between; half shut, 0.5,
            is the middle between them then, as in LIBERO's protocol (a sign of 0 is 0).

    Raises:
        ValueError: When a column is unknown or named twice, a scale is 0, or open is closed.
    """

    columns: tuple[str, ...] = NAMES
    scale: tuple[float, ...] = (1.0,) * len(MOVING)
    gripper_open: float = 0.0
    gripper_closed: float = 1.0
    binary: bool = False

    def __post_init__(self) -> None:
        unknown = [name for name in self.columns if name not in NAMES]
        if unknown or not self.columns or len(set(self.columns)) < len(self.columns):
            raise ValueError(
                f'action columns are {list(self.columns)}, expected each at most once of '
                f'{list(NAMES)}'
            )
        usable = [bool(np.isfinite(unit) and unit) for unit in self.scale]
        if len(usable) != len(MOVING) or not all(usable):
            raise ValueError(
                f'action scale is {list(self.scale)}, expected {len(MOVING)} numbers but 0: m or '
                'rad for a unit of the environment'
            )
        if self.gripper_open == self.gripper_closed:
            raise ValueError(f'an open and a closed gripper are both {self.gripper_open}')

    def check(self, shape: tuple[int, ...] | None, name: str) -> None:
        """Refuse an action space of another shape.

        Args:
            shape: The environment's; None where its actions are no array of numbers.
            name: What the environment is called.

        Raises:
            ValueError: When it differs; names both.
        """
        if shape != (len(self.columns),):
            has = 'no array of numbers' if shape is None else f'of shape {list(shape)}'
            raise ValueError(
                f'actions of {name} are {has}, expected [{len(self.columns)}]: '
                f'{" ".join(self.columns)}'
            )

    def to_environment(self, action: np.ndarray) -> np.ndarray:
        """Return the environment's action for the product's.

        Args:
            action: float [7]; m, rad, gripper 0 open to 1 closed.

        Returns:
            float64 [columns], not cut to the environment's bounds.
        """
        values = np.array(action, dtype=np.float64)
        values[MOVING] /= self.scale
        share = values[TOOL.gripper]
        if self.binary:
            share = 0.5 + 0.5 * np.sign(share - 0.5)
        values[TOOL.gripper] = self.gripper_open + share * (
            self.gripper_closed - self.gripper_open
        )
        return values[[NAMES.index(name) for name in self.columns]]

    def to_product(self, action: np.ndarray) -> np.ndarray:
        """Return the product's action for the environment's: what a demonstration did.

        Args:
            action: float [columns].

        Returns:
            float64 [7]; 0 in columns that the environment lacks.
        """
        values = np.zeros(END_EFFECTOR.width)
        values[[NAMES.index(name) for name in self.columns]] = action
        values[MOVING] *= self.scale
        if NAMES[TOOL.gripper] in self.columns:
            span = self.gripper_closed - self.gripper_open
            values[TOOL.gripper] = (values[TOOL.gripper] - self.gripper_open) / span
        return values

    def limits(self, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the bounds of the product's action, float64 [7] each, for the environment's."""
        ends = self.to_product(low), self.to_product(high)
        return np.minimum(*ends), np.maximum(*ends)


# robosuite's OSC_POSE, and so LIBERO: -1..1 is a displacement of 5 cm and 0.5 rad about the base
# axes (output_max of its controller files), gripper -1 open to 1 closed.
OSC_POSE = ActionMapping(
    scale=(0.05, 0.05, 0.05, 0.5, 0.5, 0.5), gripper_open=-1.0, gripper_closed=1.0, binary=True
)
