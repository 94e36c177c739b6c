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

"""SmolVLM's connector: a square of neighbouring patches becomes one visual token."""

from __future__ import annotations

from math import isqrt

from torch import Tensor, nn


def shuffled(features: Tensor, factor: int) -> Tensor:
    """Put the features of neighbouring patches behind one another (Idefics3's pixel shuffle).

    Args:
        features: [B, side * side, width] of one image, row by row.
        factor: Patches along a side of the square that becomes one token; divides the side.

    Returns:
        [B, (side / factor)^2, factor^2 * width]; within a token the patches stand row by row.
    """
    if factor == 1:
        return features
    grid = isqrt(features.shape[1]) // factor
    cut = features.unflatten(1, (grid, factor, grid, factor))
    return cut.transpose(2, 3).flatten(1, 2).flatten(2)


class Connector(nn.Module):
    """One linear layer without bias, over the patches of a visual token together.

    Args:
        features: Channels of a visual token's patches together.
        width: The decoder's width.
    """

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        self.proj = nn.Linear(features, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map shuffled features [B, N, features] to visual tokens [B, N, width]."""
        return self.proj(x)
