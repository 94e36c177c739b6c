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

"""The decoder of Llama and of Gemma, layer by layer, with positions passed explicitly.

Keys and values are arguments and results: nothing here knows a cache or derives a position from
its length. What queries look at is the business of `layers.attending`.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn
import torch.nn.functional as F

from vla_accel_ros.layers.drawn import drawn
from vla_accel_ros.layers.packed import Packable
from vla_accel_ros.layers.rotary import Rope, Rotary, rotate
from vla_accel_ros.layers.shapes import DecoderConfig


class RMSNorm(nn.Module):
    """Scale by the root mean square, computed in float32 as Llama does, or better.

    Args:
        width: Channels.
        eps: Added to the mean square.
        adds_one: Whether one is added to the weight (Gemma).
    """

    def __init__(self, width: int, eps: float, adds_one: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(width) if adds_one else torch.ones(width))
        self.eps, self.adds_one, self._shape = eps, adds_one, (width,)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise x [..., width]."""
        if self.adds_one:
            # Gemma multiplies before it rounds.
            wide = x if x.dtype.itemsize >= 4 else x.float()
            weight = 1 + self.weight.to(wide.dtype)
            return torch.rms_norm(wide, self._shape, weight, self.eps).to(x.dtype)
        if x.dtype.itemsize >= 4:
            return torch.rms_norm(x, self._shape, self.weight, self.eps)
        # Llama rounds before it multiplies by the weight; torch's own function rounds after.
        wide = x.float()
        wide = wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + self.eps)
        return self.weight * wide.to(x.dtype)


def norm_of(config: DecoderConfig) -> RMSNorm:
    """Make a norm of a decoder."""
    return RMSNorm(config.width, config.rms_eps, config.norm_adds_one)


