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

All work on [cameras, tokens] tensors at once and break ties by index, on every device alike.
"""

from __future__ import annotations

import torch
from torch import Tensor


def ranks(scores: Tensor) -> Tensor:
    """Give each token's rank along the last axis, 0 for the highest; ties by index."""
    order = scores.argsort(dim=-1, descending=True, stable=True)
    places = torch.arange(scores.shape[-1], device=scores.device).expand_as(order)
    return torch.empty_like(order).scatter(-1, order, places)


def top(scores: Tensor, count: int | Tensor) -> Tensor:
    """Mark the highest scores along the last axis.

    Args:
        scores: [..., tokens].
        count: How many, or [..., 1] for a count each; more than there are marks all.

    Returns:
        bool, the shape of `scores`.
    """
    return ranks(scores) < count


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
    value, order = scores.sort(dim=-1, descending=True, stable=True)
    before = value.cumsum(-1) - value
    wanted = before < threshold * value.sum(-1, keepdim=True)
    return torch.empty_like(wanted).scatter(-1, order, wanted)


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
    order = ranks(priority.flatten()).flatten()
    # Marked tokens rank before all others, each group by its priority.
    order = order + order.numel() * ~mask.flatten()
    chosen = order.argsort(stable=True)[:count]
    result = torch.zeros_like(mask.flatten())
    result[chosen] = True
    return (result & (priority.flatten() > float('-inf'))).view_as(mask)


def has_contrast(scores: Tensor, present: Tensor | None = None) -> Tensor:
    """Say whether every camera's scores tell its tokens apart, a bool [].

    A spread below one millionth of the mean is rounding, not importance.
    """
    if present is None:
        present = torch.ones_like(scores, dtype=torch.bool)
    high = scores.masked_fill(~present, float('-inf')).amax(-1)
    low = scores.masked_fill(~present, float('inf')).amin(-1)
    several = present.sum(-1) > 1
    return ((high - low > 1e-6 * high.abs()) | ~several).all()
