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

"""Decoder layers in operators that ONNX Runtime alone has, for few and large nodes.

A pass over a few tokens of a small model takes as long as its nodes are many, and these are a
third of those of ONNX's operators. What is here can be traced, but not run.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
import torch.nn.functional as F

from vla_accel_ros.layers.llama import DecoderLayer, LlamaDecoder, RMSNorm, SelfAttention
from vla_accel_ros.layers.rotary import rotate

DOMAIN = 'com.microsoft'
# Its rotation takes so many channels at once.
CHANNELS = 16


class Held(NamedTuple):
    """What layers hold of rows that came before.

    Attributes:
        parts: Keys and values of each layer, [1, kv heads, capacity, head width].
        last: int32 [slots], the place of the last row behind which nothing is seen.
        rows: int32 [slots], the rows up to that one: one more.
    """

    parts: Sequence[tuple[Tensor, Tensor]]
    last: Tensor
    rows: Tensor


def fits(decoder: LlamaDecoder) -> bool:
    """Say whether ONNX Runtime's operators do what the layers of a decoder do."""
    config = decoder.config
    whole = not config.drop_attention and not config.drop_mlp and not config.norm_adds_one
    return whole and config.head_width % CHANNELS == 0


def run_layers(
    decoder: LlamaDecoder, x: Tensor, positions: Tensor, held: Held, taps: Collection[int]
) -> tuple[Tensor, list[Tensor], dict[int, Tensor]]:
    """Run all layers and the final norm over rows that follow those in memory.

    Args:
        decoder: The decoder; see `fits`.
        x: [1, k, width].
        positions: int [1, k], absolute.
        held: What the layers hold, and how much with the new rows.
        taps: Layers, counted from 1, whose queries are wanted.

    Returns:
        [1, k, width]; keys and values, layer by layer, of the shapes in `held`, with the new rows
        in their places; by tapped layer its rotated queries [1, heads, k, head width].
    """
    layers: list[DecoderLayer] = list(decoder.layers)  # type: ignore[arg-type]
    rope, half = decoder.rope(positions, x), decoder.config.head_width // 2
    # See `rope_table`: cosines twice, then sines twice, of which the first are negative.
    table = decoder.rotary.table.to(x.dtype)
    turns = table[:, :half], table[:, -half:]
    ones = [1] * len(layers)
    counts = zip(held.last.split_with_sizes(ones), held.rows.split_with_sizes(ones), strict=True)
    norms = [layer.input_layernorm for layer in layers[1:]]
    normed, queries, made = _norm(layers[0].input_layernorm, x), {}, []
    rows = zip(layers, [*norms, decoder.norm], held.parts, counts, strict=True)
    for number, (layer, after, parts, places) in enumerate(rows, 1):
        attention, mlp = layer.self_attn, layer.mlp
        assert attention is not None and mlp is not None
        projected = _projected(attention, normed)
        if number in taps:
            inner = attention.heads * attention.head_width
            heads = projected[0][..., :inner].reshape(1, -1, attention.heads, attention.head_width)
            queries[number] = rotate(heads.transpose(1, 2), rope)
        read, *grown = _grouped_attention(attention, projected, parts, places, turns, positions)
        made += grown
        normed, x = _added_norm(layer.post_attention_layernorm, attention.o_proj(read), x)
        normed, x = _added_norm(after, mlp(normed), x)
    return normed, made, queries


def _projected(attention: SelfAttention, x: Tensor) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """Give queries, keys and values of x, all of them as the first where they are packed."""
    packed = attention.matrix()
    if packed is not None:
        return F.linear(x, packed), None, None
    return attention.q_proj(x), attention.k_proj(x), attention.v_proj(x)


def _grouped_attention(
    attention: SelfAttention,
    projected: tuple[Tensor, Tensor | None, Tensor | None],
    parts: tuple[Tensor, Tensor],
    places: tuple[Tensor, Tensor],
    turns: tuple[Tensor, Tensor],
    positions: Tensor,
) -> Sequence[Tensor]:
    """Rotate, put keys and values behind those that are held, and attend.

    Returns:
        What is read [1, k, width], keys and values, both as those that are held.
    """
    read = 1, positions.shape[1], attention.o_proj.in_features
    done: Sequence[Tensor] = torch.onnx.ops.symbolic_multi_out(
        f'{DOMAIN}::GroupQueryAttention',
        [*projected, *parts, *places, *turns, positions],
        {'num_heads': attention.heads, 'kv_num_heads': attention.kv_heads, 'do_rotary': 1},
        dtypes=[parts[0].dtype] * 3,
        shapes=[read, parts[0].shape, parts[1].shape],
        version=1,
    )
    return done


def _norm(norm: RMSNorm, x: Tensor) -> Tensor:
    """Normalise in the form in which ONNX Runtime knows it as one operation."""
    return x / torch.sqrt(x.square().mean(-1, keepdim=True) + norm.eps) * norm.weight


def _added_norm(norm: RMSNorm, x: Tensor, more: Tensor) -> tuple[Tensor, Tensor]:
    """Add two, and give the norm of the sum, and the sum."""
    normed, _, _, whole = torch.onnx.ops.symbolic_multi_out(
        f'{DOMAIN}::SkipSimplifiedLayerNormalization',
        [x, more, norm.weight],
        {'epsilon': norm.eps},
        dtypes=[x.dtype] * 4,
        shapes=[x.shape] * 4,
        version=1,
    )
    return normed, whole
