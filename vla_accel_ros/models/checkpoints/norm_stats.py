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
"""The statistics of data sets, as a checkpoint's files have them: checked number by number.

Wrong statistics move the arm wrongly and nothing else tells: swapped ones mirror the motion, and
one NaN among them makes every action NaN.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from vla_accel_ros.files.kinds import FieldError, Flag, Number, Object, Several, at, shown, take

MOST_COLUMNS = 256
# Sums and differences of these stay finite, in any unit that a data set may have.
QUANTILE = Number(-1e12, 1e12)
_COLUMNS = {
    'q01': QUANTILE,
    'q99': QUANTILE,
    'mask': Flag(),
    'mean': Number(),
    'std': Number(low=0),
    'min': Number(),
    'max': Number(),
}
# What stands for -1 and 1 of a normalised number.
QUANTILES, EXTREMES = ('q01', 'q99'), ('min', 'max')
_COUNTS = ('num_transitions', 'num_trajectories')


def check(stats: Mapping) -> None:
    """Check the statistics of all data sets.

    Args:
        stats: By data set, as OpenVLA stores them.

    Raises:
        FieldError: When something is missing, of another type or length, not finite or out of
            order; the message begins with its path.
    """
    for key, entry in stats.items():
        Object().read(entry, key)
        if entry.get('action') is None:
            raise FieldError(f'{key}.action is missing, expected an object with q01 and q99')
        for part in ('action', 'proprio'):
            values = take(entry, part, Object(), None, key)
            if values is not None:
                _check_part(values, at(key, part), needed=part == 'action')
        for count in _COUNTS:
            take(entry, count, Number(low=0), None, key)


def ranges(
    values: Mapping, where: str = '', ends: tuple[str, str] = QUANTILES
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read the range of every column.

    Args:
        values: A data set's `action` or `proprio` entry.
        where: Its path.
        ends: Names of the lowest and the highest value, `QUANTILES` or `EXTREMES`.

    Returns:
        Lowest and highest, float64 [columns], and the mask, bool [columns], True where the range
        holds (everywhere if the entry has none).

    Raises:
        FieldError: As `check`.
    """
    for name in ends:
        if values.get(name) is None:
            raise FieldError(f'{at(where, name)} is missing, expected a list of numbers')
    columns = _columns(values, where)
    low, high = (np.array(columns[name], np.float64) for name in ends)
    mask = np.array(columns.get('mask', (True,) * len(low)), bool)
    for i in np.flatnonzero(mask & (low > high)):
        raise FieldError(
            f'{at(where, ends[0])}[{i}] is {shown(low[i])} and {ends[1]}[{i}] is '
            f'{shown(high[i])}, expected {ends[0]} below {ends[1]}'
        )
    return low, high, mask


def _check_part(values: Mapping, where: str, needed: bool) -> None:
    columns = _columns(values, where)
    if needed or {'q01', 'q99'} & set(columns):
        ranges(values, where)
    for i, (low, high) in enumerate(
        zip(columns.get('min', ()), columns.get('max', ()), strict=False)
    ):
        if low > high:
            raise FieldError(
                f'{at(where, "min")}[{i}] is {shown(low)} and max[{i}] is {shown(high)}, '
                'expected min not above max'
            )


def _columns(values: Mapping, where: str) -> dict[str, tuple]:
    """Read all lists that there are, which have one length."""
    columns: dict[str, tuple] = {}
    for name, kind in _COLUMNS.items():
        if values.get(name) is None:
            continue
        columns[name] = Several(kind, 1, MOST_COLUMNS).read(values[name], at(where, name))
        first = next(iter(columns))
        if len(columns[name]) != len(columns[first]):
            raise FieldError(
                f'{at(where, name)} is a list of {len(columns[name])}, expected '
                f'{len(columns[first])} as {first} has'
            )
    return columns
