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

"""Columns of an action, group by group: what they mean, their unit, and how large they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from math import hypot
from operator import itemgetter

import numpy as np

AXES = 3
Pick = Callable[[Sequence[float]], tuple[float, ...]]


class ColumnKind(str, Enum):
    """What a column means; the values are those in files."""

    TRANSLATION = 'translation'
    ROTATION = 'rotation'
    JOINT_DISPLACEMENT = 'joint_displacement'
    JOINT_POSITION = 'joint_position'
    GRIPPER = 'gripper'

    @property
    def units(self) -> tuple[str, ...]:
        """Units that a column of this kind may have, the usual one first; a gripper has none."""
        if self is ColumnKind.TRANSLATION:
            return ('m',)
        if self is ColumnKind.GRIPPER:
            return ('',)
        return ('rad',) if self is ColumnKind.ROTATION else ('rad', 'm')

    @property
    def is_vector(self) -> bool:
        """Whether three columns are one vector, whose size is its length."""
        return self in (ColumnKind.TRANSLATION, ColumnKind.ROTATION)


@dataclass(frozen=True)
class Group:
    """Neighbouring columns of one kind and one arm.

    Attributes:
        kind: What they are. Translations, rotation vectors and joint displacements are over one
            policy step; a joint position is absolute; a gripper is 0 open to 1 closed.
        names: Their names.
        arm: Name of the arm; empty where there is only one.
        unit: `m`, `rad`, or empty for grippers. When left out it is the usual one of the kind.

    Raises:
        ValueError: When there is no name, a vector has not 3 columns, or the unit is not one of
            the kind.
    """

    kind: ColumnKind
    names: tuple[str, ...]
    arm: str = ''
    unit: str = ''

    def __post_init__(self) -> None:
        object.__setattr__(self, 'names', tuple(self.names))
        object.__setattr__(self, 'unit', self.unit or self.kind.units[0])
        if self.unit not in self.kind.units:
            raise ValueError(
                f"unit of {self.kind.value} is '{self.unit}', expected one of "
                f'{list(self.kind.units)}'
            )
        vector = self.kind.is_vector
        if not self.names or (vector and len(self.names) != AXES):
            raise ValueError(
                f'{self.kind.value} has the columns {list(self.names)}, expected '
                + (f'{AXES} names' if vector else 'at least 1 name')
            )


@dataclass(frozen=True)
class Part:
    """A group that moves an arm, and the place of its columns in an action.

    Attributes:
        kind: What its columns are.
        columns: Where they stand.
        unit: `m` or `rad`: which limit applies.
        arm: Name of the arm.
    """

    kind: ColumnKind
    columns: slice
    unit: str
    arm: str

    @property
    def absolute(self) -> bool:
        """Whether the values are positions; else they are displacements over a step."""
        return self.kind is ColumnKind.JOINT_POSITION

    def size(self, values: Sequence[float]) -> float:
        """Give the length of this part's vector, or the largest number of its joints."""
        return hypot(*values) if self.kind.is_vector else max(map(abs, values))

    def norm(self, values: np.ndarray) -> float:
        """Give `size` of an array, with NumPy's rounding."""
        return float(np.linalg.norm(values) if self.kind.is_vector else np.abs(values).max())

    def sizes(self, rows: np.ndarray) -> np.ndarray:
        """Give this part's size in every row, float64 [n], of rows float64 [n, width]."""
        mine = rows[:, self.columns]
        if self.kind.is_vector:
            return np.asarray(np.linalg.norm(mine, axis=1))
        return np.asarray(np.abs(mine).max(axis=1))


@dataclass(frozen=True)
class Tool:
    """Where the columns of one arm's tool stand in an action.

    Attributes:
        translation: Displacement over a step, metres.
        rotation: Rotation vector over a step, radians.
        gripper: 0 open to 1 closed.
    """

    translation: slice
    rotation: slice
    gripper: int


def placed(groups: Iterable[Group]) -> list[tuple[Group, int, int]]:
    """Give each group with the place of its first column and the one after its last."""
    found, begin = [], 0
    for group in groups:
        end = begin + len(group.names)
        found.append((group, begin, end))
        begin = end
    return found


def moving_parts(groups: Iterable[Group]) -> tuple[Part, ...]:
    """Give the groups that move an arm, with their places.

    Raises:
        ValueError: When an arm has several translations or rotations.
    """
    parts = tuple(
        Part(group.kind, slice(begin, end), group.unit, group.arm)
        for group, begin, end in placed(groups)
        if group.kind is not ColumnKind.GRIPPER
    )
    counts = Counter((part.arm, part.kind) for part in parts if part.kind.is_vector)
    for (arm, kind), count in counts.items():
        if count > 1:
            raise ValueError(f"arm '{arm}' has {count} {kind.value}s, expected one")
    return parts


def split_poses(parts: Sequence[Part]) -> tuple[list[Pick], list[Part]]:
    """Split parts into the tools that both move and turn, and all others.

    Returns:
        For each such tool, what picks its six numbers out of an action, translation first; and
        the other parts.
    """
    vectors = {(part.arm, part.kind): part for part in parts if part.kind.is_vector}
    picks: list[Pick] = []
    others = [part for part in parts if not part.kind.is_vector]
    for arm in dict.fromkeys(arm for arm, _ in vectors):
        kinds = (ColumnKind.TRANSLATION, ColumnKind.ROTATION)
        found = [vectors[arm, kind] for kind in kinds if (arm, kind) in vectors]
        if len(found) == len(kinds):
            picks.append(
                itemgetter(*(i for p in found for i in range(p.columns.start, p.columns.stop)))
            )
        else:
            others += found
    return picks, others
