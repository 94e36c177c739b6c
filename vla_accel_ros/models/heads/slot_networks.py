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

"""The small networks that OpenVLA-OFT adds: proprioception in, actions out."""

from __future__ import annotations

import torch
from torch import Tensor, nn
import torch.nn.functional as F


class ProprioProjector(nn.Module):
    """From normalised proprioception to one token.

    Args:
        numbers: Numbers of proprioception.
        width: The decoder's width.
    """

    def __init__(self, numbers: int, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(numbers, width)
        self.fc2 = nn.Linear(width, width)

    def forward(self, proprio: Tensor) -> Tensor:
        """Map proprioception [B, numbers] to tokens [B, width]."""
        return self.fc2(F.gelu(self.fc1(proprio)))


class ResidualBlock(nn.Module):
    """x + ReLU(Linear(LayerNorm(x)))."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.ffn = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        """Map x [..., width] to the same shape."""
        return x + self.ffn(x)


class ResidualMLP(nn.Module):
    """Layer norm, linear, ReLU, residual blocks, layer norm, linear."""

    def __init__(self, inputs: int, hidden: int, outputs: int, blocks: int) -> None:
        super().__init__()
        self.layer_norm1 = nn.LayerNorm(inputs)
        self.fc1 = nn.Linear(inputs, hidden)
        self.mlp_resnet_blocks = nn.ModuleList(ResidualBlock(hidden) for _ in range(blocks))
        self.layer_norm2 = nn.LayerNorm(hidden)
        self.fc2 = nn.Linear(hidden, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Map x [..., inputs] to [..., outputs]."""
        x = torch.relu(self.fc1(self.layer_norm1(x)))
        for block in self.mlp_resnet_blocks:
            x = block(x)
        return self.fc2(self.layer_norm2(x))


class L1Head(nn.Module):
    """OpenVLA-OFT's L1 head: the hidden rows of one action together give its numbers.

    Args:
        width: Channels of a hidden row.
        dims: Numbers of an action, and rows that it has.
        hidden: Hidden channels.
        blocks: Residual blocks.
    """

    def __init__(self, width: int, dims: int, hidden: int, blocks: int) -> None:
        super().__init__()
        self.dims = dims
        self.model = ResidualMLP(dims * width, hidden, dims, blocks)

    def forward(self, rows: Tensor) -> Tensor:
        """Map hidden rows [B, chunk * dims, width] to normalised actions [B, chunk, dims]."""
        return self.model(rows.unflatten(1, (-1, self.dims)).flatten(2))
