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


"""Attention scores from queries that the model computes anyway.

Fused attention gives no weights. A hook keeps the queries of the layers asked for as they pass,
so that scoring costs one small product with the cached keys and no projection twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from vla_accel_ros.layers.cache import KVCache
from vla_accel_ros.layers.llama import LlamaDecoder, rotate
from vla_accel_ros.models.families.openvla.model import OpenVLA
from vla_accel_ros.pruning.interface import Layout
from vla_accel_ros.pruning.scores import TokenScores, attention_rows, token_scores


class QueryTap:
    """Keep the queries of chosen decoder layers while they run; used as a context.

    Args:
        decoder: The decoder.
        layers: Layers, counted from 1.
        tail: Rows to keep of each pass, the last ones; all if None.
    """

    def __init__(
        self, decoder: LlamaDecoder, layers: Iterable[int], tail: int | None = None
    ) -> None:
        self._decoder, self.tail = decoder, tail
        self._queries: dict[int, list[Tensor]] = {layer: [] for layer in layers}
        self._handles = []

    def __enter__(self) -> QueryTap:
        for layer, kept in self._queries.items():
            attention = self._decoder.layers[layer - 1].self_attn
            self._handles.append(attention.q_proj.register_forward_hook(self._keeper(kept)))
        return self

    def __exit__(self, *exception) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    def _keeper(self, kept: list[Tensor]):
        def keep(module, inputs, output: Tensor) -> None:
            # A copy, so that the rows that are not wanted can be freed.
            kept.append(output if self.tail is None else output[:, -self.tail :].clone())

        return keep

    def take(self, layer: int) -> Tensor:
        """Give a layer's queries [1, rows, width] of all passes since the last call."""
        passes = self._queries[layer]
        queries = passes[0] if len(passes) == 1 else torch.cat(passes, dim=1)
        passes.clear()
        return queries


def row_weights(
    decoder: LlamaDecoder,
    layer: int,
    queries: Tensor,
    query_positions: Tensor,
    cache: KVCache,
    key_positions: Tensor,
    causal: bool = True,
    rope: tuple[Tensor, Tensor] | None = None,
) -> Tensor:
    """Give the attention weights of tapped queries.

    Args:
        decoder: The decoder.
        layer: Counted from 1.
        queries: [1, rows, width], not rotated.
        query_positions: int [rows], absolute.
        cache: Holds the layer's keys.
        key_positions: int [keys], the absolute position of each.
        causal: Whether a query sees only keys at its own position or before.
        rope: Cosine and sine of the queries' positions, where they are at hand.

    Returns:
        float32 [heads, rows, keys].
    """
    attention = decoder.layers[layer - 1].self_attn
    heads = queries.view(1, -1, attention.heads, attention.head_width).transpose(1, 2)
    if rope is None:
        rope = decoder.rope(query_positions[None], queries)
    rotated = rotate(heads, rope)[0]
    keys = cache.store[layer - 1, 0, 0, :, : len(key_positions)]
    if not causal:
        return attention_rows(rotated, keys)
    return attention_rows(rotated, keys, query_positions, key_positions)


class ActionAttention:
    """What the action-decoding queries look at, gathered over prefill and decoding.

    Used as a context around both, prefill first. After each pass, or several, the positions of
    their rows are noted; where a position is computed again, after a refused draft, the last pass
    counts.

    Args:
        decoder: The decoder.
        layers: Layers to gather, counted from 1; with none it costs nothing.
        first: Position of the query whose output is the first action token.
        count: Action tokens.
        drafted: Draft tokens at the end of the prefill.
    """

    def __init__(
        self,
        decoder: LlamaDecoder,
        layers: Sequence[int],
        first: int,
        count: int,
        drafted: int = 0,
    ) -> None:
        self._decoder, self._layers, self._drafted = decoder, tuple(layers), drafted
        self._wanted = range(first, first + count)
        self._tap = QueryTap(decoder, self._layers, tail=1 + drafted)
        self._positions: list[int] = []

    def __enter__(self) -> ActionAttention:
        self._tap.__enter__()
        return self

    def __exit__(self, *exception) -> None:
        self._tap.__exit__(*exception)

    def prefilled(self) -> None:
        """Say that the prefill is done; all rows of later passes are action queries."""
        self._tap.tail = None
        self.note(range(self._wanted[0], self._wanted[0] + 1 + self._drafted))

    def note(self, positions: Iterable[int]) -> None:
        """Say at which positions the rows of the passes since the last call stand, in order."""
        self._positions.extend(positions)

    def scores(
        self,
        cache: KVCache,
        prompt_positions: Sequence[Tensor],
        ids: Sequence[Tensor],
        layout: Layout,
    ) -> dict[int, TokenScores]:
        """Give the scores of each layer, averaged over the action tokens.

        Args:
            cache: As decoding left it.
            prompt_positions: For each layer, positions that the prefill gave its keys.
            ids: For each layer, the visual tokens that it holds.
            layout: Where they come from.
        """
        latest = {position: row for row, position in enumerate(self._positions)}
        wanted = [position for position in self._wanted if position in latest]
        if not self._layers or not wanted:
            return {}
        device = cache.store.device
        rows = torch.tensor([latest[position] for position in wanted], device=device)
        positions = torch.tensor(wanted, device=device)
        result = {}
        for layer in self._layers:
            prompt = prompt_positions[layer - 1]
            prompt = prompt[: len(prompt) - self._drafted]
            decoded = cache.lengths[layer - 1] - len(prompt)
            after = self._wanted[0] + 1 + torch.arange(decoded, device=device)
            weights = row_weights(
                self._decoder,
                layer,
                self._tap.take(layer)[:, rows],
                positions,
                cache,
                torch.cat([prompt, after]),
            )
            result[layer] = token_scores(weights, 1, ids[layer - 1], layout.cameras, layout.tokens)
        return result


class TowerTap:
    """Keep what the last block of each image's last tower attends to; used as a context.

    Args:
        model: The model.
    """

    def __init__(self, model: OpenVLA) -> None:
        self._model = model
        self._calls: dict[int, list[Tensor]] = {
            tower: [] for towers in model.config.image_towers for tower in towers
        }
        self._handles = []

    def __enter__(self) -> TowerTap:
        last = {towers[-1] for towers in self._model.config.image_towers}
        for index in last:
            attention = self._model.vision_backbone.tower(index).blocks[-1].attn
            calls = self._calls[index]
            self._handles.append(
                attention.qkv.register_forward_hook(
                    lambda module, inputs, output, calls=calls: calls.append(output)
                )
            )
        return self

    def __exit__(self, *exception) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    def received(self) -> Tensor:
        """Give the attention that each patch receives, mean over heads and queries.

        Returns:
            float32 [cameras, tokens].
        """
        seen = dict.fromkeys(self._calls, 0)
        rows = []
        for towers in self._model.config.image_towers:
            tower = self._model.vision_backbone.tower(towers[-1])
            q, k, _ = tower.blocks[-1].attn.separate(self._calls[towers[-1]][seen[towers[-1]]])
            weights = attention_rows(q[0], k[0])
            rows.append(weights[..., tower.config.prefix :].mean((0, 1)))
            for index in towers:
                seen[index] += 1
        return torch.stack(rows)
