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


"""Choosing tokens by score: the few operations that the methods share.

All work on [cameras, tokens] tensors on the host and break ties by index. They compute with
numpy: on a few hundred numbers the start of an operation is what costs, and numpy's is the
cheapest.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def ranks(scores: Tensor) -> Tensor:
    """Give each token's rank along the last axis, 0 for the highest; ties by index."""
    return torch.from_numpy(_ranks(scores.numpy()))


def _ranks(values: np.ndarray) -> np.ndarray:
    rows = values.reshape(-1, values.shape[-1])
    order = np.argsort(-rows, axis=-1, kind='stable')
    places = np.empty_like(order)
    for row, by_rank in zip(places, order, strict=True):
        row[by_rank] = np.arange(len(row))
    return places.reshape(values.shape)


def top(scores: Tensor, count: int | Tensor) -> Tensor:
    """Mark the highest scores along the last axis.

    Args:
        scores: [..., tokens].
        count: How many, or [..., 1] for a count each; more than there are marks all.

    Returns:
        bool, the shape of `scores`.
    """
    limit = count.numpy() if isinstance(count, Tensor) else count
    return torch.from_numpy(np.asarray(_ranks(scores.numpy()) < limit))


def mass(scores: Tensor, threshold: float) -> Tensor:
    """Mark the highest scores until their cumulated mass reaches a share of the total.

    Args:
        scores: [..., tokens], not negative.
        threshold: Share of the mass, 0 (none) to 1 (all).

    Returns:
        bool, the shape of `scores`.
    """
    if threshold >= 1:
        return torch.ones_like(scores, dtype=torch.bool)
    values = scores.numpy()
    wanted = np.empty(values.shape, dtype=bool)
    rows = values.reshape(-1, values.shape[-1])
    for row, marks in zip(rows, wanted.reshape(rows.shape), strict=True):
        order = np.argsort(-row, kind='stable')
        value = row[order]
        # Summed in double precision, so that many small shares add up to what they are.
        before = value.cumsum(dtype=np.float64).astype(value.dtype) - value
        marks[order] = before < threshold * value.sum()
    return torch.from_numpy(wanted)


def shares(count: int, cameras: int) -> list[int]:
    """Split a count evenly among cameras; what they do not divide goes to the first ones."""
    return [count // cameras + (camera < count % cameras) for camera in range(cameras)]


def extend(mask: Tensor, priority: Tensor, count: int) -> Tensor:
    """Keep exactly `count` tokens: those marked first, by priority within and beyond them.

    Args:
        mask: bool [cameras, tokens].
        priority: [cameras, tokens], higher is kept first; -inf for tokens that are not there.
        count: How many of all cameras together.

    Returns:
        bool [cameras, tokens].
    """
    value = priority.numpy().reshape(-1)
    order = np.argsort(-value, kind='stable')
    marked = mask.numpy().reshape(-1)[order]
    chosen = np.concatenate([order[marked], order[~marked]])[:count]
    result = np.zeros(len(value), dtype=bool)
    result[chosen] = value[chosen] > -np.inf
    return torch.from_numpy(result).view(mask.shape)


def has_contrast(scores: Tensor, present: Tensor | None = None) -> bool:
    """Say whether every camera's scores tell its tokens apart.

    A spread below one millionth of the mean is rounding, not importance.
    """
    for camera, row in enumerate(scores.numpy()):
        value = row if present is None else row[present[camera].numpy()]
        if len(value) > 1 and not value.max() - value.min() > 1e-6 * abs(value.max()):
            return False
    return True
