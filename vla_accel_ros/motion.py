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

from dataclasses import dataclass
from math import hypot

import numpy as np


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

    translation: tuple[float, float, float]
    rotation: tuple[float, float, float]
    step_s: float

    def __post_init__(self) -> None:
        if not 0 < self.step_s < float('inf'):
            raise ValueError(f'step_s is {self.step_s} s, expected above 0 and finite')
        for name in ('translation', 'rotation'):
            values = tuple(float(v) for v in getattr(self, name))
            if len(values) != 3 or not np.isfinite(values).all():
                raise ValueError(f'{name} is {values}, expected 3 finite numbers')
            object.__setattr__(self, name, values)

    @classmethod
    def from_action(cls, values, step_s: float) -> Motion:
        """Build from an action's 7 values (m, rad, gripper) and the policy step."""
        return cls(tuple(values[0:3]), tuple(values[3:6]), step_s)

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
        return self.translation[2] / self.step_s
