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

"""An action expert that learns to flow from noise to the expert's chunk; the rest is frozen.

With t = 1 for noise and 0 for the action, `x = t noise + (1 - t) action` and the velocity is
`noise - action` (Lipman et al. 2023, as pi0 has it, arXiv 2410.24164); t is drawn from pi0's
beta distribution, which prefers noise. In stages with a prefix the first rows of a chunk are given
without noise, at t = 0, and not learnt, as those that a robot executes while it waits for the
answer (training-time RTC, arXiv 2512.05964).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count

import numpy as np
import torch
from torch import Tensor, nn

from vla_accel_ros.layers.expert import Expert
from vla_accel_ros.layers.flow_time import embed_times, euler_times
from vla_accel_ros.layers.llama import LlamaDecoder
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.families.pi0.config import QUESTION, Pi0Config
from vla_accel_ros.models.families.pi0.model import Pi0Flow
from vla_accel_ros.models.families.registry import build
from vla_accel_ros.models.heads.flow_head import FlowHead
from vla_accel_ros.models.heads.flow_steps import noise_of
from vla_accel_ros.models.normalisation import QUANTILES
from vla_accel_ros.models.vla import VLA
from vla_accel_ros.training.answers import Answers
from vla_accel_ros.training.batches import Batch
from vla_accel_ros.training.frozen import Frozen
from vla_accel_ros.training.lesson import Losses, Step
from vla_accel_ros.training.packing import Packing
from vla_accel_ros.training.recipe import Recipe
from vla_accel_ros.training.recipe_parts import Stage
from vla_accel_ros.training.shared_prefix import Shared, attend, run_prefix

# Of the beta distribution of t, whose other number is 1, and the least t.
ALPHA, LEAST = 1.5, 0.001


def velocity(
    network: Pi0Flow, shared: Shared, x: Tensor, time: Tensor, given: Tensor | None = None
) -> Tensor:
    """Return the velocities float32 [B, K, R, chunk, numbers] of noisy chunks.

    Args:
        network: The action expert, with adaptive norms and without a state.
        shared: What the chunks look at.
        x: [B, K, R, chunk, numbers], noisy chunks.
        time: [B, K, R], t of each.
        given: bool [B, K, R, chunk], rows that are without noise; None for none.
    """
    batch, asks, draws, rows = x.shape[:4]
    dtype, expert = network.kind, network.expert
    places = shared.count[..., None] + torch.arange(rows, device=x.device)
    places = places[:, :, None].expand(-1, -1, draws, -1)
    rope = expert.rope(places.flatten(0, 2), dtype)
    embedded = embed_times(time.flatten(), network.width).to(dtype)
    condition = network.time_condition(embedded)
    # [norms, chunks, 1, 3 * width]: each chunk has a time of its own.
    modulations = expert.modulations(condition).transpose(0, 1)[:, :, None]
    if given is not None:
        clean = embed_times(time.new_zeros(1), network.width).to(dtype)
        clean = expert.modulations(network.time_condition(clean)).transpose(0, 1)[:, :, None]
        modulations = torch.where(given.flatten(0, 2)[..., None], clean, modulations)

    def look(slot: int, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        apart = (part.unflatten(0, (batch, asks, draws)) for part in (queries, keys, values))
        return attend(shared, slot, *apart).flatten(0, 2)

    hidden = network.action_in_proj(x.flatten(0, 2).to(dtype))
    hidden, _ = expert.run(hidden, rope, look, modulations)
    return network.action_out_proj(hidden).float().unflatten(0, (batch, asks, draws))


@torch.no_grad()
def initialise_from(expert: Expert, decoder: LlamaDecoder) -> None:
    """Give an expert of a decoder's shape its weights: its rows read images as action tokens did.

    The norms begin as the decoder's, with open gates, nearly whatever the time.
    """
    for own, layer in zip(expert.layers, decoder.layers, strict=True):
        for name in ('self_attn', 'mlp'):
            getattr(own, name).load_state_dict(getattr(layer, name).state_dict())
        for name in ('input_layernorm', 'post_attention_layernorm'):
            _as(getattr(own, name), getattr(layer, name))
    _as(expert.norm, decoder.norm)


def _as(norm: nn.Module, plain: nn.Module) -> None:
    scale, shift, gate = norm.dense.bias.chunk(3)
    nn.init.normal_(norm.dense.weight, std=0.02)
    scale.copy_(plain.weight - 1)
    shift.zero_()
    gate.fill_(1)


def draw_times(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Draw times float32 of a shape from beta(ALPHA, 1), so by a root, and keep clear of 0."""
    return torch.rand(shape, generator=generator) ** (1 / ALPHA) * (1 - LEAST) + LEAST


