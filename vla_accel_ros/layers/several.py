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

"""Several sequences in one run of layers: products of weights are shared, attention is not.

The rows of all sequences stand behind one another in one long sequence. Norms, projections and
MLPs look at single rows, so that each weight is read once for all of them. Attention is cut at the
borders: no sequence sees a row of another one, and none is padded.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from vla_accel_ros.layers.attending import Attend


class Several:
    """What the queries of several sequences look at, each within its own; see `Attend`.

    Args:
        parts: What those of each sequence look at.
        counts: Rows of each sequence.
        wanted: Rows of each whose queries are wanted in the last layer; all if None.
    """

    def __init__(
        self, parts: Sequence[Attend], counts: Sequence[int], wanted: Sequence[int] | None = None
    ) -> None:
        self._parts, self._counts = list(parts), list(counts)
        self._wanted = self._counts if wanted is None else list(wanted)

    def cuts(self, rows: int) -> list[int]:
        """Say how many of so many rows are of each sequence."""
        # Each sequence has as many wanted rows as rows, or fewer: equal sums are equal counts.
        return self._counts if rows == sum(self._counts) else self._wanted

    def split(self, queries: Tensor) -> list[Tensor]:
        """Cut [1, heads, rows of all, head width] into those of each sequence."""
        return list(queries.split(self.cuts(queries.shape[2]), 2))

    def __call__(self, slot: int, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Attend; see `Attend`."""
        new = zip(
            self._parts,
            self.split(queries),
            keys.split(self._counts, 2),
            values.split(self._counts, 2),
            strict=True,
        )
        return torch.cat([part(slot, q, k, v) for part, q, k, v in new], 2)

    def keep(self, slot: int, keys: Tensor, values: Tensor) -> None:
        """Take in keys and values alone; see `Keeps`, which the parts are then."""
        new = zip(
            self._parts, keys.split(self._counts, 2), values.split(self._counts, 2), strict=True
        )
        for part, k, v in new:
            part.keep(slot, k, v)


def behind_one_another(places: Sequence[Tensor], counts: Sequence[int]) -> Tensor:
    """Give the places of rows in the long sequence.

    Args:
        places: Of each sequence int [n], counted from its own begin.
        counts: Rows of each sequence.

    Returns:
        int [n of all].
    """
    begins = [sum(counts[:index]) for index in range(len(counts))]
    return torch.cat([own + begin for own, begin in zip(places, begins, strict=True)])
