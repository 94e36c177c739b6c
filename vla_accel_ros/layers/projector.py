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

"""The projector: from patch features to the decoder's width."""

from __future__ import annotations

import torch
from torch import Tensor, nn
import torch.nn.functional as F


class Projector(nn.Module):
    """OpenVLA's MLP, with three layers for fused towers and two for a single one; or one layer.

    Args:
        features: Channels of a patch.
        width: The decoder's width.
        layers: 3 (fused: features - 4 features - width - width), 2 (features - width - width) or
            1 (features - width).
    """

    def __init__(self, features: int, width: int, layers: int = 3) -> None:
        super().__init__()
        hidden = 4 * features if layers == 3 else width
        self.fc1 = nn.Linear(features, hidden)
        if layers > 1:
            self.fc2 = nn.Linear(hidden, width)
        if layers == 3:
            self.fc3 = nn.Linear(width, width)
        self.layers = layers

    def forward(self, x: Tensor) -> Tensor:
        """Map patch features [B, N, features] to visual tokens [B, N, width]."""
        if self.layers == 1:
            return self.fc1(x)
        x = self.fc2(F.gelu(self.fc1(x)))
        return self.fc3(F.gelu(x)) if self.layers == 3 else x


def patch_coordinates(grid: int, device=None, dtype=None) -> Tensor:
    """Give each patch's centre, x then y, in -1..1.

    Returns:
        [grid * grid, 2], row by row.
    """
    centres = (2 * torch.arange(grid, device=device, dtype=dtype) + 1) / grid - 1
    y, x = torch.meshgrid(centres, centres, indexing='ij')
    return torch.stack([x.flatten(), y.flatten()], dim=-1)
