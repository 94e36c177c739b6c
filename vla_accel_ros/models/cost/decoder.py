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

"""What the language model takes: a layer, and logits."""

from __future__ import annotations

from vla_accel_ros.layers.shapes import DecoderConfig
from vla_accel_ros.models.cost.operations import Cost, attention, linear


def layer(decoder: DecoderConfig, tokens: int, keys: int, wanted: int | None = None) -> Cost:
    """Count a decoder layer.

    Args:
        decoder: Its shape.
        tokens: Rows that give keys and values.
        keys: Keys that are seen, those of these rows included.
        wanted: Rows that are wanted behind the layer: only they have queries, output and MLP. All
            if None.
    """
    inner, wanted = decoder.kv_heads * decoder.head_width, tokens if wanted is None else wanted
    # Keys and values are written once, and read with all that was there before.
    return (
        linear(wanted, decoder.width, decoder.width, False) * 2
        + linear(tokens, decoder.width, inner, False) * 2
        + attention(wanted, keys, decoder.width)
        + linear(wanted, decoder.width, decoder.mlp, False) * 2
        + linear(wanted, decoder.mlp, decoder.width, False)
        + Cost(0, 2 * decoder.width, 2 * inner * (tokens + keys))
    )


def final_norm(decoder: DecoderConfig) -> Cost:
    """Count the norm behind the last layer: its weights."""
    return Cost(0, decoder.width)


def logits(decoder: DecoderConfig, rows: int) -> Cost:
    """Count the final norm and the logits of some rows."""
    return linear(rows, decoder.width, decoder.vocab, False) + final_norm(decoder)
