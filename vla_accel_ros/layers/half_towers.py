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

"""Vision towers in two parts, so that patches can be dropped between two of their blocks.

Positions are added before the first block, so a block does not care which patches are there. The
patches of a visual token stay or go together: a token is a square of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from vla_accel_ros.layers.connector import shuffled
from vla_accel_ros.layers.vit import Tower, VisionBackbone


def begin(
    backbone: VisionBackbone,
    image_towers: Sequence[Sequence[int]],
    pixels: Tensor,
    language: Tensor | None,
    block: int,
    attention: bool,
) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """Run the first blocks of the towers over all images.

    Args:
        backbone: The towers.
        image_towers: For each image the towers that see it.
        pixels: [B, channels, H, W], three channels an image and tower, image by image.
        language: [B, d] for FiLM, None without.
        block: Blocks that are run, at least one.
        attention: Whether queries and keys are wanted.

    Returns:
        For each image and tower the rows [B, prefix + N, width]; then, where wanted, for each
        image queries and keys [B, heads, prefix + N, head width] of the last of these blocks of
        its last tower.
    """
    parts = iter(pixels.split(3, dim=1))
    rows, queries, keys = [], [], []
    for towers in image_towers:
        for place, index in enumerate(towers):
            tower = backbone.tower(index)
            x = tower.embed(next(parts))
            *before, last = tower.blocks[:block]
            for each in before:
                x = each(x, language)
            if attention and place == len(towers) - 1:
                x, q, k = last.look(x, language)
                queries.append(q)
                keys.append(k)
            else:
                x = last(x, language)
            rows.append(x)
    return rows, queries, keys


def finish(
    tower: Tower,
    rows: Tensor,
    stay: Tensor,
    block: int,
    factor: int = 1,
    language: Tensor | None = None,
) -> Tensor:
    """Run the other blocks of a tower over the patches of some visual tokens.

    Args:
        tower: The tower.
        rows: [B, prefix + N, width] from `begin`.
        stay: int [n], the visual tokens that are left, ascending.
        block: Blocks that were run.
        factor: Patches along a side of a visual token.
        language: [B, d] for FiLM, None without.

    Returns:
        Features [B, n, factor^2 * width] of these tokens.
    """
    prefix = tower.config.prefix
    # Token by token, and the patches of each row by row, as the features are wanted.
    tokens = shuffled(rows[:, prefix:], factor).index_select(1, stay)
    patches = tokens.unflatten(-1, (factor**2, -1)).flatten(1, 2)
    x = torch.cat([rows[:, :prefix], patches], dim=1) if prefix else patches
    for each in tower.blocks[block:]:
        x = each(x, language)
    return tower.finish(x).unflatten(1, (-1, factor**2)).flatten(2)
