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

"""One forward pass with all its losses."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.vla import VLA
from vla_accel_ros.training import heads as losses
from vla_accel_ros.training import packing, parallel, thinning
from vla_accel_ros.training.batches import Batch
from vla_accel_ros.training.heads import Heads, cells
from vla_accel_ros.training.lesson import Losses
from vla_accel_ros.training.packing import Packed, Packing
from vla_accel_ros.training.parallel import Parallel
from vla_accel_ros.training.recipe_parts import Stage
from vla_accel_ros.training.tokens import jitter, soft_cross_entropy


def lay_out(
    config: VLAConfig,
    prompts: list[list[int]],
    asks: int,
    device: torch.device,
    dtype: torch.dtype,
    tokens: int = 0,
) -> Packing | Parallel:
    """Return how these prompts lie in what a model of this configuration is trained on.

    Args:
        config: The model's.
        prompts: Token ids of each.
        asks: Instructions about one image.
        device: Where it shall lie.
        dtype: The model's.
        tokens: Visual tokens that the decoder is shown; 0 for all.
    """
    visual = config.visual_tokens
    shown = tokens or visual
    if config.head.single_pass:
        return Parallel.of(
            prompts, 1 + visual + bool(config.proprio), config.slots, visual - shown
        ).to(device)
    return Packing.of(prompts, visual, config.action_dims, asks, shown).to(device, dtype)


def compute(
    model: VLA,
    heads: Heads,
    layout: Packing | Parallel,
    batch: Batch,
    stage: Stage,
    spread: float,
    jitter_bins: float,
    generator: torch.Generator,
) -> Losses:
    """Run a batch through the model and the heads.

    Args:
        model: The model.
        heads: Its training-only heads.
        layout: Of the instructions that the batch is labelled for; see `lay_out`.
        batch: Frames and labels.
        stage: Names the weights of the losses, and how many visual tokens the decoder is shown.
        spread: Standard deviation of the soft labels, bins.
        jitter_bins: The same of the teacher-forced inputs.
        generator: Source of the jitter and of the choice of tokens, on the CPU.
    """
    config, device = model.config, model.device
    pixels = batch.pixels.to(device)
    places, seen = batch.places.to(device), batch.seen.to(device)
    index, _ = cells(places, seen, config.grid)
    shown = None
    if stage.tokens:
        shown = thinning.choose(pixels, index, config, stage.tokens, generator)
    out = _forward(model, layout, batch, pixels, shown, jitter_bins, generator)
    locate, sight = losses.locate_loss(
        heads, out.features, places, seen, batch.positions.to(device)
    )
    if shown is not None:
        index = thinning.ranks(index, shown, config)
    grounding, read = _grounding(heads, out, batch, index)
    action = _action_loss(config, out, batch.actions.to(device), spread)
    parts = {'locate': locate, **grounding, 'action': action}
    read['sight_px'] = sight * config.image_size / config.grid
    total = sum(stage.losses.get(name, 0.0) * loss for name, loss in parts.items())
    return Losses(total, {k: float(v.detach()) for k, v in {**parts, **read}.items()})


def _grounding(
    heads: Heads, out: Packed, batch: Batch, index: Tensor
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return the losses of what the instruction names, and errors that a person can read.

    Args:
        heads: Training-only heads.
        out: Of the forward pass.
        batch: Labels.
        index: int [B, cameras, C], each object's token among those shown; see `heads.cells`.
    """
    config, device = heads.config, index.device
    vectors, turns = batch.vectors.to(device), batch.turns.to(device)
    meant, goal = batch.meant.to(device), batch.goal.to(device)
    image = torch.arange(len(meant), device=device)[:, None]
    # One row for all instructions about an image, or one for each.
    lines = (len(out.layers[0]), -1)
    words, first = out.rows[..., 0].reshape(lines), out.hidden[:, :, 0]

    def point(points: nn.ModuleList, which: Tensor) -> tuple[Tensor, Tensor]:
        asked = which.reshape(*lines, config.cameras)
        return losses.point_loss(heads, points, out.layers, out.visual, words, asked)

    point_loss, pointed = point(heads.point, index[image, :, meant])
    relate, error = losses.relate_loss(
        heads, first, vectors[image, meant], turns[image, meant], batch.width.to(device)
    )
    there = goal >= 0
    second = torch.where(there[..., None], index[image, :, goal], -100)
    goal_point, goal_pointed = point(heads.goal_point, second)
    goal_relate, goal_error = losses.goal_loss(heads, first, vectors[image, goal], there)
    parts = {'point': point_loss, 'relate': relate, 'goal': goal_point + 2 * goal_relate}
    read = {'pointed': pointed, 'vector_mm': error * 1000}
    if there.any():
        read |= {'goal_pointed': goal_pointed, 'goal_mm': goal_error * 1000}
    return parts, read


def _forward(
    model: VLA,
    layout: Packing | Parallel,
    batch: Batch,
    pixels: Tensor,
    shown: Tensor | None,
    jitter_bins: float,
    generator: torch.Generator,
) -> Packed:
    config, device, asked = model.config, model.device, batch.asked.to(model.device)
    pixels = pixels.to(model.dtype, memory_format=torch.channels_last)
    if isinstance(layout, Parallel):
        return parallel.forward(
            model, pixels, layout, batch.proprio.to(device, model.dtype), asked, shown
        )
    inputs = jitter(batch.actions[..., :-1], jitter_bins, generator, config.bins)
    tokens = config.tokenizer_vocab - 1 - inputs.to(device)
    return packing.forward(model, pixels, layout, tokens, asked, shown)


def _action_loss(config: VLAConfig, out: Packed, actions: Tensor, spread: float) -> Tensor:
    """Return nats of all tokens together, or the mean error of normalised numbers."""
    if not config.head.in_tokens:
        return (out.logits.float() - actions).abs().mean()
    logits = out.logits[..., : config.tokenizer_vocab]
    return soft_cross_entropy(logits, actions, spread, config.bins).sum(-1).mean()
