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

"""From a server's rows of actions to ours: which column is which, its unit, and the gripper.

What the numbers of another process mean does not show in them. It is declared, by the parameters
or by the server, and never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

import numpy as np

from vla_accel_ros.action_space import END_EFFECTOR, ActionSpace
from vla_accel_ros.models.prediction import NotFiniteError
from vla_accel_ros.remote.errors import RemoteAnswerError, RemoteMismatchError

# What a gripper's number is when open, and when closed.
GRIPPERS = {
    'closed_is_one': (0.0, 1.0),
    'open_is_one': (1.0, 0.0),
    'closed_is_plus': (-1.0, 1.0),
    'open_is_plus': (1.0, -1.0),
    # LeRobot's arms tell it in percent.
    'open_is_hundred': (100.0, 0.0),
}
OURS = 'closed_is_one'
# A column of the server's that is not used.
UNUSED = '-'
# What a server may declare; which columns are ours it does not decide.
DECLARED = ('columns', 'metres', 'radians', 'gripper')
# How far a regressed gripper may overshoot, of the way from open to closed.
OVERSHOOT = 0.25
MOST_ROWS = 1000
# Metres or radians that a 1 may mean.
LARGEST_UNIT = 10.0
SPACE = END_EFFECTOR


@dataclass(frozen=True)
class Convention:
    """What a server's numbers mean.

    Attributes:
        columns: Names of its columns, in its order; each of ours once, `-` for others.
        metres: Metres of a 1 in the columns that are in m; 0 where it is not declared.
        radians: Radians of a 1 in the columns that are in rad; 0 where it is not declared.
        gripper: One of `GRIPPERS`; empty where it is not declared.
        space: What our columns are.

    Raises:
        RemoteMismatchError: When the columns are not ours, or a value is out of range.
    """

    columns: tuple[str, ...] = SPACE.names
    metres: float = 0.0
    radians: float = 0.0
    gripper: str = ''
    space: ActionSpace = SPACE

    def __post_init__(self) -> None:
        named = [name for name in self.columns if name != UNUSED]
        if sorted(named) != sorted(self.space.names):
            raise RemoteMismatchError(
                f'remote_columns are {list(self.columns)}, expected each of '
                f"{list(self.space.names)} once, and '{UNUSED}' for what is not used"
            )
        for name in ('metres', 'radians'):
            value = getattr(self, name)
            number = isinstance(value, Real) and not isinstance(value, bool)
            # Below 0 it would turn the motion round, unseen.
            if not number or not 0 <= value <= LARGEST_UNIT:
                raise RemoteMismatchError(
                    f'remote_{name} is {value!r}, expected 0 to {LARGEST_UNIT:g}'
                )
        if self.gripper and self.gripper not in GRIPPERS:
            raise RemoteMismatchError(
                f"remote_gripper is '{self.gripper}', expected one of {', '.join(GRIPPERS)}"
            )

    @property
    def undeclared(self) -> list[str]:
        """Parameters that say what is not declared yet."""
        # Each by the unit of the columns that want it; a gripper has none.
        values = {
            'remote_metres': ('m', self.metres),
            'remote_radians': ('rad', self.radians),
            'remote_gripper': ('', self.gripper),
        }
        units = set(self.space.units)
        return [name for name, (unit, value) in values.items() if unit in units and not value]

    def with_declared(self, declared: Mapping[str, Any]) -> Convention:
        """Fill in what the server's metadata declare.

        Args:
            declared: The keys `columns`, `metres`, `radians` and `gripper`, if any.

        Raises:
            RemoteMismatchError: When the server says otherwise than the parameters.
        """
        found: dict[str, Any] = {}
        for key in DECLARED:
            own = getattr(self, key)
            theirs = declared.get(key, own)
            theirs = tuple(theirs) if isinstance(theirs, list) else theirs
            if own and theirs != own:
                raise RemoteMismatchError(
                    f'remote_{key} is {own!r}, and the server declares {theirs!r}'
                )
            found[key] = theirs
        try:
            return replace(self, **found)
        except TypeError as error:
            raise RemoteMismatchError(f'the server declares {found}: {error}') from None

    def read(self, answer: object) -> np.ndarray:
        """Read an answer's actions.

        Args:
            answer: Numbers [n, columns], or [columns] for one row.

        Returns:
            float64 [n, width of the space]; m, rad, gripper 0 open to 1 closed.

        Raises:
            RemoteAnswerError: When shape or gripper are others.
            NotFiniteError: When a number is NaN or infinite.
        """
        try:
            rows = np.array(answer, dtype=np.float64)
        except (TypeError, ValueError, OverflowError):
            raise RemoteAnswerError(f'the actions are {_short(answer)}, no numbers') from None
        rows = rows[None] if rows.ndim == 1 else rows
        width = len(self.columns)
        if rows.ndim != 2 or rows.shape[1] != width or not 1 <= len(rows) <= MOST_ROWS:
            raise RemoteAnswerError(
                f'the actions have the shape {list(np.shape(answer))}, expected [n, {width}] with '
                f'n from 1 to {MOST_ROWS}: remote_columns are {", ".join(self.columns)}'
            )
        rows = rows[:, [self.columns.index(name) for name in self.space.names]]
        if not np.isfinite(rows).all():
            raise NotFiniteError('the server gives actions that are NaN or infinite')
        rows *= self.space.spread(self.metres, self.radians, 1.0)
        for place in self.space.grippers:
            rows[:, place] = self._gripper(rows[:, place], *GRIPPERS[self.gripper])
        return rows

    def _gripper(self, values: np.ndarray, opened: float, closed: float) -> np.ndarray:
        share = (values - opened) / (closed - opened)
        wrong = (share < -OVERSHOOT) | (share > 1 + OVERSHOOT)
        if wrong.any():
            row = int(np.argmax(wrong))
            raise RemoteAnswerError(
                f'the gripper is {values[row]:.4g} in row {row}; with remote_gripper '
                f'{self.gripper} it goes from {opened:g} open to {closed:g} closed'
            )
        return np.clip(share, 0.0, 1.0)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f'{text[:77]}...'


def declared(space: ActionSpace | None = SPACE, width: int = 0) -> dict[str, Any]:
    """Give what our own actions mean, as a server declares it.

    Args:
        space: What their columns are; None where that is not known.
        width: How many there are, where it is not.
    """
    names = [f'column_{place}' for place in range(width)] if space is None else list(space.names)
    if space is None:
        return {'columns': names}
    return {'columns': names, 'metres': 1.0, 'radians': 1.0, 'gripper': OURS}
