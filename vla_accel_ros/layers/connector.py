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

from torch import Tensor, nn


def shuffle(features: Tensor, grid: int, factor: int) -> Tensor:
    """Put the features of neighbouring patches behind one another (Idefics3's pixel shuffle).

    Args:
        features: [B, images * (grid * factor)^2, width], image by image, row by row.
        grid: Visual tokens along a side of an image.
        factor: Patches along a side of the square that becomes one token.

    Returns:
        [B, images * grid^2, factor^2 * width]; within a token the patches stand row by row.
    """
    cut = features.unflatten(1, (-1, grid, factor, grid, factor))
    return cut.transpose(3, 4).flatten(1, 3).flatten(2)


class Connector(nn.Module):
    """Pixel shuffle and one linear layer without bias.

    Args:
        features: Channels of a patch.
        width: The decoder's width.
        factor: Patches along a side of the square that becomes one token.
    """

    def __init__(self, features: int, width: int, factor: int) -> None:
        super().__init__()
        self.proj = nn.Linear(factor**2 * features, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map shuffled features [B, N, factor^2 * features] to visual tokens [B, N, width]."""
        return self.proj(x)
