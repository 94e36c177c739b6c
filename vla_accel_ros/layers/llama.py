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

"""The Llama decoder, layer by layer, with positions passed explicitly.

Fused attention everywhere, which gives no weights. `run_layers` therefore gives the queries of
the layers asked for, and whoever wants weights multiplies them with the keys. Keys and values
are arguments and results: nothing here knows a cache or derives a position from its length.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import torch
from torch import Tensor, nn
import torch.nn.functional as F

from vla_accel_ros.layers.shapes import DecoderConfig


class RMSNorm(nn.Module):
    """Scale by the root mean square, computed in float32 as Llama does, or better."""

    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Normalise x [..., width]."""
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        wide = wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + self.eps)
        return self.weight * wide.to(x.dtype)


class Rotary:
    """Cosines and sines of the rotary embedding for given positions (RoFormer, eq. 34).

    No module: its frequencies must stay float32 when the model is cast to another type.
    """

    def __init__(self, config: DecoderConfig) -> None:
        self.theta, self.width = config.rope_theta, config.head_width
        self._frequencies: dict[torch.device, Tensor] = {}

    def _frequency(self, device: torch.device) -> Tensor:
        if device not in self._frequencies:
            half = torch.arange(0, self.width, 2, dtype=torch.int64, device=device).float()
            self._frequencies[device] = 1.0 / self.theta ** (half / self.width)
        return self._frequencies[device]

    def __call__(self, positions: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Give cosine and sine, each [B or 1, 1, S, head width], for positions [B or 1, S]."""
        angle = positions[..., None].float() * self._frequency(positions.device)
        angle = torch.cat([angle, angle], dim=-1)[:, None]
        return angle.cos().to(dtype), angle.sin().to(dtype)


def rotate(x: Tensor, rope: tuple[Tensor, Tensor]) -> Tensor:
    """Rotate x [B, heads, S, head width] by the given cosine and sine."""
    cosine, sine = rope
    first, second = x.chunk(2, dim=-1)
    return x * cosine + torch.cat([-second, first], dim=-1) * sine


class SelfAttention(nn.Module):
    """Self-attention with rotary positions."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.heads, self.kv_heads = config.heads, config.kv_heads
        self.head_width = config.head_width
        inner = config.kv_heads * config.head_width
        self.q_proj = nn.Linear(config.width, config.width, bias=False)
        self.k_proj = nn.Linear(config.width, inner, bias=False)
        self.v_proj = nn.Linear(config.width, inner, bias=False)
        self.o_proj = nn.Linear(config.width, config.width, bias=False)

    def _heads(self, x: Tensor, heads: int) -> Tensor:
        return x.view(*x.shape[:2], heads, self.head_width).transpose(1, 2)

    def queries(self, x: Tensor, rope: tuple[Tensor, Tensor]) -> Tensor:
        """Give rotated queries [B, heads, S, head width] of x [B, S, width]."""
        return rotate(self._heads(self.q_proj(x), self.heads), rope)

    def keys(self, x: Tensor, rope: tuple[Tensor, Tensor]) -> Tensor:
        """Give rotated keys [B, kv heads, S, head width] of x [B, S, width]."""
        return rotate(self._heads(self.k_proj(x), self.kv_heads), rope)

    def values(self, x: Tensor) -> Tensor:
        """Give values [B, kv heads, S, head width] of x [B, S, width]."""
        return self._heads(self.v_proj(x), self.kv_heads)

    def attend(
        self, queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None, causal: bool
    ) -> Tensor:
        """Give what queries [B, heads, S, head width] read from keys and values, [B, S, width]."""
        x = F.scaled_dot_product_attention(
            queries,
            keys,
            values,
            attn_mask=mask,
            is_causal=causal,
            enable_gqa=self.heads != self.kv_heads,
        )
        return self.o_proj(x.transpose(1, 2).flatten(2))

    def forward(
        self,
        x: Tensor,
        rope: tuple[Tensor, Tensor],
        mask: Tensor | None = None,
        causal: bool = False,
    ) -> Tensor:
        """Attend from x [B, S, width] over x itself."""
        return self.attend(self.queries(x, rope), self.keys(x, rope), self.values(x), mask, causal)


class GatedMLP(nn.Module):
    """Llama's MLP: down(silu(gate) * up)."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(config.width, config.mlp, bias=False)
        self.up_proj = nn.Linear(config.width, config.mlp, bias=False)
        self.down_proj = nn.Linear(config.mlp, config.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map x [..., width] to the same shape."""
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class DecoderLayer(nn.Module):
    """Pre-norm attention and MLP around a residual stream."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.self_attn = SelfAttention(config)
        self.mlp = GatedMLP(config)
        self.input_layernorm = RMSNorm(config.width, config.rms_eps)
        self.post_attention_layernorm = RMSNorm(config.width, config.rms_eps)

    def forward(
        self,
        x: Tensor,
        rope: tuple[Tensor, Tensor],
        mask: Tensor | None = None,
        causal: bool = False,
    ) -> Tensor:
        """Map hidden states x [B, S, width]; see `LlamaDecoder.run` for the other arguments."""
        x = x + self.self_attn(self.input_layernorm(x), rope, mask, causal)
        return x + self.mlp(self.post_attention_layernorm(x))


class LlamaDecoder(nn.Module):
    """Embedding table, layers and final norm; called `model` in the checkpoint."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.config = config
        self.embed_tokens = nn.Embedding(config.vocab, config.width)
        nn.init.normal_(self.embed_tokens.weight, std=0.02)
        self.layers = nn.ModuleList(DecoderLayer(config) for _ in range(config.layers))
        self.norm = RMSNorm(config.width, config.rms_eps)
        self.rotary = Rotary(config)

    def rope(self, positions: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """Give cosine and sine of positions [B or 1, S] in the type that attention runs in."""
        kind = x.device.type
        autocast = torch.is_autocast_enabled(kind)
        return self.rotary(positions, torch.get_autocast_dtype(kind) if autocast else x.dtype)

    def run(
        self,
        x: Tensor,
        positions: Tensor,
        mask: Tensor | None = None,
        collect: list[Tensor] | None = None,
        causal: bool = True,
    ) -> Tensor:
        """Run all layers and the final norm over whole sequences.

        Args:
            x: [B, S, width] embeddings.
            positions: int [B or 1, S], absolute.
            mask: bool broadcastable to [B, heads, S, S], True where a query sees a key.
            collect: Receives the input of each layer.
            causal: What None as mask means; False for every query seeing every key.

        Returns:
            [B, S, width] after the final norm.
        """
        causal = causal and mask is None and x.shape[1] > 1
        rope = self.rope(positions, x)
        for layer in self.layers:
            if collect is not None:
                collect.append(x)
            x = layer(x, rope, mask, causal)
        return self.norm(x)


@dataclass(frozen=True, eq=False)
class Ran:
    """What a run of layers gives.

    Attributes:
        x: [B, k, width], what leaves the last layer.
        new: [layers, 2, B, kv heads, k, head width], keys (rotated) and values of the k rows.
        queries: By layer, from 1, of those asked for: [B, heads, k, head width], rotated.
    """

    x: Tensor
    new: Tensor
    queries: dict[int, Tensor]


def run_layers(
    decoder: LlamaDecoder,
    first: int,
    last: int,
    x: Tensor,
    rope: tuple[Tensor, Tensor],
    mask: Tensor | None = None,
    causal: bool = False,
    past: Tensor | None = None,
    room: Tensor | None = None,
    taps: Collection[int] = (),
) -> Ran:
    """Run layers [first, last), counted from 0, keys and values in and out.

    The result is the same with `room` and without it. Without it nothing is written to. With it,
    new keys and values are written behind the past ones, which need not be copied then.

    Args:
        decoder: The decoder.
        first: First layer.
        last: The layer behind the last one.
        x: [B, k, width].
        rope: Cosine and sine of the k positions.
        mask: bool broadcastable to [B, heads, k, n + k], True where a query sees a key.
        causal: What None as mask means; only for n = 0.
        past: [layers, 2, B, kv heads, n, head width], keys and values that came before.
        room: [layers, 2, B, kv heads, n + k, head width], the memory of `past` and room for k
            tokens behind it.
        taps: Layers, counted from 1, whose queries are wanted.
    """
    queries, made = {}, []
    for index in range(first, last):
        layer: DecoderLayer = decoder.layers[index]
        attention, normed = layer.self_attn, layer.input_layernorm(x)
        q, k = attention.queries(normed, rope), attention.keys(normed, rope)
        v = attention.values(normed)
        if index + 1 in taps:
            queries[index + 1] = q
        if room is not None:
            keys, values = room[index - first].unbind(0)
            keys[:, :, -x.shape[1] :] = k
            values[:, :, -x.shape[1] :] = v
        else:
            made.append(torch.stack([k, v]))
            keys, values = k, v
            if past is not None:
                keys, values = torch.cat([past[index - first], made[-1]], dim=3).unbind(0)
        x = x + attention.attend(q, keys, values, mask, causal)
        x = x + layer.mlp(layer.post_attention_layernorm(x))
    new = torch.stack(made) if room is None else room[:, :, :, :, -x.shape[1] :]
    return Ran(x, new, queries)


class LanguageModel(nn.Module):
    """The decoder and its output head."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.model = LlamaDecoder(config)
        self.lm_head = nn.Linear(config.width, config.vocab, bias=False)
