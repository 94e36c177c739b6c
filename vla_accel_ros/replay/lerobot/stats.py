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

"""Statistics of a LeRobot dataset's columns, as its `stats.json` has them."""

from __future__ import annotations

import numpy as np


class FeatureStats:
    """Running statistics of a feature's columns."""

    def __init__(self) -> None:
        self._count = self._frames = 0
        self._low = self._high = self._sum = self._squares = np.zeros(0)
        self.seen: set[int] = set()

    def add(self, rows: np.ndarray, remember: bool) -> None:
        """Take values of a frame, [n, columns]."""
        rows = np.asarray(rows, dtype=np.float64)
        low, high = rows.min(axis=0), rows.max(axis=0)
        total, squares = rows.sum(axis=0), (rows**2).sum(axis=0)
        if self._frames:
            low, high = np.minimum(low, self._low), np.maximum(high, self._high)
            total, squares = total + self._sum, squares + self._squares
        self._low, self._high, self._sum, self._squares = low, high, total, squares
        self._count, self._frames = self._count + len(rows), self._frames + 1
        if remember:
            self.seen.add(int(rows[0, 0]))

    def facts(self, picture: bool) -> dict[str, list]:
        """Return min, max, mean, std and count; of pictures [channels, 1, 1], of 0 to 1."""
        mean = self._sum / self._count
        std = np.sqrt(np.maximum(self._squares / self._count - mean**2, 0.0))
        found = {'min': self._low, 'max': self._high, 'mean': mean, 'std': std}
        shape = (-1, 1, 1) if picture else (-1,)
        return {
            **{name: values.reshape(shape).tolist() for name, values in found.items()},
            'count': [self._frames],
        }
