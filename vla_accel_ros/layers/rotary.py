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

"""Rotary positions (RoFormer, eq. 34), read from a table."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
import torch.nn.functional as F

from vla_accel_ros.layers.shapes import DecoderConfig

# Cosines and sines, each [B or 1, 1, S, head width]; the sines of the first half are negative.
Rope = tuple[Tensor, Tensor]


def rope_table(config: DecoderConfig, device: torch.device | str | None = None) -> Tensor:
    """Compute cosines and sines of all positions that a decoder was made for.

    A table, because computing them in each call takes longer than reading them, and because a
    runtime that computes in bfloat16 cannot even tell positions above 256 apart.

    Returns:
        float32 [positions, 2 * head width]: cosines, then sines, those of the first half negative.
    """
    table = torch.empty(config.max_positions, 2 * config.head_width, device=device)
    if table.is_meta:
        # There are no numbers, and torch would import its compiler to divide none.
        return table
    half = torch.arange(0, config.head_width, 2, dtype=torch.int64, device=device).float()
    frequency = 1.0 / config.rope_theta ** (half / config.head_width)
    positions = torch.arange(config.max_positions, device=device)
    angle = positions[:, None].float() * frequency
    cosine, sine = angle.cos(), angle.sin()
    return torch.cat([cosine, cosine, -sine, sine], dim=-1)


class Rotary(nn.Module):
    """Cosines and sines of the rotary embedding for given positions.

    The table stays float32 whatever the model is cast to, and is no part of its state.
    """

    table: Tensor

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer('table', rope_table(config), persistent=False)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Rotary:
        try:
            device = fn(torch.empty(0, device=self.table.device)).device
        except NotImplementedError:
            # From `meta`, where there is nothing to be moved.
            device = fn(torch.empty(0, device='cpu')).device
        if device != self.table.device:
            self.table = rope_table(self.config, device)
        return self

    def forward(self, positions: Tensor, dtype: torch.dtype) -> Rope:
        """Give cosine and sine for positions int [B or 1, S], below `max_positions`."""
        rows = F.embedding(positions, self.table)[:, None].to(dtype)
        cosine, sine = rows.chunk(2, dim=-1)
        return cosine, sine


def rotate(x: Tensor, rope: Rope) -> Tensor:
    """Rotate x [B, heads, S, head width] by the given cosine and sine."""
    cosine, sine = rope
    return torch.addcmul(x * cosine, x.roll(x.shape[-1] // 2, -1), sine)
