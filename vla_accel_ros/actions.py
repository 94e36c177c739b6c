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

"""Actions: what flows from the policy to the arm.

An action is the displacement of the end effector over one policy step, in the base frame:
metres along x, y, z, a small rotation vector about x, y, z in radians, and the gripper from
0 (open) to 1 (closed). A chunk is one or more consecutive actions that answer one observation.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

COLUMNS = ('x', 'y', 'z', 'roll', 'pitch', 'yaw', 'gripper')
WIDTH = len(COLUMNS)
TRANSLATION = slice(0, 3)
ROTATION = slice(3, 6)
GRIPPER = 6


class Source(str, Enum):
    """Where an action came from; SP-VLA's *generated* is VLA, its *fitted* all the others."""

    VLA = 'vla'
    RIDGE = 'ridge'
    HOLD = 'hold'

    @property
    def from_vla(self) -> bool:
        """Whether the VLA itself produced the action (SP-VLA, N_G counts these)."""
        return self is Source.VLA


def _frozen(values, shape: tuple[int | None, ...], what: str) -> np.ndarray:
    array = np.array(values, dtype=np.float64)
    expected = '[' + ', '.join('n' if n is None else str(n) for n in shape) + ']'
    fits = array.ndim == len(shape) and all(
        n is None or n == m for n, m in zip(shape, array.shape, strict=True)
    )
    if not fits:
        raise ValueError(f'{what} has shape {list(array.shape)}, expected {expected}')
    array.flags.writeable = False
    return array


@dataclass(frozen=True, eq=False)
class Action:
    """One displacement of the end effector over one policy step.

    Attributes:
        values: float64 [7], columns as in `COLUMNS`; m, rad, gripper 0 open to 1 closed.
        stamp_ns: Capture stamp of the observation that the action is for, nanoseconds.
        source: What produced it.

    Raises:
        ValueError: When the values are not 7 numbers. NaN and Inf are representable on
            purpose: refusing them, with a reason, is the business of `safety`.
    """

    values: np.ndarray
    stamp_ns: int = 0
    source: Source = Source.VLA

    def __post_init__(self) -> None:
        object.__setattr__(self, 'values', _frozen(self.values, (WIDTH,), 'action'))

    @property
    def translation(self) -> np.ndarray:
        """Displacement, float64 [3], metres per policy step."""
        return self.values[TRANSLATION]

    @property
    def rotation(self) -> np.ndarray:
        """Rotation vector, float64 [3], radians per policy step."""
        return self.values[ROTATION]

    @property
    def gripper(self) -> float:
        """Gripper, 0 open to 1 closed."""
        return float(self.values[GRIPPER])


@dataclass(frozen=True, eq=False)
class ActionChunk:
    """Consecutive actions that answer one observation.

    Attributes:
        values: float64 [n, 7], n >= 1, one row a policy step, columns as in `COLUMNS`.
        stamp_ns: Capture stamp of the observation answered, nanoseconds.
        source: What produced it.

    Raises:
        ValueError: When the values are not [n >= 1, 7].
    """

    values: np.ndarray
    stamp_ns: int = 0
    source: Source = Source.VLA

    def __post_init__(self) -> None:
        object.__setattr__(self, 'values', _frozen(self.values, (None, WIDTH), 'action chunk'))
        if len(self.values) == 0:
            raise ValueError('action chunk has no rows, expected at least 1')

    def __len__(self) -> int:
        return len(self.values)
