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


"""VLA-Pruner's action score: what the action tokens looked at in the last steps."""

from __future__ import annotations

from collections import deque

import torch
from torch import Tensor

from vla_accel_ros.pruning.scores import TokenScores

WINDOW_LIMIT = 32


class ActionMemory:
    """The action scores of the last steps, smoothed so that the newest weighs most.

    S_act = sum_{i=1..w} gamma^i S_act(t - i) / sum_i gamma^i. (The released code had the weights
    reversed; its author confirmed that as an error.)
    """

    def __init__(self) -> None:
        self._scores: deque[Tensor] = deque(maxlen=WINDOW_LIMIT)

    def __len__(self) -> int:
        return len(self._scores)

    def clear(self) -> None:
        """Forget all."""
        self._scores.clear()

    def add(self, score: Tensor) -> None:
        """Remember the score [cameras, tokens] of the step just done."""
        self._scores.appendleft(score)

    def estimate(self, window: int, gamma: float) -> Tensor:
        """Give the smoothed score [cameras, tokens] of the last `window` steps.

        Raises:
            ValueError: When fewer steps are remembered.
        """
        if len(self) < window:
            raise ValueError(f'{len(self)} action scores remembered, expected {window}')
        weights = [gamma**i for i in range(1, window + 1)]
        newest_first = list(self._scores)[:window]
        weighted = (w * s for w, s in zip(weights, newest_first, strict=True))
        total = sum(weighted, start=torch.zeros_like(newest_first[0]))
        return total / sum(weights)


def complete(deep: TokenScores, shallow: TokenScores | None) -> Tensor:
    """Score the tokens that the deep layers no longer hold (ours).

    A token pruned now would score zero, and so be pruned again: its loss reinforces itself. But
    the layers up to the pruning one hold every token's keys, so the same action queries are seen
    looking at it there. Its shallow score stands in, scaled by how the tokens that both hold
    score in either.

    Args:
        deep: Of a layer that the action score is taken from.
        shallow: Of a layer that holds every token, None to leave missing tokens at zero.

    Returns:
        float32 [cameras, tokens].
    """
    if shallow is None:
        return deep.received
    both = deep.present & shallow.present
    below = torch.where(both, shallow.received, 0).sum()
    ratio = torch.where(both, deep.received, 0).sum() / below.clamp_min(1e-12)
    return torch.where(deep.present, deep.received, shallow.received * ratio)
