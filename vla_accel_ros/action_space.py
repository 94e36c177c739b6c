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

"""Action spaces: which columns an action has, and what follows from it.

No other file knows at which place a column stands; it asks the space. Limits go by unit: what
bounds a translation bounds every column in metres, and what bounds a rotation bounds every column
in radians, of joints the fastest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import sqrt
from typing import Any

import numpy as np

from vla_accel_ros.action_columns import ColumnKind, Group, Tool, moving_parts, placed, split_poses

# A gripper counts as closed from here on.
GRIPPER_MIDDLE = 0.5
# What a predictor extrapolates: everything that moves but rotations, or everything that moves.
FITS = ('translation', 'translation_rotation')


class ActionSpace:
    """Names and kinds of an action's columns, for any number of arms.

    What every step asks for is worked out once, when the space is made. Two spaces are equal when
    their names and groups are.

    Args:
        name: What the space is called.
        groups: Its columns, in order.

    Attributes:
        name: What the space is called.
        groups: Its columns, in order.
        kinds: What each column is.
        names: Names of the columns, the `joint_names` of a trajectory message.
        units: Their units, `m`, `rad` or empty.
        width: How many columns there are.
        parts: The groups that move an arm, with their places.
        translations: Those of them that are translations.
        grippers: Places of the grippers, int [grippers].
        moving: Places of all other columns, int [columns].
        displacements: Those of them that are displacements over a step, int [columns].
        positions: Those of them that are absolute, int [columns].
        extrapolated: By each of `FITS`, two tuples: the places that a predictor extrapolates, and
            those that repeat the last action. Grippers always repeat.

    Raises:
        ValueError: When the space has no name or no columns, or two columns have one name.
    """

    def __init__(self, name: str, groups: Iterable[Group]) -> None:
        self.name, self.groups = name, tuple(groups)
        self.names = tuple(each for group in self.groups for each in group.names)
        self.width = len(self.names)
        if not name or not self.names:
            raise ValueError(
                f"action space '{name}' has {self.width} columns, expected a name and 1 or more"
            )
        if len(set(self.names)) < self.width:
            raise ValueError(f'columns are {list(self.names)}, expected each name once')
        self.units = tuple(group.unit for group in self.groups for _ in group.names)
        self.kinds = kinds = tuple(group.kind for group in self.groups for _ in group.names)
        self.parts = moving_parts(self.groups)
        self.translations = tuple(p for p in self.parts if p.kind is ColumnKind.TRANSLATION)
        self.grippers = _places(kind is ColumnKind.GRIPPER for kind in kinds)
        self.moving = _places(kind is not ColumnKind.GRIPPER for kind in kinds)
        self.positions = _places(kind is ColumnKind.JOINT_POSITION for kind in kinds)
        self.displacements = np.setdiff1d(self.moving, self.positions)
        self._gripper_places: tuple[int, ...] = tuple(self.grippers.tolist())
        repeated = {
            FITS[0]: (ColumnKind.GRIPPER, ColumnKind.ROTATION),
            FITS[1]: (ColumnKind.GRIPPER,),
        }
        self.extrapolated = {
            fit: (
                tuple(i for i, kind in enumerate(kinds) if kind not in repeats),
                tuple(i for i, kind in enumerate(kinds) if kind in repeats),
            )
            for fit, repeats in repeated.items()
        }
        self._picks, self._alone = split_poses(self.parts)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, ActionSpace):
            return NotImplemented
        return (self.name, self.groups) == (other.name, other.groups)

    def __hash__(self) -> int:
        return hash((self.name, self.groups))

    def __repr__(self) -> str:
        return f'ActionSpace({self.name!r}, {" ".join(self.names)})'

    @classmethod
    def from_values(cls, values: object) -> ActionSpace:
        """Make a space of plain values, as a file or a parameter holds them.

        Args:
            values: The name of a known space, or what `to_values` gave.

        Raises:
            ValueError: When they are neither; the message names what is wrong.
        """
        if isinstance(values, str):
            if values not in KNOWN:
                raise ValueError(f"action space is '{values}', expected one of {sorted(KNOWN)}")
            return KNOWN[values]
        entries = _fields(values, 'action space', ('name', 'groups'), ())
        if not isinstance(entries['groups'], list):
            raise ValueError(f'groups are {entries["groups"]!r}, expected a list')
        return cls(_text(entries['name'], 'name'), [_group(each) for each in entries['groups']])

    def to_values(self) -> dict[str, Any]:
        """Give plain values, for JSON or YAML, that `from_values` reads."""
        return {
            'name': self.name,
            'groups': [
                {
                    'kind': group.kind.value,
                    'names': list(group.names),
                    'arm': group.arm,
                    'unit': group.unit,
                }
                for group in self.groups
            ],
        }

    def array(self, values: object, what: str = 'action', rows: bool = False) -> np.ndarray:
        """Copy values into a read-only array of this width; NaN and Inf are let through.

        Args:
            values: Numbers [width], or [n, width] with `rows`.
            what: What they are, for the message.
            rows: Whether there is a row for each of several actions.

        Returns:
            float64, of the same shape.

        Raises:
            ValueError: When the shape is another.
        """
        array = np.array(values, dtype=np.float64)
        if array.ndim != 1 + rows or array.shape[-1] != self.width:
            expected = f'[n, {self.width}]' if rows else f'[{self.width}]'
            raise ValueError(f'{what} has shape {list(array.shape)}, expected {expected}')
        array.flags.writeable = False
        return array

    def spread(self, metres: float, radians: float, gripper: float) -> np.ndarray:
        """Give every column the number of its unit, float64 [width]."""
        by_unit = {'m': metres, 'rad': radians, '': gripper}
        return np.array([by_unit[unit] for unit in self.units])

    def tool(self, arm: str = '') -> Tool:
        """Return where an arm's translation, rotation and gripper stand.

        Args:
            arm: Its name.

        Raises:
            ValueError: When the arm has not one of each.
        """
        found = {p.kind: p.columns for p in self.parts if p.arm == arm and p.kind.is_vector}
        grippers = [
            begin
            for group, begin, end in placed(self.groups)
            if group.kind is ColumnKind.GRIPPER and group.arm == arm and end - begin == 1
        ]
        if len(found) != 2 or len(grippers) != 1:
            raise ValueError(
                f"arm '{arm}' of {self!r} has no tool, expected a translation, a rotation and one "
                'gripper'
            )
        return Tool(found[ColumnKind.TRANSLATION], found[ColumnKind.ROTATION], grippers[0])

    def squares(
        self, row: Sequence[float], before: Sequence[float] | None = None
    ) -> tuple[float, float]:
        """Give the squares of the largest displacements of a step, of all arms.

        Args:
            row: An action, [width].
            before: The action before it, which absolute positions are compared with. Without one
                they count as still.

        Returns:
            Of the columns in metres, m^2, and of those in radians, rad^2; of joints the largest
            counts. 0 where there are none.
        """
        linear = angular = 0.0
        for pick in self._picks:
            x, y, z, roll, pitch, yaw = pick(row)
            square = x * x + y * y + z * z
            # So written, NaN is taken over.
            if not square <= linear:
                linear = square
            square = roll * roll + pitch * pitch + yaw * yaw
            if not square <= angular:
                angular = square
        for part in self._alone:
            values = row[part.columns]
            if part.absolute:
                earlier = values if before is None else before[part.columns]
                values = [a - b for a, b in zip(values, earlier, strict=True)]
            # Not **, which raises where the product is too large.
            square = part.size(values)
            square *= square
            if part.unit == 'm':
                linear = max(linear, square)
            else:
                angular = max(angular, square)
        return linear, angular

    def speeds(
        self, row: Sequence[float], step_s: float, before: Sequence[float] | None = None
    ) -> tuple[float, float]:
        """Give the largest speeds of a step, m/s and rad/s, of all arms and joints.

        Args:
            row: An action, [width].
            step_s: Its step, seconds.
            before: As for `squares`.
        """
        linear, angular = self.squares(row, before)
        return sqrt(linear) / step_s, sqrt(angular) / step_s

    def closed(self, row: Sequence[float]) -> tuple[bool, ...]:
        """Say of each gripper whether an action closes it."""
        return tuple([row[i] >= GRIPPER_MIDDLE for i in self._gripper_places])


def _places(chosen: Iterable[bool]) -> np.ndarray:
    return np.flatnonzero(list(chosen))


def _group(values: object) -> Group:
    entries = _fields(values, 'group', ('kind', 'names'), ('arm', 'unit'))
    kinds = [kind.value for kind in ColumnKind]
    if entries['kind'] not in kinds:
        raise ValueError(f'kind is {entries["kind"]!r}, expected one of {kinds}')
    names = entries['names']
    if not isinstance(names, list):
        raise ValueError(f'names are {names!r}, expected a list')
    return Group(
        ColumnKind(entries['kind']),
        tuple(_text(name, 'column') for name in names),
        _text(entries.get('arm', ''), 'arm'),
        _text(entries.get('unit', ''), 'unit'),
    )


def _fields(
    values: object, what: str, needed: tuple[str, ...], optional: tuple[str, ...]
) -> Mapping[str, Any]:
    fits = isinstance(values, Mapping) and set(needed) <= set(values) <= {*needed, *optional}
    if not isinstance(values, Mapping) or not fits:
        said = f'the keys {sorted(map(str, values))}' if isinstance(values, Mapping) else values
        raise ValueError(f'{what} has {said}, expected {", ".join(needed + optional)}')
    return values


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f'{what} is {value!r}, expected text')
    return value


# How the end effector moves over one policy step, in the base frame.
END_EFFECTOR = ActionSpace(
    'end_effector',
    (
        Group(ColumnKind.TRANSLATION, ('x', 'y', 'z')),
        Group(ColumnKind.ROTATION, ('roll', 'pitch', 'yaw')),
        Group(ColumnKind.GRIPPER, ('gripper',)),
    ),
)
KNOWN = {END_EFFECTOR.name: END_EFFECTOR}
