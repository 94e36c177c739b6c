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

"""A diffusion transformer that learns to denoise the expert's chunk; the rest is frozen.

It is conditioned on one vector, the last row of the prompt behind the final norm. As in CogACT
(arXiv 2411.19650) it predicts the noise, at steps of the schedule drawn uniformly. A share of the
samples is unconditional, for classifier-free guidance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from vla_accel_ros.layers.dit import DiT, DiTConfig
from vla_accel_ros.models.action_tokens import select_statistics
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.families.cogact.config import CogACTConfig
from vla_accel_ros.models.families.registry import build
from vla_accel_ros.models.heads.diffusion import alphas
from vla_accel_ros.models.heads.diffusion_head import DiffusionHead
from vla_accel_ros.models.vla import VLA
from vla_accel_ros.training.answers import Answers
from vla_accel_ros.training.batches import Batch
from vla_accel_ros.training.frozen import Frozen
from vla_accel_ros.training.lesson import Losses, Step
from vla_accel_ros.training.packing import Packing, forward
from vla_accel_ros.training.recipe import Recipe
from vla_accel_ros.training.recipe_parts import Stage

# Share of the samples that are unconditional.
UNCONDITIONAL = 0.1


@torch.no_grad()
def features(model: VLA, pixels: Tensor, packing: Packing, asked: Tensor) -> Tensor:
    """Return the last row of each instruction, [B, K, width], of images [B, channels, H, W]."""
    none = asked.new_zeros(*asked.shape, 0)
    return forward(model, pixels, packing, none, asked).hidden[:, :, 0]


class DiffusionLesson(Frozen):
    """The lesson of a diffusion transformer; see `Frozen` for the arguments."""

    def __init__(self, recipe: Recipe, words: list[str], device: torch.device) -> None:
        super().__init__(recipe, words, device)
        shape = recipe.model
        width = shape.head_width
        dit = DiTConfig(width, shape.head_layers, max(1, width // 64), 4 * width)
        head = CogACTConfig(chunk=shape.chunk, dit=dit, prompt_tail=())
        self.config = replace(self.frozen.config, head=head)
        self._net = DiT(dit, self.config.decoder.width, head.chunk, self.config.action_dims)
        self.modules = {'action_model': self._net.to(device)}

    def step(self, stage: Stage, prompts: list[list[int]], asks: int) -> Step:
        """See `Lesson.step`."""
        packing, draws, net = self.packing(prompts, asks), self.recipe.draws, self._net
        # Share of the signal that each step of the schedule leaves.
        signal = torch.from_numpy(alphas(self.config.head.schedule)).float()

        def run(batch: Batch, generator: torch.Generator) -> Losses:
            asked = batch.asked.to(self.device)
            feature = features(self.frozen, self.pixels(batch), packing, asked)
            feature = feature.flatten(0, 1).repeat_interleave(draws, 0)
            actions = batch.actions.flatten(0, 1).repeat_interleave(draws, 0)
            noise = torch.randn(actions.shape, generator=generator)
            times = torch.randint(len(signal), (len(actions),), generator=generator)
            kept = signal[times][:, None, None]
            x = kept.sqrt() * actions + (1 - kept).sqrt() * noise
            without = torch.rand(len(actions), generator=generator) < UNCONDITIONAL
            conditional, unconditional = net.z_embedder(feature, True).chunk(2)
            condition = torch.where(without.to(self.device)[:, None], unconditional, conditional)
            condition = condition + net.t_embedder(times.to(self.device))
            said = net(x.to(self.device, net.dtype), condition).float()
            error = said - noise.to(self.device)
            loss = error.square().mean()
            found = {'action': loss, 'first': error[:, 0].square().mean()}
            return Losses(loss, {name: float(value.detach()) for name, value in found.items()})

        return run

    def model(self, config: VLAConfig, weights: Callable[[str], dict[str, Tensor]]) -> VLA:
        """See `Lesson.model`."""
        model = build(config)
        self.take(model)
        model.action_model.load_state_dict(weights('action_model'))
        return model

    def answers(self, model: VLA) -> Answers:
        """See `Lesson.answers`."""
        config = model.config
        head = DiffusionHead(model, select_statistics(config.norm_stats, None)[1])
        generator = torch.Generator().manual_seed(0)

        def run(pixels: Tensor, prompts: list[list[int]], _: Tensor | None) -> np.ndarray:
            packing = Packing.of(prompts, config.visual_tokens, 1, 1)
            packing = packing.to(model.device, model.dtype)
            asked = torch.arange(len(prompts), device=model.device)[:, None]
            feature = features(model, pixels.to(model.device, model.dtype), packing, asked)
            noise = torch.randn(
                len(prompts), config.head.chunk, config.action_dims, generator=generator
            )
            with torch.no_grad():
                chunks = head.denoised(feature[:, 0], noise.to(model.device))
            return np.stack([head.read(chunk) for chunk in chunks.double().cpu().numpy()])

        return run

    def line(self, means: dict[str, float]) -> str:
        """See `Lesson.line`."""
        return f'noise {means["action"]:.4f}  first action {means["first"]:.4f}'
