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

"""Lessons of heads behind a prefix that does not change: that of the recipe's start."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from vla_accel_ros.models.families.registry import build
from vla_accel_ros.models.vla import VLA
from vla_accel_ros.training.batches import Batch
from vla_accel_ros.training.lesson import Lesson
from vla_accel_ros.training.packing import Packing
from vla_accel_ros.training.recipe import Recipe
from vla_accel_ros.training.shapes import configure
from vla_accel_ros.training.start import SIGHT, check_words, take_weights


class Frozen(Lesson):
    """What such lessons share.

    Args:
        recipe: What to do.
        words: The vocabulary before the action bins.
        device: Where to train.

    Attributes:
        recipe: What to do.
        device: Where to train.
        frozen: The start's model, which is not trained, in bfloat16.

    Raises:
        ValueError: When the recipe's start has another decoder, other towers or other words.
        FileNotFoundError: When there is no such start.
    """

    def __init__(self, recipe: Recipe, words: list[str], device: torch.device) -> None:
        self.recipe, self.device = recipe, device
        shape = replace(recipe.model, chunk=0, head='own')
        self.frozen = build(configure(shape, words, len(recipe.cameras)))
        check_words(recipe.start, words)
        self.begins = f'frozen, of {recipe.start}: {", ".join(self.take(self.frozen))}'
        self.frozen.to(device, torch.bfloat16, memory_format=torch.channels_last)
        self.frozen.requires_grad_(False)

    def take(self, model: VLA) -> tuple[str, ...]:
        """Give a model the weights that are frozen, and return the beginnings of their names."""
        taken = take_weights(model, self.recipe.start)
        if not {*SIGHT} <= {*taken}:
            raise ValueError(f"start {self.recipe.start} has other towers than the recipe's model")
        return taken

    def packing(self, prompts: list[list[int]], asks: int) -> Packing:
        """Lay out instructions behind the visual tokens, without actions."""
        packing = Packing.of(prompts, self.frozen.config.visual_tokens, 1, asks)
        return packing.to(self.device, self.frozen.dtype)

    def pixels(self, batch: Batch) -> Tensor:
        """Give a batch's pixels as the frozen model takes them."""
        return batch.pixels.to(self.device, self.frozen.dtype, memory_format=torch.channels_last)
