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
beta distribution, which prefers noise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from vla_accel_ros.layers.llama import LlamaDecoder
from vla_accel_ros.layers.rotary import rotate
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.families.oft.config import OFTConfig
from vla_accel_ros.models.families.openvla.config import TokensConfig
from vla_accel_ros.models.families.registry import build
from vla_accel_ros.models.vla import VLA
from vla_accel_ros.training.answers import Answers
from vla_accel_ros.training.batches import Batch
from vla_accel_ros.training.expert import ActionExpert
from vla_accel_ros.training.frozen import Frozen
from vla_accel_ros.training.lesson import Losses, Step
from vla_accel_ros.training.packing import Packing
from vla_accel_ros.training.recipe import Recipe, Stage
from vla_accel_ros.training.shared_prefix import Shared, attend, hold
from vla_accel_ros.training.start import take_weights

# Of the beta distribution of t, and the least t.
EARLY, LATE, LEAST = 1.5, 1.0, 0.001


def velocity(
    expert: ActionExpert, rotary: Callable, shared: Shared, x: Tensor, time: Tensor
) -> Tensor:
    """Return the velocities float32 [B, K, R, chunk, dims] of noisy chunks.

    Args:
        expert: The expert.
        rotary: The language model's rotary positions.
        shared: What the chunks look at.
        x: [B, K, R, chunk, dims], noisy chunks.
        time: [B, K, R], t of each.
    """
    batch, asks, draws, rows = x.shape[:4]
    dtype = expert.action_in_proj.weight.dtype
    places = shared.count[..., None] + torch.arange(rows, device=x.device)
    cosine, sine = rotary(places.flatten(0, 1), dtype)
    rope = (cosine.view(batch, asks, 1, 1, rows, -1), sine.view(batch, asks, 1, 1, rows, -1))
    condition = expert.condition(time.flatten())
    hidden = expert.action_in_proj(x.flatten(0, 2).to(dtype))

    def heads(flat: Tensor) -> Tensor:
        wide = flat.unflatten(0, (batch, asks, draws)).unflatten(-1, (-1, expert.head_width))
        return wide.transpose(3, 4)

    for index, layer in enumerate(expert.layers):
        normed, gate = layer.input_layernorm(hidden, condition)
        attention = layer.self_attn
        queries, keys = (
            rotate(heads(part(normed)), rope) for part in (attention.q_proj, attention.k_proj)
        )
        read = attend(shared, index, queries, keys, heads(attention.v_proj(normed)))
        hidden = hidden + gate * attention.o_proj(read.transpose(3, 4).flatten(4).flatten(0, 2))
        normed, gate = layer.post_attention_layernorm(hidden, condition)
        hidden = hidden + gate * layer.mlp(normed)
    out = expert.action_out_proj(expert.norm(hidden, condition)[0])
    return out.float().unflatten(0, (batch, asks, draws))


@torch.no_grad()
def begin_as(expert: ActionExpert, decoder: LlamaDecoder) -> None:
    """Give an expert of a decoder's shape its weights: its rows read images as action tokens did.

    The norms begin as the decoder's, whatever the time.
    """
    for own, layer in zip(expert.layers, decoder.layers, strict=True):
        for name in ('self_attn', 'mlp'):
            getattr(own, name).load_state_dict(getattr(layer, name).state_dict())
        for name in ('input_layernorm', 'post_attention_layernorm'):
            _as(getattr(own, name), getattr(layer, name))
    _as(expert.norm, decoder.norm)


def _as(norm: nn.Module, plain: nn.Module) -> None:
    norm.dense.bias[: len(plain.weight)] = plain.weight - 1


def draw_times(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Draw times float32 of a shape: beta distributed with one of its numbers 1, so by a root."""
    return torch.rand(shape, generator=generator) ** (1 / EARLY) * (1 - LEAST) + LEAST


@torch.no_grad()
def answer(
    expert: ActionExpert, rotary: Callable, shared: Shared, noise: Tensor, steps: int = 10
) -> Tensor:
    """Follow the flow from noise [B, K, R, chunk, dims] to chunks of the same shape (Euler)."""
    x = noise
    for step in range(steps):
        time = torch.full(x.shape[:3], 1 - step / steps, device=x.device)
        x = x - velocity(expert, rotary, shared, x, time) / steps
    return x


class FlowLesson(Frozen):
    """The lesson of an action expert behind a frozen prefix; see `Frozen` for the arguments."""

    def __init__(self, recipe: Recipe, words: list[str], device: torch.device) -> None:
        super().__init__(recipe, words, device)
        self.config = replace(
            self.frozen.config, head=OFTConfig(chunk=recipe.model.chunk, proprio=0)
        )
        self._expert = ActionExpert(self.config.decoder, self.config.action_dims)
        begin_as(self._expert, self.frozen.language_model.model)
        self.modules = {'expert': self._expert.to(device)}

    def step(self, stage: Stage, prompts: list[list[int]], asks: int) -> Step:
        """See `Lesson.step`."""
        packing = self.packing(prompts, asks)
        rotary, draws = self.frozen.language_model.model.rotary, self.recipe.draws

        def run(batch: Batch, generator: torch.Generator) -> Losses:
            shared = hold(self.frozen, self.pixels(batch), packing, batch.asked.to(self.device))
            actions = batch.actions[:, :, None].expand(-1, -1, draws, -1, -1)
            noise = torch.randn(actions.shape, generator=generator).to(self.device)
            time = draw_times(actions.shape[:3], generator).to(self.device)
            actions, part = actions.to(self.device), time[..., None, None]
            x = part * noise + (1 - part) * actions
            error = velocity(self._expert, rotary, shared, x, time) - (noise - actions)
            square = error.square()
            total = square.mean()
            found = {'action': total, 'first': square[..., 0, :].mean()}
            return Losses(total, {name: float(value.detach()) for name, value in found.items()})

        return run

    def model(self, config: VLAConfig, weights: Callable[[str], dict[str, Tensor]]) -> VLA:
        """See `Lesson.model`."""
        model = build(replace(config, head=TokensConfig()))
        take_weights(model, self.recipe.start)
        model.expert = ActionExpert(config.decoder, config.action_dims)
        model.expert.load_state_dict(weights('expert'))
        return model

    def answers(self, model: VLA) -> Answers:
        """See `Lesson.answers`."""
        rotary, config = model.language_model.model.rotary, self.config
        generator = torch.Generator().manual_seed(0)

        def run(pixels: Tensor, prompts: list[list[int]], _: Tensor | None) -> np.ndarray:
            packing = Packing.of(prompts, config.visual_tokens, 1, 1)
            packing = packing.to(model.device, model.dtype)
            asked = torch.arange(len(prompts), device=model.device)[:, None]
            shared = hold(model, pixels.to(model.device, model.dtype), packing, asked)
            shape = (len(prompts), 1, 1, config.head.chunk, config.action_dims)
            noise = torch.randn(shape, generator=generator).to(model.device)
            return answer(model.expert, rotary, shared, noise)[:, 0, 0].double().cpu().numpy()

        return run

    def line(self, means: dict[str, float]) -> str:
        """See `Lesson.line`."""
        return f'velocity {means["action"]:.4f}  first action {means["first"]:.4f}'
