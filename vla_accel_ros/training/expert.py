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

"""The action expert of pi0.5, until `layers` has it."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
import torch.nn.functional as F

from vla_accel_ros.layers.shapes import DecoderConfig


def time_embedding(time: Tensor, width: int) -> Tensor:
    """Embed times [N] as sines and cosines float64 [N, width]."""
    half = torch.arange(width // 2, dtype=torch.float64, device=time.device)
    period = 0.004 * (4.0 / 0.004) ** (half / (width // 2 - 1))
    angle = 2 * math.pi * time.double()[:, None] / period
    return torch.cat([angle.sin(), angle.cos()], -1)


class AdaptiveNorm(nn.Module):
    """RMS norm whose scale, shift and gate follow from a condition."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.dense = nn.Linear(width, 3 * width)
        nn.init.normal_(self.dense.weight, std=0.02)
        nn.init.zeros_(self.dense.bias)
        with torch.no_grad():
            self.dense.bias[2 * width :] = 1.0

    def forward(self, x: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Normalise x [N, n, width]; give the gate [N, 1, width] too."""
        scale, shift, gate = self.dense(condition)[:, None].chunk(3, -1)
        wide = x.float()
        wide = wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + 1e-6)
        return wide.to(x.dtype) * (1 + scale) + shift, gate


class _Attention(nn.Module):
    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        width, inner = config.width, config.kv_heads * config.head_width
        self.q_proj = nn.Linear(width, config.heads * config.head_width, bias=False)
        self.k_proj = nn.Linear(width, inner, bias=False)
        self.v_proj = nn.Linear(width, inner, bias=False)
        self.o_proj = nn.Linear(config.heads * config.head_width, width, bias=False)


class _MLP(nn.Module):
    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(config.width, config.mlp, bias=False)
        self.up_proj = nn.Linear(config.width, config.mlp, bias=False)
        self.down_proj = nn.Linear(config.mlp, config.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map x [..., width] to the same shape."""
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class _Layer(nn.Module):
    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.self_attn, self.mlp = _Attention(config), _MLP(config)
        self.input_layernorm = AdaptiveNorm(config.width)
        self.post_attention_layernorm = AdaptiveNorm(config.width)


class ActionExpert(nn.Module):
    """Layers over the rows of a noisy chunk."""

    def __init__(self, config: DecoderConfig, dims: int) -> None:
        super().__init__()
        width = config.width
        self.width, self.head_width = width, config.head_width
        self.layers = nn.ModuleList(_Layer(config) for _ in range(config.layers))
        self.norm = AdaptiveNorm(width)
        self.action_in_proj = nn.Linear(dims, width)
        self.action_out_proj = nn.Linear(width, dims)
        self.time_mlp_in = nn.Linear(width, width)
        self.time_mlp_out = nn.Linear(width, width)

    def condition(self, time: Tensor) -> Tensor:
        """Give what the norms follow at times [N], [N, width]."""
        embedded = time_embedding(time, self.width).to(self.time_mlp_in.weight.dtype)
        return F.silu(self.time_mlp_out(F.silu(self.time_mlp_in(embedded))))
