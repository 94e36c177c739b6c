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

"""Show the decoder some of the visual tokens only, those where there is something to be seen.

Most of what a camera sees is table, and a decoder's work in training goes into every token of
it. A stage may leave most of them out: the towers see the whole image, the decoder gets the
tokens of most contrast, each at its own position, as a pruned model does. Chance has a part in
it, so that a model learns to do with whatever it is given (ours).
"""

from __future__ import annotations

import torch
from torch import Tensor
import torch.nn.functional as F

from vla_accel_ros.models.config import VLAConfig

# What chance weighs against the logarithm of the contrast, and the contrast of nothing, in units
# of a view's first tower: the disturbance of training images gives a flat token about as much.
CHANCE, FLAT = 0.5, 0.05


def check_room(tokens: int, objects: int, config: VLAConfig) -> None:
    """Refuse to show so few tokens that not every object could be in one of its own.

    Args:
        tokens: That the decoder is shown, of all views together.
        objects: That are located in each view.
        config: The model's.

    Raises:
        ValueError: When they are too few.
    """
    least = config.cameras * min(objects, config.tokens_per_image)
    if tokens < least:
        raise ValueError(
            f'tokens is {tokens}, expected at least {least}: one for each of {objects} objects in '
            f'each of {config.cameras} views'
        )


def contrast(pixels: Tensor, config: VLAConfig) -> Tensor:
    """Return the standard deviation inside each token, of the channel where it is the largest.

    Args:
        pixels: [B, channels, H, W], normalised.
        config: The model's.

    Returns:
        [B, cameras, tokens of a view].
    """
    side = config.image_size // config.grid
    first, views = 0, []
    for towers in config.image_towers:
        view = pixels[:, first : first + 3].float()
        mean = F.avg_pool2d(view, side)
        square = F.avg_pool2d(view * view, side)
        views.append((square - mean * mean).clamp_min(0).amax(1).sqrt().flatten(1))
        first += 3 * len(towers)
    return torch.stack(views, dim=1)


def choose(
    pixels: Tensor, index: Tensor, config: VLAConfig, tokens: int, generator: torch.Generator
) -> Tensor:
    """Choose the visual tokens that the decoder is shown, as many of each view.

    Args:
        pixels: [B, channels, H, W], normalised.
        index: int [B, cameras, C], tokens of a view that must be among them; see `heads.cells`.
        config: The model's.
        tokens: How many, of all views together.
        generator: Source of chance, on the CPU.

    Returns:
        int [B, tokens], ascending.
    """
    there = contrast(pixels, config)
    uniform = torch.rand(there.shape, generator=generator).clamp(1e-6, 1 - 1e-6)
    gumbel = -torch.log(-torch.log(uniform)).to(there.device)
    score = torch.log(there + FLAT) + CHANCE * gumbel
    view = score.shape[-1]
    # One place more for what is in no view.
    must = torch.zeros(*score.shape[:2], view + 1, device=score.device)
    must.scatter_(2, torch.where(index < 0, view, index), 1e3)
    chosen = (score + must[..., :view]).topk(tokens // config.cameras, dim=-1).indices
    start = view * torch.arange(config.cameras, device=score.device)[:, None]
    return (chosen.sort(-1).values + start).flatten(1)


def ranks(index: Tensor, shown: Tensor, config: VLAConfig) -> Tensor:
    """Say of tokens of a view which of those shown they are.

    Args:
        index: int [B, cameras, C], as for `choose`.
        shown: int [B, tokens], what that gave.
        config: The model's.

    Returns:
        int [B, cameras, C]: the rank, the number shown of a view for what is in none of its
        tokens, -100 to be ignored.
    """
    view = config.visual_tokens // config.cameras
    start = view * torch.arange(config.cameras, device=shown.device)[:, None]
    inside = shown.unflatten(1, (config.cameras, -1)) - start
    count = inside.shape[-1]
    rank = torch.full((*inside.shape[:2], view + 1), count, device=shown.device)
    rank.scatter_(2, inside, torch.arange(count, device=shown.device).expand_as(inside))
    found = rank.gather(2, index.clamp_min(0))
    return torch.where(index < 0, index, found)
