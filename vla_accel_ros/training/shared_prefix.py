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

"""What a frozen language model holds of images and of several instructions about each.

An image is run once. Instructions hang behind it as in `packing`, and noisy chunks behind these:
`[BOS | visual]` is shared by all instructions, an instruction's words by all chunks that are drawn
for it. An action expert attends to the keys and values of both and to its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vla_accel_ros.layers.llama import fused
from vla_accel_ros.models.vla import VLA
from vla_accel_ros.training.packing import Packing


@dataclass(frozen=True)
class Shared:
    """Keys and values of B images with K instructions each.

    Attributes:
        front: Of each layer, keys and values [B, heads, 1 + visual, head width].
        words: Of each layer, keys and values [B, K, heads, T, head width], without BOS.
        hidden: [B, K, 1, 1, 1, T], added to the scores of the words: minus infinity for padding.
        count: int [B, K], rows of image and instruction together.
    """

    front: list[tuple[Tensor, Tensor]]
    words: list[tuple[Tensor, Tensor]]
    hidden: Tensor
    count: Tensor


@torch.no_grad()
def run_prefix(model: VLA, pixels: Tensor, packing: Packing, asked: Tensor) -> Shared:
    """Run images and instructions, without gradients.

    Args:
        model: Whose language model is causal, with BOS in front of the visual tokens.
        pixels: [B, channels, H, W], normalised.
        packing: Layout of the instructions, with one action token: none stands in it.
        asked: int [B, K], which instructions each image is asked.
    """
    count = asked.shape[1]
    words = packing.words[asked]
    bos = words.new_full((len(words), 1), packing.bos)
    x = model.embed_prompt(torch.cat([bos, words.flatten(1)], 1), model.encode_images(pixels))
    decoder, ends = model.language_model.model, packing.columns[asked][..., 0] + 1
    rope, first = decoder.rope(packing.positions, x), int(packing.starts[0])
    front, behind = [], []
    for layer in decoder.layers:
        normed = layer.input_layernorm(x)
        queries, keys, values = layer.self_attn.project(normed, rope)
        front.append((keys[:, :, :first].contiguous(), values[:, :, :first].contiguous()))
        behind.append((_branches(keys, first, count), _branches(values, first, count)))
        # Nobody reads what the last layer makes of them.
        if layer is not decoder.layers[-1]:
            x = layer.finish(x, fused(queries, keys, values, packing.mask))
    padding = torch.arange(words.shape[-1], device=words.device) >= ends[..., None]
    hidden = torch.zeros_like(padding, dtype=x.dtype).masked_fill(padding, float('-inf'))
    return Shared(front, behind, hidden[:, :, None, None, None], first + ends)


def _branches(rows: Tensor, first: int, count: int) -> Tensor:
    """Cut rows [B, heads, S, head width] behind the first ones into [B, K, heads, T, ...]."""
    return rows[:, :, first:].unflatten(2, (count, -1)).transpose(1, 2).contiguous()


def attend(shared: Shared, layer: int, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Let the rows of R chunks attend to image, instruction and their own chunk, both ways.

    Args:
        shared: Of the frozen model.
        layer: Whose keys and values are met.
        queries: [B, K, R, heads, n, head width], rotated.
        keys: As the queries, the chunks' own.
        values: As the keys.

    Returns:
        [B, K, R, heads, n, head width], differentiable in queries, keys and values.
    """
    batch, asks, draws, heads, rows, width = queries.shape
    front_keys, front_values = shared.front[layer]
    word_keys, word_values = shared.words[layer]
    queries = queries * width**-0.5
    flat = queries.permute(0, 3, 1, 2, 4, 5).reshape(batch, heads, -1, width)
    told = queries.transpose(2, 3).reshape(batch, asks, heads, -1, width)
    scores = (
        _apart(flat @ front_keys.transpose(-1, -2), asks, draws, rows),
        (told @ word_keys.transpose(-1, -2)).unflatten(3, (draws, rows)).transpose(2, 3)
        + shared.hidden,
        queries @ keys.transpose(-1, -2),
    )
    shares = torch.cat(scores, -1).softmax(-1).split([part.shape[-1] for part in scores], -1)
    flat = shares[0].permute(0, 3, 1, 2, 4, 5).reshape(batch, heads, -1, shares[0].shape[-1])
    told = shares[1].transpose(2, 3).reshape(batch, asks, heads, -1, shares[1].shape[-1])
    return (
        _apart(flat @ front_values, asks, draws, rows)
        + (told @ word_values).unflatten(3, (draws, rows)).transpose(2, 3)
        + shares[2] @ values
    )


def _apart(flat: Tensor, asks: int, draws: int, rows: int) -> Tensor:
    """Turn [B, heads, K * R * n, width] into [B, K, R, heads, n, width]."""
    return flat.unflatten(2, (asks, draws, rows)).permute(0, 2, 3, 1, 4, 5)
