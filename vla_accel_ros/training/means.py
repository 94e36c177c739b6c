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

"""Means of what steps say about themselves, and when too many of them say nothing."""

from __future__ import annotations

import math


class NotFiniteError(RuntimeError):
    """Training gets nowhere: no gradient is finite any more."""


class Means:
    """Means over the steps since the last `take`.

    A value counts in the steps that have it and where it is finite. Steps whose gradient is not
    finite are left out by the optimiser and counted as `left_out`.

    Args:
        most: Steps in a row that may be left out.
    """

    def __init__(self, most: int) -> None:
        self._most, self._row = most, 0
        self._values: dict[str, list[float]] = {}
        self.count = self._left_out = 0

    def add(self, values: dict[str, float], norm: float) -> None:
        """Take one step's values, and its gradient's norm.

        Raises:
            NotFiniteError: When too many steps in a row were left out.
        """
        self.count += 1
        finite = math.isfinite(norm)
        self._left_out += not finite
        self._row = 0 if finite else self._row + 1
        if self._row >= self._most:
            raise NotFiniteError(
                f'the gradients of {self._row} steps in a row are not finite, so nothing is '
                'learnt; a lower rate may help'
            )
        for key, value in {**values, 'norm': norm}.items():
            self._values.setdefault(key, []).append(value)

    def take(self) -> dict[str, float]:
        """Return the means, NaN where no value is finite, and begin anew."""
        means = {key: _mean(values) for key, values in self._values.items()}
        if self._left_out:
            means['left_out'] = self._left_out
        self._values.clear()
        self.count = self._left_out = 0
        return means


def _mean(values: list[float]) -> float:
    finite = [value for value in values if math.isfinite(value)]
    return round(sum(finite) / len(finite), 4) if finite else math.nan
