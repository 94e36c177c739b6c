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

"""The last motion of the end effector, as pruning and the speed controller read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot, inf, isfinite
from typing import cast

import numpy as np

from vla_accel_ros.action_columns import AXES, ColumnKind
from vla_accel_ros.action_space import END_EFFECTOR, ActionSpace

Vector = tuple[float, float, float]
STILL: Vector = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Motion:
    """How the end effector moved in the last action.

    Attributes:
        translation: Displacement over one policy step in the base frame, metres.
        rotation: Rotation vector over one policy step, radians.
        step_s: Seconds of a policy step.

    Raises:
        ValueError: When the step is not positive or a displacement is not finite.
    """

    translation: Vector
    rotation: Vector
    step_s: float

    def __post_init__(self) -> None:
        if not 0 < self.step_s < float('inf'):
            raise ValueError(f'step_s is {self.step_s} s, expected above 0 and finite')
        for name in ('translation', 'rotation'):
            values = tuple(float(v) for v in getattr(self, name))
            if len(values) != AXES or not all(map(isfinite, values)):
                raise ValueError(f'{name} is {values}, expected {AXES} finite numbers')
            object.__setattr__(self, name, values)

    @classmethod
    def from_action(
        cls, values: Sequence[float] | np.ndarray, step_s: float, space: ActionSpace = END_EFFECTOR
    ) -> Motion | None:
        """Build from an action and the policy step.

        Of several arms, the one whose tool moves furthest gives the translation, and the one that
        turns furthest the rotation.

        Args:
            values: The action, [width].
            step_s: Seconds of a policy step.
            space: What its columns are.

        Returns:
            The motion; None where the space says nothing of an end effector.

        Raises:
            ValueError: When a value is not finite, or the step is not positive.
        """
        vectors = [part for part in space.parts if part.kind.is_vector]
        if not vectors:
            return None
        translation, rotation = (
            max(
                (
                    cast(Vector, tuple(values[part.columns]))
                    for part in vectors
                    if part.kind is kind
                ),
                key=_size,
                default=STILL,
            )
            for kind in (ColumnKind.TRANSLATION, ColumnKind.ROTATION)
        )
        return cls(translation, rotation, step_s)

    @property
    def linear_speed(self) -> float:
        """Speed of the end effector, m/s."""
        return hypot(*self.translation) / self.step_s

    @property
    def angular_speed(self) -> float:
        """Angular speed of the end effector, rad/s."""
        return hypot(*self.rotation) / self.step_s

    @property
    def vertical_speed(self) -> float:
        """Velocity along the base frame's z, m/s, upwards positive."""
        _, _, vertical = self.translation
        return vertical / self.step_s


def _size(vector: Vector) -> float:
    """Give a vector's length; one that is not finite is the longest, so that it is refused."""
    size = hypot(*vector)
    return size if isfinite(size) else inf
