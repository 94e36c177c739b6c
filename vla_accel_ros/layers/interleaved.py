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

"""SmolVLA's action expert: layers of self-attention, and layers that look at the prefix alone.

Each expert layer stands beside a layer of the language model and reads its keys and values of
the prefix. A *self* layer has keys and values of its own behind those; an action sees the whole
prefix, the actions before it and itself. A *cross* layer projects the prefix's keys and values
once more, with matrices of its own, and looks at nothing else.
"""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor, nn

from vla_accel_ros.layers.llama import DecoderLayer, RMSNorm
from vla_accel_ros.layers.memory import Memory
from vla_accel_ros.layers.packed import Packable
from vla_accel_ros.layers.rotary import Rope, Rotary, rotate
from vla_accel_ros.layers.shapes import DecoderConfig


class CrossAttention(nn.Module):
    """Attention over the prefix's keys and values, projected by matrices of its own.

    Args:
        config: Of the expert.
    """

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.head_width = config.head_width
        queries, inner = (n * config.head_width for n in (config.heads, config.kv_heads))
        self.q_proj = nn.Linear(config.width, queries, bias=False)
        self.k_proj = nn.Linear(inner, inner, bias=False)
        self.v_proj = nn.Linear(inner, inner, bias=False)
        self.o_proj = nn.Linear(queries, config.width, bias=False)

    def queries(self, x: Tensor, rope: Rope) -> Tensor:
        """Give rotated queries [B, heads, S, head width] of x [B, S, width]."""
        return rotate(self.q_proj(x).unflatten(-1, (-1, self.head_width)).transpose(1, 2), rope)

    def project(self, prefix: Tensor) -> Tensor:
        """Project keys (rotated) and values of the prefix, which no step of a chunk changes.

        Args:
            prefix: [2, B, kv heads, n, head width].

        Returns:
            The same shape; nothing is rotated again.
        """
        keys, values = prefix.transpose(2, 3).flatten(3).unbind(0)
        made = torch.stack([self.k_proj(keys), self.v_proj(values)])
        return made.unflatten(-1, (-1, self.head_width)).transpose(2, 3)

    def out(self, attended: Tensor) -> Tensor:
        """Map what each head read, [B, heads, S, head width], to [B, S, width]."""
        return self.o_proj(attended.transpose(1, 2).flatten(2))


class InterleavedExpert(nn.Module):
    """The expert's layers and its final norm.

    Args:
        config: Its shape; key heads and head width are those of the language model.
        cross: Layers, from 0, that look at the prefix alone.
    """

    def __init__(self, config: DecoderConfig, cross: Collection[int]) -> None:
        super().__init__()
        self.config, self.cross = config, tuple(sorted(cross))
        self.layers = nn.ModuleList(DecoderLayer(config, k) for k in range(config.layers))
        for layer in self.cross:
            self.layers[layer].self_attn = CrossAttention(config)
        self.norm = RMSNorm(config.width, config.rms_eps)
        self.rotary = Rotary(config)

    def pack(self) -> None:
        """Pack the matrices of each layer that are multiplied with the same rows."""
        for module in self.layers.modules():
            if isinstance(module, Packable):
                module.pack()

    def project(self, layer: int, prefix: Tensor) -> Tensor:
        """Project keys and values of the prefix for a cross layer; see `CrossAttention.project`.

        Args:
            layer: Counted from 0.
            prefix: [2, B, kv heads, n, head width].
        """
        return self.layers[layer].self_attn.project(prefix)

    def rope(self, positions: Tensor, x: Tensor) -> Rope:
        """Give cosine and sine of positions [B or 1, S] in the type of x."""
        return self.rotary(positions, x.dtype)

    def forward(
        self,
        x: Tensor,
        positions: Tensor,
        prefix: Memory,
        taps: Collection[int] = (),
        collect: list[Tensor] | None = None,
    ) -> tuple[Tensor, dict[int, Tensor]]:
        """Run all layers over the rows of a chunk.

        Args:
            x: [B, chunk, width].
            positions: int [chunk], those behind the prefix; cross layers count from 0.
            prefix: Keys and values of the prefix, projected in cross layers; begun.
            taps: Layers, counted from 1, whose queries are wanted.
            collect: Receives the input of each layer.

        Returns:
            [B, chunk, width] after the final norm, and by tapped layer the rotated queries
            [B, heads, chunk, head width].
        """
        behind = self.rope(positions[None], x)
        alone = self.rope((positions - positions[:1])[None], x) if self.cross else behind
        queries: dict[int, Tensor] = {}
        for index, layer in enumerate(self.layers):
            if collect is not None:
                collect.append(x)
            normed, attention = layer.input_layernorm(x), layer.self_attn
            if index in self.cross:
                q = attention.queries(normed, alone)
                read = prefix.look(index, q)
            else:
                q, k, v = attention.project(normed, behind)
                read = prefix(index, q, k, v)
            if index + 1 in taps:
                queries[index + 1] = q
            x = layer.finish(x, read)
        return self.norm(x), queries
