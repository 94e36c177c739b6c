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


"""SpecPrune-VLA's layer-level score: a running mean of rank times confidence."""

from __future__ import annotations

import torch
from torch import Tensor

from vla_accel_ros.pruning.scores import TokenScores
from vla_accel_ros.pruning.selection import ranks

EPSILON = 1e-6


def rank_weights(scores: TokenScores, slope: float) -> Tensor:
    """Weigh tokens by their rank, w_rank: sigmoid(-slope * rank), normalised to sum to 1.

    Returns:
        float32 [cameras, tokens]; 0 where a token is absent.
    """
    received = scores.received.masked_fill(~scores.present, float('-inf')).flatten()
    weight = torch.sigmoid(-slope * ranks(received).float()).view_as(scores.received)
    weight = weight * scores.present
    return weight / weight.sum()


def confidence(scores: TokenScores, rule: str) -> Tensor:
    """Say how far a layer's attention can be trusted, w_conf, a float32 [].

    Args:
        scores: Of the layer.
        rule: `entropy`, 1 / (H + eps), the paper's later versions; `mean_std`, the mean over
            the standard deviation of the scores, its first.

    Raises:
        ValueError: When the rule is `entropy` and the scores have none.
    """
    if rule == 'entropy':
        if scores.entropy is None:
            raise ValueError('the scores have no entropy, expected it for confidence by entropy')
        return 1 / (scores.entropy + EPSILON)
    values = scores.received[scores.present]
    return values.mean() / (values.std(correction=0) + EPSILON)


class LayerRanking:
    """The running mean over layers, S <- (1 - r) S + r w_rank w_conf; it starts at the first."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Begin an inference."""
        self.score: Tensor | None = None

    def update(self, scores: TokenScores, slope: float, rate: float, rule: str) -> Tensor:
        """Take a layer's scores and give the running mean [cameras, tokens]."""
        now = rank_weights(scores, slope) * confidence(scores, rule)
        self.score = now if self.score is None else (1 - rate) * self.score + rate * now
        return self.score
