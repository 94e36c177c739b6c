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

"""The seam where one chunk of actions takes over from another (ours).

Two answers to two observations rarely agree, and a chunk that begins where the last one did not
end is a jerk. There are two remedies. `ease` lets the arm see no larger change of its action than
inside the two chunks, and a limit more; each part of an arm has a bound of its own: its
translation, its rotation, its joints. `fade` begins where the last one ended, whatever is between
the two, and comes to the new chunk row by row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vla_accel_ros.action_space import ActionSpace

LIMIT, FADE, NONE = 'limit', 'fade', 'none'


def largest_changes(rows: np.ndarray, space: ActionSpace) -> tuple[float, ...]:
    """Give the largest change from one row to the next.

    Args:
        rows: float [n, width], one action a row.
        space: What the columns are.

    Returns:
        Of each of the space's parts, in its unit; 0 for a single row.
    """
    changes = np.diff(rows, axis=0)
    return tuple(float(part.sizes(changes).max(initial=0.0)) for part in space.parts)


def ease(
    last: np.ndarray, rows: np.ndarray, bounds: Sequence[float], space: ActionSpace
) -> np.ndarray:
    """Lead from the last action into a chunk with no change above the bounds.

    Row by row the change is cut down to the bound, until a row is reached as it is; from there on
    the chunk is left alone. What is cut off is not made up for: the next observation shows where
    the arm is. Grippers open and close as the chunk says.

    Args:
        last: float [width], the action before.
        rows: float [n, width], what follows.
        bounds: Largest change of each of the space's parts, in its unit.
        space: What the columns are.

    Returns:
        float [n, width]; the rows themselves where nothing is to be cut.
    """
    eased = rows.copy()
    for part, bound in zip(space.parts, bounds, strict=True):
        before = last[part.columns]
        for row in eased[:, part.columns]:
            change = row - before
            size = part.norm(change)
            if size <= bound:
                break
            row[:] = before + change * (bound / size)
            before = row
    return rows if np.array_equal(eased, rows) else eased


def fade(last: np.ndarray, rows: np.ndarray, count: int, space: ActionSpace) -> np.ndarray:
    """Add what is between the last action and the first row, less of it with each row.

    Args:
        last: float [width], the action before.
        rows: float [n, width], what follows.
        count: Row `count`, from 0, is the first that is left as it is; the first row has
            count / (count + 1) of the difference.
        space: What the columns are; grippers open and close as the chunk says.

    Returns:
        float [n, width].
    """
    faded: np.ndarray = rows.copy()
    if len(rows):
        shares = np.arange(count, 0, -1)[: len(rows)] / (count + 1)
        apart = (last - rows[0])[space.moving]
        faded[: len(shares), space.moving] += shares[:, None] * apart
    return faded


@dataclass(frozen=True)
class Seam:
    """How one chunk takes over from another.

    Attributes:
        kind: `limit`, `fade` or `none`.
        metres: What a column in metres may change by more than inside the chunks, with `limit`.
        radians: Likewise of columns in radians.
        over: Rows over which a seam fades out, with `fade`.
    """

    kind: str = NONE
    metres: float = 0.0
    radians: float = 0.0
    over: int = 0

    def joined(
        self, last: np.ndarray, rows: np.ndarray, inside: Sequence[float], space: ActionSpace
    ) -> np.ndarray:
        """Lead from the last action into the rows of another chunk.

        Args:
            last: float [width], the action before.
            rows: float [n, width], what follows.
            inside: Largest change inside the two chunks, of each of the space's parts.
            space: What the columns are.

        Returns:
            float [n, width].
        """
        if self.kind == FADE:
            return fade(last, rows, self.over, space)
        if self.kind == LIMIT:
            more = {'m': self.metres, 'rad': self.radians}
            bounds = [
                each + more[part.unit] for each, part in zip(inside, space.parts, strict=True)
            ]
            return ease(last, rows, bounds, space)
        return rows
