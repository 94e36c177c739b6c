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

"""Run a decoder for the sake of a few rows: its last attention is needed at these only (ours)."""

from __future__ import annotations

from torch import Tensor
import torch.nn.functional as F

from vla_accel_ros.layers.llama import DecoderLayer, LlamaDecoder


def rows_of(x: Tensor, rows: Tensor) -> Tensor:
    """Return the rows int [B, ...] of x [B, S, width], [B, ..., width]."""
    flat = rows.flatten(1)[..., None].expand(-1, -1, x.shape[-1])
    return x.gather(1, flat).unflatten(1, rows.shape[1:])


def run_for(
    decoder: LlamaDecoder, x: Tensor, positions: Tensor, mask: Tensor | None, rows: Tensor
) -> tuple[Tensor, list[Tensor]]:
    """Run all layers, from the last one that has attention at some rows only.

    Args:
        decoder: With as many heads for keys as for queries.
        x: [B, S, width], embeddings.
        positions: int [B or 1, S], absolute.
        mask: [B or 1, 1, S or 1, S], as fused attention takes it; None where every row sees
            every row.
        rows: int [B, R], those that are wanted.

    Returns:
        [B, R, width] after the final norm, and the input [B, S, width] of each layer up to the
        last one that has attention.
    """
    rope, last = decoder.rope(positions, x), decoder.config.attending[-1]
    layers = []
    for layer in decoder.layers[:last]:
        layers.append(x)
        x = layer(x, rope, mask)
    layers.append(x)
    x = _last(decoder.layers[last], x, rope, mask, rows)
    for layer in decoder.layers[last + 1 :]:
        x = layer.finish(x)
    return decoder.norm(x), layers


def _last(
    layer: DecoderLayer, x: Tensor, rope: tuple[Tensor, Tensor], mask: Tensor | None, rows: Tensor
) -> Tensor:
    attention, normed = layer.self_attn, layer.input_layernorm(x)

    def own(shared: Tensor) -> Tensor:
        return rows_of(shared[:, 0].expand(len(x), -1, -1), rows)[:, None]

    out = F.scaled_dot_product_attention(
        attention.queries(rows_of(normed, rows), (own(rope[0]), own(rope[1]))),
        attention.keys(normed, rope),
        attention.values(normed),
        attn_mask=mask if mask is None or mask.shape[2] == 1 else own(mask),
    )
    return layer.finish(rows_of(x, rows), out)