def draw_given(shape: tuple[int, ...], most: int, generator: torch.Generator) -> Tensor:
    """Draw which rows bool [..., chunk] are given: the first 0 to `most` of each chunk."""
    counts = torch.randint(most + 1, shape[:-1], generator=generator)
    return torch.arange(shape[-1]) < counts[..., None]


@torch.no_grad()
def answer(network: Pi0Flow, shared: Shared, noise: Tensor, steps: int = 10) -> Tensor:
    """Follow the flow from noise [B, K, R, chunk, numbers] to chunks of that shape (Euler)."""
    x = noise
    times, step = euler_times(steps)
    for time in times:
        x = x + step * velocity(network, shared, x, torch.full(x.shape[:3], time))
    return x


class FlowLesson(Frozen):
    """The lesson of an action expert behind a frozen prefix; see `Frozen` for the arguments."""

    def __init__(self, recipe: Recipe, words: list[str], device: torch.device) -> None:
        super().__init__(recipe, words, device)
        plain = self.frozen.config
        decoder = replace(plain.decoder, logits=False)
        head = Pi0Config(
            chunk=recipe.model.chunk,
            before=1,
            causal=True,
            numbers=plain.action_dims,
            expert=replace(decoder, vocab=1),
            adaptive=True,
            prefix_rows=max(stage.prefix for stage in recipe.stages),
            state=0,
            prompt=QUESTION,
            places=plain.cameras,
            action_scaling=QUANTILES,
        )
        self.config = replace(plain, decoder=decoder, head=head)
        self._network = Pi0Flow(head, decoder)
        initialise_from(self._network.expert, self.frozen.language_model.model)
        self.modules = {'flow': self._network.to(device)}

    def step(self, stage: Stage, prompts: list[list[int]], asks: int) -> Step:
        """See `Lesson.step`."""
        packing = self.packing(prompts, asks)
        network, draws = self._network, self.recipe.draws

        def run(batch: Batch, generator: torch.Generator) -> Losses:
            shared = run_prefix(
                self.frozen, self.pixels(batch), packing, batch.asked.to(self.device)
            )
            actions = batch.actions[:, :, None].expand(-1, -1, draws, -1, -1)
            noise = torch.randn(actions.shape, generator=generator).to(self.device)
            time = draw_times(actions.shape[:3], generator).to(self.device)
            actions, part = actions.to(self.device), time[..., None, None]
            x, given = part * noise + (1 - part) * actions, None
            learnt = torch.ones(actions.shape[:-1], device=self.device)
            if stage.prefix:
                given = draw_given(actions.shape[:-1], stage.prefix, generator).to(self.device)
                x, learnt = torch.where(given[..., None], actions, x), 1 - given.float()
            error = velocity(network, shared, x, time, given) - (noise - actions)
            square = error.square().mean(-1)
            total = (square * learnt).sum() / learnt.sum()
            first = learnt.argmax(-1, keepdim=True)
            found = {'action': total, 'first': square.gather(-1, first).mean()}
            return Losses(total, {name: float(value.detach()) for name, value in found.items()})

        return run

    def model(self, config: VLAConfig, weights: Callable[[str], dict[str, Tensor]]) -> VLA:
        """See `Lesson.model`."""
        model = build(config)
        self.take(model)
        model.flow.load_state_dict(weights('flow'))
        return model

    def answers(self, model: VLA) -> Answers:
        """See `Lesson.answers`."""
        config, seed = self.config, FlowHead.SEED
        number = count()

        def run(pixels: Tensor, prompts: list[list[int]], _: Tensor | None) -> np.ndarray:
            packing = Packing.of(prompts, config.visual_tokens, 1, 1)
            packing = packing.to(model.device, model.dtype)
            asked = torch.arange(len(prompts), device=model.device)[:, None]
            shared = run_prefix(model, pixels.to(model.device, model.dtype), packing, asked)
            shape = (len(prompts), 1, 1, config.head.chunk, config.action_dims)
            noise = noise_of(seed, next(number), shape).to(model.device)
            return answer(model.flow, shared, noise)[:, 0, 0].double().cpu().numpy()

        return run

    def line(self, means: dict[str, float]) -> str:
        """See `Lesson.line`."""
        return f'velocity {means["action"]:.4f}  first action {means["first"]:.4f}'
