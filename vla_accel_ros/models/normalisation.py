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

"""Bringing a robot's numbers to those of a network and back: mean and deviation, or a range.

Every way here is a straight line through two points: the values at -1 and at 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from vla_accel_ros.files.kinds import FieldError, Number, Several, at, shown, take

MEAN_STD, QUANTILES, MIN_MAX, IDENTITY = MODES = ('mean_std', 'quantiles', 'min_max', 'identity')
# What openpi adds to a divisor, and what LeRobot does.
OPENPI_ADDED, LEROBOT_ADDED = 1e-6, 1e-8
# By mode, the entries of statistics that it wants.
WANTED = {
    MEAN_STD: ('mean', 'std'),
    QUANTILES: ('q01', 'q99'),
    MIN_MAX: ('min', 'max'),
    IDENTITY: (),
}
MOST_COLUMNS = 256
_VALUE = Number(-1e12, 1e12)


@dataclass(frozen=True, eq=False)
class Line:
    """Of each column the values that are -1 and 1 to the network.

    Attributes:
        low: float64 [columns].
        high: float64 [columns].
        moves: bool [columns], False where a column is left as it is.
    """

    low: np.ndarray
    high: np.ndarray
    moves: np.ndarray

    def normalise(self, values: np.ndarray) -> np.ndarray:
        """Give values [..., columns] as the network wants them; nothing is clipped."""
        span = np.where(self.high == self.low, 1.0, self.high - self.low)
        return np.where(self.moves, 2 * (values - self.low) / span - 1, values)

    def unnormalise(self, values: np.ndarray) -> np.ndarray:
        """Give the values [..., columns] that the network means; nothing is clipped."""
        scaled = (values + 1) / 2 * (self.high - self.low) + self.low
        return np.where(self.moves, scaled, values)


def line_of(
    entry: Mapping, mode: str, added: float = 0.0, least: float = 0.0, where: str = ''
) -> Line:
    """Read statistics as a line.

    Args:
        entry: Lists of numbers by name: `mean` and `std`, `q01` and `q99`, or `min` and `max`.
        mode: One of `MODES`.
        added: Added to the deviation, or to the width of the range.
        least: Width of a range that has none, instead of it.
        where: The entry's path, for the message.

    Raises:
        FieldError: When a list is missing, they differ in length, or a number is not finite or out
            of order.
    """
    names = WANTED[mode] or tuple(name for pair in WANTED.values() for name in pair)[:1]
    lists = [take(entry, name, Several(_VALUE, 1, MOST_COLUMNS), None, where) for name in names]
    for name, values in zip(names, lists, strict=True):
        if values is None:
            raise FieldError(f'{at(where, name)} is missing, expected a list of numbers')
    first, second = (np.array(values, np.float64) for values in (lists[0], lists[-1]))
    if first.shape != second.shape:
        raise FieldError(
            f'{at(where, names[-1])} is a list of {len(second)}, expected {len(first)} as '
            f'{names[0]} has'
        )
    if mode == IDENTITY:
        return Line(first, second, np.zeros(len(first), bool))
    bad = second < 0 if mode == MEAN_STD else second < first
    for i in np.flatnonzero(bad):
        expected = 'at least 0' if mode == MEAN_STD else f'at least {names[0]}, {shown(first[i])}'
        raise FieldError(f'{at(where, names[-1])}[{i}] is {shown(second[i])}, expected {expected}')
    if mode == MEAN_STD:
        reach = second + added
        return Line(first - reach, first + reach, np.ones(len(first), bool))
    span = second - first
    span = np.where(span == 0, max(least, added), span + added)
    return Line(first, first + span, np.ones(len(first), bool))


def padded(values: np.ndarray, columns: int) -> np.ndarray:
    """Put zeros behind values [..., n], so that there are so many columns."""
    missing = columns - values.shape[-1]
    if missing <= 0:
        return values
    return np.concatenate([values, np.zeros((*values.shape[:-1], missing), values.dtype)], -1)
