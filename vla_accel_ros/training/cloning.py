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

"""Clone the expert with the whole model: towers, decoder and head, with heads that ground it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.families.registry import build
from vla_accel_ros.models.vla import VLA
from vla_accel_ros.training.answers import Answers, of_language
from vla_accel_ros.training.batches import Batch
from vla_accel_ros.training.heads import Heads
from vla_accel_ros.training.lesson import Lesson, Losses, Step
from vla_accel_ros.training.recipe import Recipe
from vla_accel_ros.training.recipe_parts import Stage
from vla_accel_ros.training.shapes import configure
from vla_accel_ros.training.start import take_weights
from vla_accel_ros.training.step import compute, lay_out
from vla_accel_ros.training.thinning import check_room
from vla_accel_ros.training.worlds import world_of


class Cloning(Lesson):
    """The lesson of models that answer with their language model.

    Args:
        recipe: What to do.
        words: The vocabulary before the action bins.
        device: Where to train.
        fresh: Whether the run begins, so that the weights of the recipe's start are taken.

    Raises:
        ValueError: When the recipe's start has another decoder or other words, or a stage shows
            fewer tokens than there are objects.
        FileNotFoundError: When there is no such start.
    """

    def __init__(
        self, recipe: Recipe, words: list[str], device: torch.device, fresh: bool
    ) -> None:
        self.recipe, self.device = recipe, device
        self.config = configure(recipe.model, words, len(recipe.cameras))
        self._model = build(self.config).to(device, memory_format=torch.channels_last)
        if recipe.start and fresh:
            taken = take_weights(self._model, recipe.start, words)
            self.begins = f'starting from {recipe.start}: {", ".join(taken)}'
        facts = world_of(recipe.world).facts()
        for stage in recipe.stages:
            if stage.tokens:
                check_room(stage.tokens, len(facts.objects), self.config)
        still = tuple(i for i, name in enumerate(recipe.cameras) if name not in facts.moving)
        self._heads = Heads(
            self.config, len(facts.objects), recipe.point_layers, still, facts.middle
        )
        self._heads.to(device)
        self.modules = {'model': self._model, 'heads': self._heads}

    def step(self, stage: Stage, prompts: list[list[int]], asks: int) -> Step:
        """See `Lesson.step`."""
        layout = lay_out(self.config, prompts, asks, self.device, self._model.dtype, stage.tokens)

        def run(batch: Batch, generator: torch.Generator) -> Losses:
            recipe = self.recipe
            return compute(
                self._model,
                self._heads,
                layout,
                batch,
                stage,
                recipe.spread,
                recipe.jitter,
                generator,
            )

        return run

    def model(self, config: VLAConfig, weights: Callable[[str], dict[str, Tensor]]) -> VLA:
        """See `Lesson.model`."""
        model = build(config)
        model.load_state_dict(weights('model'), strict=True)
        return model

    def answers(self, model: VLA) -> Answers:
        """See `Lesson.answers`."""
        return of_language(model)

    def line(self, means: dict[str, float]) -> str:
        """See `Lesson.line`."""
        goal = ''
        if 'goal_mm' in means:
            goal = f'goal {means["goal_mm"]:.1f} mm ({means["goal_pointed"]:.1%})  '
        return (
            f'locate {means["locate"]:.2f} ({means["sight_px"]:.2f} px)  '
            f'point {means["point"]:.3f} ({means["pointed"]:.1%})  '
            f'vector {means["vector_mm"]:.1f} mm  {goal}action {means["action"]:.2f}'
        )
