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

"""Action experts: a decoder of their own that reads the keys and values of a prefix.

Layer l attends to what layer l of the language model made of the prefix, and to its own rows.
Norms are plain (pi0), or adaptive: the time of the flow gives their scale, their shift and the
gate of the branch behind them (pi0.5, adaRMS).
"""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor, nn

from vla_accel_ros.layers.attending import Attend
from vla_accel_ros.layers.llama import GatedMLP, SelfAttention, norm_of
from vla_accel_ros.layers.packed import Packable
from vla_accel_ros.layers.rotary import Rope, Rotary
from vla_accel_ros.layers.shapes import DecoderConfig


class AdaptiveNorm(nn.Module):
    """Scale by the root mean square, then by what a condition says.

    Args:
        width: Channels.
        condition: Channels of the condition.
        eps: Added to the mean square.
    """

    def __init__(self, width: int, condition: int, eps: float) -> None:
        super().__init__()
        self.dense = nn.Linear(condition, 3 * width)
        self.eps, self._shape = eps, (width,)

    def forward(self, x: Tensor, modulation: Tensor) -> tuple[Tensor, Tensor]:
        """Normalise.

        Args:
            x: [B, S, width].
            modulation: [3 * width], what `dense` gives of the condition: scale, shift, gate.

        Returns:
            Of x the normalised rows, and the gate [width] of the branch that they go into.
        """
        wide = x if x.dtype.itemsize >= 4 else x.float()
        scale, shift, gate = modulation.chunk(3, -1)
        found = torch.rms_norm(wide, self._shape, None, self.eps)
        found = found * (1 + scale.to(wide.dtype)) + shift.to(wide.dtype)
        return found.to(x.dtype), gate.to(x.dtype)


class ExpertLayer(nn.Module):
    """One layer.

    Args:
        config: Of the expert.
        condition: Channels of the condition of its norms; 0 for plain ones.
    """

    def __init__(self, config: DecoderConfig, condition: int) -> None:
        super().__init__()
        self.self_attn = SelfAttention(config)
        self.mlp = GatedMLP(config)
        self.input_layernorm = _norm(config, condition)
        self.post_attention_layernorm = _norm(config, condition)


def _norm(config: DecoderConfig, condition: int) -> nn.Module:
    return AdaptiveNorm(config.width, condition, config.rms_eps) if condition else norm_of(config)


def normed(norm: nn.Module, x: Tensor, modulation: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Normalise x [B, S, width] by either kind of norm; give the gate where there is one."""
    return (norm(x), None) if modulation is None else norm(x, modulation)


def gated(x: Tensor, branch: Tensor, gate: Tensor | None) -> Tensor:
    """Add a branch to x [B, S, width], by its gate where there is one."""
    return x + branch if gate is None else x + gate * branch


class Expert(nn.Module):
    """The layers and the final norm of an action expert; it has no table of tokens.

    Args:
        config: Its shape; key heads and head width are those of the language model.
        condition: Channels of the condition of its norms; 0 for plain ones.
    """

    def __init__(self, config: DecoderConfig, condition: int = 0) -> None:
        super().__init__()
        self.config, self.condition = config, condition
        self.layers = nn.ModuleList(ExpertLayer(config, condition) for _ in range(config.layers))
        self.norm = _norm(config, condition)
        self.rotary = Rotary(config)

    def pack(self) -> None:
        """Pack the matrices of each layer that are multiplied with the same rows."""
        for module in self.layers.modules():
            if isinstance(module, Packable):
                module.pack()

    def rope(self, positions: Tensor, dtype: torch.dtype) -> Rope:
        """Give cosine and sine of positions [1, S]."""
        return self.rotary(positions, dtype)

    def modulations(self, condition: Tensor) -> Tensor:
        """Give what conditions [n, width] make of all adaptive norms.

        They depend on nothing else, so those of a flow's fixed times are made once.

        Returns:
            [n, 2 * layers + 1, 3 * width]: of each layer the two norms, and the final one.
        """
        norms = [
            norm
            for layer in self.layers
            for norm in (layer.input_layernorm, layer.post_attention_layernorm)
        ]
        return torch.stack([norm.dense(condition) for norm in (*norms, self.norm)], 1)

    def run(
        self,
        x: Tensor,
        rope: Rope,
        attend: Attend,
        modulations: Tensor | None = None,
        taps: Collection[int] = (),
        collect: list[Tensor] | None = None,
    ) -> tuple[Tensor, dict[int, Tensor]]:
        """Run all layers and the final norm.

        Args:
            x: [B, k, width].
            rope: Of the k positions.
            attend: What queries look at.
            modulations: [2 * layers + 1, 3 * width] where norms are adaptive.
            taps: Layers, counted from 1, whose queries are wanted.
            collect: Receives the input of each layer.

        Returns:
            [B, k, width], and by tapped layer the rotated queries [B, heads, k, head width].
        """
        queries: dict[int, Tensor] = {}
        parts = (None,) * (2 * len(self.layers) + 1) if modulations is None else modulations
        for index, layer in enumerate(self.layers):
            if collect is not None:
                collect.append(x)
            rows, gate = normed(layer.input_layernorm, x, parts[2 * index])
            q, k, v = layer.self_attn.project(rows, rope)
            if index + 1 in taps:
                queries[index + 1] = q
            x = gated(x, layer.self_attn.out(attend(index, q, k, v)), gate)
            rows, gate = normed(layer.post_attention_layernorm, x, parts[2 * index + 1])
            x = gated(x, layer.mlp(rows), gate)
        return normed(self.norm, x, parts[-1])[0], queries
