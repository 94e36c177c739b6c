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

"""Scores from the query rows of a prefill, a block of rows at a time."""

from __future__ import annotations

from torch import Tensor

from vla_accel_ros.layers.cache import KVCache
from vla_accel_ros.layers.llama import LlamaDecoder
from vla_accel_ros.models.attention_taps import row_weights
from vla_accel_ros.pruning.interface import Layout
from vla_accel_ros.pruning.scores import TokenScores, mean_scores, token_scores

# The weights of so many rows of all heads stay in a core's cache; those of all rows at once do
# not, and take four times as long.
BLOCK = 64


def row_scores(
    decoder: LlamaDecoder,
    layer: int,
    queries: Tensor,
    rows: slice,
    positions: Tensor,
    rope: tuple[Tensor, Tensor],
    cache: KVCache,
    ids: Tensor,
    layout: Layout,
    causal: bool,
    entropy: bool,
) -> TokenScores:
    """Say how much attention visual tokens receive from some rows of a prefill.

    Args:
        decoder: The decoder.
        layer: Counted from 1.
        queries: [1, S, width] of the whole sequence, not rotated.
        rows: Which of them count.
        positions: int [S], absolute, ascending.
        rope: Cosine and sine of these positions, each [1, 1, S, head width].
        cache: Holds the layer's keys of this sequence, and nothing else.
        ids: int64 [n], which visual tokens the sequence has behind BOS, ascending.
        layout: Where they come from.
        causal: Whether a query sees only keys at its own position or before.
        entropy: Whether to compute the entropy.
    """
    begin, end, _ = rows.indices(len(positions))
    parts, counts = [], []
    for start in range(begin, end, BLOCK):
        stop = min(start + BLOCK, end)
        # What lies behind the last row is not seen: it need not even be multiplied.
        keys = stop if causal else len(positions)
        weights = row_weights(
            decoder,
            layer,
            queries[:, start:stop],
            positions[start:stop],
            cache,
            positions[:keys],
            causal,
            tuple(part[:, :, start:stop] for part in rope),
        )
        parts.append(
            token_scores(
                weights, 1, ids[: max(keys - 1, 0)], layout.cameras, layout.tokens, entropy
            )
        )
        counts.append(stop - start)
    return mean_scores(parts, counts)
