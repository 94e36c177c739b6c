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

"""Passes of a few tokens over a filled cache, as decoding asks for them."""

from __future__ import annotations

import torch
from torch import Tensor

from vla_accel_ros.layers.cache import KVCache
from vla_accel_ros.layers.llama import LlamaDecoder
from vla_accel_ros.models.attention_taps import ActionAttention
from vla_accel_ros.models.families.openvla.model import OpenVLA


def extend(decoder: LlamaDecoder, x: Tensor, positions: Tensor, cache: KVCache) -> Tensor:
    """Run a few tokens over a cache whose layers may differ in length.

    Args:
        decoder: The decoder.
        x: [B, k, width] embeddings.
        positions: int [1 or B, k], absolute.
        cache: Holds what came before; each layer grows by k.

    Returns:
        [B, k, width] after the final norm.
    """
    count = x.shape[1]
    rope, causal = decoder.rope(positions, x), None
    if count > 1:
        # All of the cache and, of the new tokens, those up to oneself. A layer that holds less
        # takes the right part: fused attention's own flag would align at the left.
        keys = max(cache.lengths) + count
        causal = torch.ones(count, keys, dtype=torch.bool, device=x.device).tril(keys - count)
    for index, layer in enumerate(decoder.layers):
        mask = None if causal is None else causal[:, -count - cache.lengths[index] :]
        x = layer(x, rope, mask, False, cache, index)
    return decoder.norm(x)


class CachedPasses:
    """`decoding.interface.Passes` of a model and the cache that a prefill filled.

    Args:
        model: The model.
        cache: Holds the prompt, and the draft tokens behind it.
        first: Absolute position of the answer's first token, the prompt's full length.
        attention: Told where each pass stands.

    Attributes:
        made: What each pass ran: the answer's tokens before it, and its own.
    """

    def __init__(
        self, model: OpenVLA, cache: KVCache, first: int, attention: ActionAttention
    ) -> None:
        self._model, self._cache, self._first = model, cache, first
        self._attention = attention
        self.made: list[tuple[int, int]] = []

    def extend(self, tokens: Tensor, start: int) -> Tensor:
        """Run tokens [k] of the answer, give logits [k, vocabulary]; see `Passes.extend`."""
        language = self._model.language_model
        self.made.append((start, len(tokens)))
        begin = self._first + start
        positions = torch.arange(begin, begin + len(tokens), device=tokens.device)
        x = language.model.embed_tokens(tokens[None])
        hidden = extend(language.model, x, positions[None], self._cache)
        self._attention.note(range(begin, begin + len(tokens)))
        return language.lm_head(hidden[0])

    def rollback(self, count: int) -> None:
        """Forget the newest tokens of the cache."""
        self._cache.drop_last(count)
