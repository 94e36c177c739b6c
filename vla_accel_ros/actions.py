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

An action says what the arms are to do over one policy step; its `ActionSpace` says what each
column means. A chunk is one or more consecutive actions that answer one observation.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from vla_accel_ros.action_space import END_EFFECTOR, ActionSpace


class Source(str, Enum):
    """Where an action came from; SP-VLA's *generated* is VLA, its *fitted* all the others."""

    VLA = 'vla'
    RIDGE = 'ridge'
    HOLD = 'hold'

    @property
    def from_vla(self) -> bool:
        """Whether the VLA itself produced the action (SP-VLA, N_G counts these)."""
        return self is Source.VLA


@dataclass(frozen=True, eq=False)
class Action:
    """What the arms do over one policy step.

    Attributes:
        values: float64 [width], columns and units as the space says.
        stamp_ns: Capture stamp of the observation that the action is for, nanoseconds.
        source: What produced it.
        space: What the columns are.

    Raises:
        ValueError: When there are not as many values as the space has columns. NaN and Inf are
            representable on purpose: refusing them, with a reason, is the business of `safety`.
    """

    values: np.ndarray
    stamp_ns: int = 0
    source: Source = Source.VLA
    space: ActionSpace = END_EFFECTOR

    def __post_init__(self) -> None:
        object.__setattr__(self, 'values', self.space.array(self.values))


@dataclass(frozen=True, eq=False)
class ActionChunk:
    """Consecutive actions that answer one observation.

    Attributes:
        values: float64 [n, width], n >= 1, one row a policy step, columns as the space says.
        stamp_ns: Capture stamp of the observation answered, nanoseconds.
        source: What produced it.
        space: What the columns are.

    Raises:
        ValueError: When the values are not [n >= 1, width].
    """

    values: np.ndarray
    stamp_ns: int = 0
    source: Source = Source.VLA
    space: ActionSpace = END_EFFECTOR

    def __post_init__(self) -> None:
        rows = self.space.array(self.values, 'action chunk', rows=True)
        object.__setattr__(self, 'values', rows)
        if len(self.values) == 0:
            raise ValueError('action chunk has no rows, expected at least 1')

    def __len__(self) -> int:
        return len(self.values)

    @property
    def finite(self) -> bool:
        """Whether no value is NaN or infinite."""
        return bool(np.isfinite(self.values).all())
