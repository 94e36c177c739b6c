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

"""Models of any configuration with random weights, made where they are to run."""

from __future__ import annotations

import torch
from torch import Tensor

from vla_accel_ros.layers.projector import patch_coordinates
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.families.registry import build, of
from vla_accel_ros.models.vla import VLA


def random_model(
    config: VLAConfig,
    device: str | torch.device = 'cpu',
    dtype: torch.dtype = torch.float32,
    seed: int = 0,
) -> VLA:
    """Build a model with random weights, which costs the time of a trained one.

    Nothing passes through another device or type on the way, so that a full-size model needs
    its own memory once and nothing else. A token weighs as much in the residual stream as all
    layers together, so that the answer depends on it; and a model that answers in tokens always
    answers with action tokens, for the head's rows of all others are zero.

    Args:
        config: Its shape.
        device: Where to make it.
        dtype: Type of the weights.
        seed: The weights are the same for one seed, device and type.

    Returns:
        The model in evaluation mode, without gradients.
    """
    with torch.device('meta'):
        model = build(config)
    family = of(config)
    model = model.to(dtype)
    for name, weight in model.named_parameters():
        if family.precise(config, name):
            weight.data = weight.data.to(torch.promote_types(dtype, torch.float32))
    model = model.to_empty(device=device)
    generator = torch.Generator(device).manual_seed(seed)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            _fill(name, weight, generator)
        language = model.language_model
        language.model.embed_tokens.weight.mul_(config.decoder.width**0.5)
        for layer in language.model.layers:
            attention, mlp = layer.self_attn, layer.mlp
            ends = [attention and attention.o_proj, mlp and mlp.down_proj]
            for branch in filter(None, ends):
                branch.weight.mul_((2 * config.decoder.layers) ** -0.5)
        if config.decoder.logits:
            last, head = config.tokenizer_vocab, language.lm_head.weight
            head[: last - config.bins] = 0
            head[last:] = 0
    # It is no part of a checkpoint either: made anew, not filled.
    model.coordinates = patch_coordinates(config.grid, device)
    return model.eval().requires_grad_(False)


def _fill(name: str, weight: Tensor, generator: torch.Generator) -> None:
    if weight.ndim > 1:
        weight.normal_(std=weight[0].numel() ** -0.5, generator=generator)
    elif name.endswith('bias'):
        weight.zero_()
    else:
        weight.fill_(1)
