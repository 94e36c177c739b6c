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

"""What the language model takes: its layers, and logits."""

from __future__ import annotations

from collections.abc import Sequence

from vla_accel_ros.layers.shapes import DecoderConfig
from vla_accel_ros.models.cost.operations import Cost, attention, linear


def layers(
    decoder: DecoderConfig, tokens: Sequence[int], keys: Sequence[int], wanted: int | None = None
) -> Cost:
    """Count all decoder layers, without the parts that are left out.

    Args:
        decoder: Its shape.
        tokens: Of each layer, the rows that give keys and values.
        keys: Of each layer, the keys that are seen, those of these rows included.
        wanted: Rows that are wanted behind the last layer: from the last attention on only they
            are computed, but for keys and values. All if None.
    """
    cost, last = Cost(), decoder.attending[-1]
    for index, (rows, seen) in enumerate(zip(tokens, keys, strict=True)):
        read = rows if wanted is None or index < last else wanted
        if index not in decoder.drop_attention:
            cost += _attention(decoder, rows, seen, read)
        if index not in decoder.drop_mlp:
            cost += _mlp(decoder, read)
    return cost


def layer(decoder: DecoderConfig, tokens: int, keys: int) -> Cost:
    """Count one whole decoder layer; see `layers` for tokens and keys."""
    return _attention(decoder, tokens, keys, tokens) + _mlp(decoder, tokens)


def _attention(decoder: DecoderConfig, tokens: int, keys: int, wanted: int) -> Cost:
    width, inner = decoder.width, decoder.kv_heads * decoder.head_width
    all_heads = decoder.inner
    # Keys and values are written once, and read with all that was there before.
    return (
        linear(wanted, width, all_heads, False)
        + linear(wanted, all_heads, width, False)
        + linear(tokens, width, inner, False) * 2
        + attention(wanted, keys, all_heads)
        + Cost(0, width, 2 * inner * (tokens + keys))
    )


def _mlp(decoder: DecoderConfig, rows: int) -> Cost:
    width = decoder.width
    return (
        linear(rows, width, decoder.mlp, False) * 2
        + linear(rows, decoder.mlp, width, False)
        + Cost(0, width)
    )


def final_norm(decoder: DecoderConfig) -> Cost:
    """Count the norm behind the last layer: its weights."""
    return Cost(0, decoder.width)


def logits(decoder: DecoderConfig, rows: int) -> Cost:
    """Count the final norm and the logits of some rows."""
    return linear(rows, decoder.width, decoder.vocab, False) + final_norm(decoder)