class SelfAttention(Packable):
    """Self-attention with rotary positions."""

    parts = ('q_proj', 'k_proj', 'v_proj')

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.heads, self.kv_heads = config.heads, config.kv_heads
        self.head_width = config.head_width
        inner = config.kv_heads * config.head_width
        self._turned = [self.heads, self.kv_heads]
        self._split = [self.heads + self.kv_heads, self.kv_heads]
        self.q_proj = nn.Linear(config.width, config.inner, bias=False)
        self.k_proj = nn.Linear(config.width, inner, bias=False)
        self.v_proj = nn.Linear(config.width, inner, bias=False)
        self.o_proj = nn.Linear(config.inner, config.width, bias=False)

    def _heads(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (-1, self.head_width)).transpose(1, 2)

    def queries(self, x: Tensor, rope: Rope) -> Tensor:
        """Give rotated queries [B, heads, S, head width] of x [B, S, width]."""
        return rotate(self._heads(self.q_proj(x)), rope)

    def keys(self, x: Tensor, rope: Rope) -> Tensor:
        """Give rotated keys [B, kv heads, S, head width] of x [B, S, width]."""
        return rotate(self._heads(self.k_proj(x)), rope)

    def values(self, x: Tensor) -> Tensor:
        """Give values [B, kv heads, S, head width] of x [B, S, width]."""
        return self._heads(self.v_proj(x))

    def queries_of(self, x: Tensor, rope: Rope, rows: Tensor | None) -> Tensor:
        """Give rotated queries [B, heads, S or r, head width] of rows int [r], all if None."""
        if rows is None:
            return self.queries(x, rope)
        own_rope = rope[0].index_select(2, rows), rope[1].index_select(2, rows)
        packed = self.matrix()
        # A part of the one matrix, and not a weight by name: TensorRT takes two pieces of memory
        # that begin at one place for one weight.
        weight = self.q_proj.weight if packed is None else packed[: self.q_proj.out_features]
        return rotate(self._heads(F.linear(x.index_select(1, rows), weight)), own_rope)

    def keys_and_values(self, x: Tensor, rope: Rope) -> tuple[Tensor, Tensor]:
        """Give rotated keys, and values, [B, kv heads, S, head width] of x [B, S, width]."""
        packed = self.matrix()
        if packed is None:
            return self.keys(x, rope), self.values(x)
        keys, values = self._heads(F.linear(x, packed[self.q_proj.out_features :])).chunk(2, 1)
        return rotate(keys, rope), values

    def project(
        self, x: Tensor, rope: Rope, rows: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Give queries, keys and values of x [B, S, width] in one product where they are packed.

        Args:
            x: [B, S, width].
            rope: Of the S positions.
            rows: int [r], the rows whose queries are wanted; all if None.

        Returns:
            Queries [B, heads, S or r, head width] and keys [B, kv heads, S, head width], both
            rotated; values as the keys.
        """
        if rows is not None:
            return self.queries_of(x, rope, rows), *self.keys_and_values(x, rope)
        packed = self.matrix()
        if packed is None:
            return self.queries(x, rope), self.keys(x, rope), self.values(x)
        turned, values = self._heads(F.linear(x, packed)).split_with_sizes(self._split, 1)
        queries, keys = rotate(turned, rope).split_with_sizes(self._turned, 1)
        return queries, keys, values

    def out(self, attended: Tensor) -> Tensor:
        """Map what each head read, [B, heads, S, head width], to [B, S, width]."""
        return self.o_proj(attended.transpose(1, 2).flatten(2))

    def forward(
        self, x: Tensor, rope: Rope, mask: Tensor | None = None, causal: bool = False
    ) -> Tensor:
        """Attend from x [B, S, width] over x itself."""
        return self.out(fused(*self.project(x, rope), mask, causal))


def fused(
    queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None = None, causal: bool = False
) -> Tensor:
    """Attend by torch's fused attention, several query heads to a key head where they are more.

    Args:
        queries: [B, heads, S, head width].
        keys: [B, kv heads, n, head width].
        values: As the keys.
        mask: bool broadcastable to [B, heads, S, n], True where a query sees a key.
        causal: What None as mask means; only for n = S.

    Returns:
        [B, heads, S, head width].
    """
    return F.scaled_dot_product_attention(
        queries,
        keys,
        values,
        attn_mask=mask,
        is_causal=causal,
        enable_gqa=queries.shape[1] != keys.shape[1],
    )


ACTIVATIONS = {'silu': F.silu, 'gelu_tanh': partial(F.gelu, approximate='tanh')}


class GatedMLP(Packable):
    """The gated MLP: down(activation(gate) * up), with SiLU in Llama."""

    parts = ('gate_proj', 'up_proj')

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self._activation = ACTIVATIONS[config.activation]
        self.gate_proj = nn.Linear(config.width, config.mlp, bias=False)
        self.up_proj = nn.Linear(config.width, config.mlp, bias=False)
        self.down_proj = nn.Linear(config.mlp, config.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map x [..., width] to the same shape."""
        packed = self.matrix()
        if packed is None:
            gate, up = self.gate_proj(x), self.up_proj(x)
        else:
            gate, up = F.linear(x, packed).chunk(2, -1)
        return self.down_proj(self._activation(gate) * up)


class DecoderLayer(nn.Module):
    """Pre-norm attention and MLP around a residual stream; either may be left out.

    Args:
        config: Of the decoder.
        layer: Counted from 0.
    """

    self_attn: SelfAttention | None
    mlp: GatedMLP | None

    def __init__(self, config: DecoderConfig, layer: int) -> None:
        super().__init__()
        self.self_attn = self.mlp = None
        if layer not in config.drop_attention:
            self.self_attn = SelfAttention(config)
        if layer not in config.drop_mlp:
            self.mlp = GatedMLP(config)
        if self.self_attn is not None:
            self.input_layernorm = norm_of(config)
        if self.mlp is not None:
            self.post_attention_layernorm = norm_of(config)

    def finish(self, x: Tensor, attended: Tensor | None = None) -> Tensor:
        """Go on from x [B, S, width] with what its heads read, [B, heads, S, head width]."""
        if self.self_attn is not None and attended is not None:
            x = x + self.self_attn.out(attended)
        return x if self.mlp is None else x + self.mlp(self.post_attention_layernorm(x))

    def forward(
        self, x: Tensor, rope: Rope, mask: Tensor | None = None, causal: bool = False
    ) -> Tensor:
        """Map hidden states x [B, S, width]; see `LlamaDecoder.run` for the other arguments."""
        if self.self_attn is not None:
            x = x + self.self_attn(self.input_layernorm(x), rope, mask, causal)
        return self.finish(x)


class ScaledEmbedding(nn.Embedding):
    """A table whose rows are multiplied by the root of their width when they are read (Gemma)."""

    def forward(self, ids: Tensor) -> Tensor:
        """Give the rows [..., width] of tokens int [...]."""
        return super().forward(ids) * self.embedding_dim**0.5


class LlamaDecoder(nn.Module):
    """Embedding table, layers and final norm; called `model` in the checkpoint."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.config = config
        kind = ScaledEmbedding if config.scaled_embedding else nn.Embedding
        table = drawn(config.vocab, config.width)
        self.embed_tokens = kind.from_pretrained(table, freeze=False)
        self.layers = nn.ModuleList(DecoderLayer(config, k) for k in range(config.layers))
        self.norm = norm_of(config)
        self.rotary = Rotary(config)

    def rope(self, positions: Tensor, x: Tensor) -> Rope:
        """Give cosine and sine of positions [B or 1, S] in the type that attention runs in."""
        kind = x.device.type
        autocast = torch.is_autocast_enabled(kind)
        return self.rotary(positions, torch.get_autocast_dtype(kind) if autocast else x.dtype)

    def pack(self) -> None:
        """Pack the matrices of each layer that are multiplied with the same rows."""
        for module in self.layers.modules():
            if isinstance(module, Packable):
                module.pack()

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


class LanguageModel(nn.Module):
    """The decoder and, where the model has one, its output layer."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.model = LlamaDecoder(config)
        if config.logits:
            self.lm_head = nn.Linear(config.width, config.vocab, bias=False)
