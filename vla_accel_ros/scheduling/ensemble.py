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

"""CogACT's adaptive ensemble: what several chunks say of one step, averaged by how they agree.

Each chunk says what to do for some steps ahead, and a new one comes before the old one is used up.
A step's action is the mean of what the last chunks say of it. A chunk that points the same way as
the newest one counts more: its weight is exp(alpha * cosine of the two actions), so that the
average does not mix two ways of doing a thing (arXiv 2411.19650, section 3.4).
"""

from __future__ import annotations

from collections import deque

import numpy as np

# Added to the product of two lengths, so that an action of zeros has a cosine.
TINY = 1e-7


class Ensemble:
    """The last chunks, each with the step that it begins at.

    Args:
        horizon: Chunks that count at most, at least 1.
        alpha: How much agreement counts; with 0 all chunks count alike.
    """

    def __init__(self, horizon: int, alpha: float) -> None:
        self._chunks: deque[tuple[np.ndarray, int]] = deque(maxlen=horizon)
        self._alpha = alpha

    def __len__(self) -> int:
        return len(self._chunks)

    def clear(self) -> None:
        """Forget every chunk."""
        self._chunks.clear()

    def add(self, values: np.ndarray, first: int) -> None:
        """Take in a chunk.

        Args:
            values: float [n, width], un-normalised, one action a row.
            first: The step of its first row; steps are counted in actions that were sent.
        """
        self._chunks.append((values, first))

    def rows(self, step: int) -> np.ndarray:
        """Give the actions from a step on, for as long as the newest chunk reaches.

        Args:
            step: The step of the first action that is wanted.

        Returns:
            float [n, width], none where the newest chunk is used up.
        """
        newest, first = self._chunks[-1]
        rows = [self._mean(place) for place in range(step, first + len(newest))]
        return np.stack(rows) if rows else newest[:0]

    def _mean(self, step: int) -> np.ndarray:
        said = np.stack(
            [
                values[step - first]
                for values, first in self._chunks
                if first <= step < first + len(values)
            ]
        )
        newest = said[-1]
        lengths = np.linalg.norm(said, axis=1) * np.linalg.norm(newest)
        weights = np.exp(self._alpha * (said @ newest) / (lengths + TINY))
        mean: np.ndarray = (weights / weights.sum()) @ said
        return mean
