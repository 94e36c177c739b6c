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


"""Kept tokens: ascending indices a camera, and what the model core does with them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Kept:
    """Which visual tokens stay.

    Attributes:
        indices: For each camera int64 [n], ascending, within that camera. Order is never
            changed: reordered by score the task fails outright (SP-VLA).
        tokens: Visual tokens of one camera.
    """

    indices: tuple[Tensor, ...]
    tokens: int

    @classmethod
    def from_mask(cls, mask: Tensor) -> Kept:
        """Build from bool [cameras, tokens] on the host, True where a token stays."""
        rows = mask.numpy()
        return cls(tuple(torch.from_numpy(np.flatnonzero(row)) for row in rows), mask.shape[1])

    @property
    def count(self) -> int:
        """Kept tokens of all cameras."""
        return sum(len(index) for index in self.indices)

    @property
    def ids(self) -> Tensor:
        """Kept tokens as camera * tokens + index, int64 [count], ascending."""
        return torch.cat([c * self.tokens + index for c, index in enumerate(self.indices)])


def all_ids(cameras: int, tokens: int, device: torch.device | str | None = None) -> Tensor:
    """Give the ids of all visual tokens, int64 [cameras * tokens]."""
    return torch.arange(cameras * tokens, device=device)


def narrow(present: Tensor, kept: Tensor) -> Tensor:
    """Find kept tokens among those still present.

    Args:
        present: int64 [n], ids of the visual tokens that the model still carries, ascending.
        kept: int64 [m], ids to keep, ascending, all of them present.

    Returns:
        int64 [m], their places among the n.

    Raises:
        ValueError: When one to keep is no longer there.
    """
    places = torch.searchsorted(present, kept).clamp_max(len(present) - 1)
    if not torch.equal(present[places], kept):
        raise ValueError('a pruner asked to keep visual tokens that were dropped before')
    return places
