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


"""Greedy max-min selection: of many tokens, a few that differ most from one another.

The rule is farthest-point sampling: take the candidate whose nearest chosen token is farthest,
again and again.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def cosine_distances(features: Tensor, rows: Tensor | None = None) -> Tensor:
    """Give 1 - cosine similarity of pairs.

    Args:
        features: [..., tokens, width]; a zero vector is at distance 1 from all others.
        rows: int64 [..., n], which tokens are compared with all of them; None for each.

    Returns:
        float32 [..., n, tokens].
    """
    unit = torch.nn.functional.normalize(features.float(), dim=-1)
    compared = (
        unit
        if rows is None
        else unit.gather(-2, rows[..., None].expand(*rows.shape, unit.shape[-1]))
    )
    return 1 - compared @ unit.transpose(-1, -2)


def max_min(distances: np.ndarray, count: int, first: int) -> np.ndarray:
    """Choose greedily by the distance to the nearest one chosen before.

    Args:
        distances: float [candidates, candidates], symmetric.
        count: How many to choose.
        first: The one to start from.

    Returns:
        bool [candidates]; ties go to the lower index.

    Raises:
        ValueError: When there are fewer candidates than asked for.
    """
    if count > len(distances):
        raise ValueError(f'{count} tokens asked of {len(distances)} candidates')
    # One by one: these few short operations a token take less time than rounds of many tokens.
    gap = np.full(len(distances), np.inf, distances.dtype)
    chosen = np.zeros(len(gap), dtype=bool)
    taken = first
    for _ in range(count):
        chosen[taken] = True
        np.minimum(gap, distances[taken], out=gap)
        gap[taken] = -np.inf
        taken = int(gap.argmax())
    return chosen


def diverse(distances: Tensor, candidates: Tensor, counts: list[int], start: Tensor) -> Tensor:
    """Filter each camera's candidates to its budget.

    Args:
        distances: float32 [cameras, tokens, tokens], symmetric, on the host.
        candidates: bool [cameras, tokens].
        counts: Budget of each camera, at most its candidates.
        start: [cameras, tokens]; the candidate with the highest value is the first chosen.

    Returns:
        bool [cameras, tokens].
    """
    result = np.zeros(candidates.shape, dtype=bool)
    for camera, count in enumerate(counts):
        tokens = np.flatnonzero(candidates[camera].numpy())
        first = int(start[camera].numpy()[tokens].argmax())
        among = distances[camera].numpy()[tokens[:, None], tokens]
        result[camera, tokens] = max_min(among, count, first)
    return torch.from_numpy(result)
