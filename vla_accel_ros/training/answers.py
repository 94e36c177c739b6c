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

"""What models answer to many images at once, for the closed loop of training."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from vla_accel_ros.models.action_tokens import ActionTokens
from vla_accel_ros.models.vla import VLA

# From pixels [B, channels, H, W], a prompt for each, BOS first, and proprioception [B, proprio] or
# None, to chunks float64 [B, chunk, action dimensions], normalised.
Answers = Callable[[Tensor, list[list[int]], Tensor | None], np.ndarray]


@torch.no_grad()
def decode(model: VLA, pixels: Tensor, prompts: list[list[int]]) -> np.ndarray:
    """Decode greedily.

    Args:
        model: The model.
        pixels: [B, channels, H, W], normalised.
        prompts: One a row, BOS first; rows of equal length are run together.

    Returns:
        int64 [B, action dimensions], token ids.
    """
    config = model.config
    ids = np.zeros((len(prompts), config.action_dims), dtype=np.int64)
    visual = model.encode_images(pixels.to(model.device, model.dtype))
    for length in sorted({len(p) for p in prompts}):
        rows = [i for i, p in enumerate(prompts) if len(p) == length]
        words = torch.tensor([prompts[i] for i in rows], device=model.device)
        x = model.embed_prompt(words, visual[rows])
        cache = model.new_cache(x.shape[1] + config.action_dims, len(rows))
        logits = model.prefill(x, cache)
        for column in range(config.action_dims):
            token = logits[:, : config.tokenizer_vocab].argmax(-1)
            ids[rows, column] = token.cpu().numpy()
            if column + 1 < config.action_dims:
                at = torch.full((1, 1), x.shape[1] + column, device=model.device)
                logits = model.decode_one_token(token, at, cache)
    return ids


@torch.no_grad()
def regress(model: VLA, pixels: Tensor, prompts: list[list[int]], proprio: Tensor) -> np.ndarray:
    """Let a model that answers numbers in one pass answer chunks.

    Args:
        model: The model.
        pixels: [B, channels, H, W], normalised.
        prompts: One a row, BOS first; rows of equal length are run together.
        proprio: [B, proprio], normalised.

    Returns:
        float64 [B, chunk, action dimensions], normalised.
    """
    config = model.config
    numbers = np.zeros((len(prompts), config.head.chunk, config.action_dims))
    pixels = pixels.to(model.device, model.dtype)
    proprio = proprio.to(model.device, model.dtype)
    for length in sorted({len(p) for p in prompts}):
        rows = [i for i, p in enumerate(prompts) if len(p) == length]
        words = torch.tensor([prompts[i] for i in rows], device=model.device)
        said = model(pixels[rows], words, proprio[rows]).numbers
        numbers[rows] = said.double().cpu().numpy()
    return numbers


def of_language(model: VLA) -> Answers:
    """Return what a model answers with its language model: tokens, or numbers in one pass."""
    tokens = ActionTokens(model.config.tokenizer_vocab, model.config.bins)

    def decoded(pixels: Tensor, prompts: list[list[int]], _: Tensor | None) -> np.ndarray:
        return tokens.decode(decode(model, pixels, prompts))[:, None]

    def regressed(pixels: Tensor, prompts: list[list[int]], proprio: Tensor | None) -> np.ndarray:
        return regress(model, pixels, prompts, proprio)

    return decoded if model.config.head.in_tokens else regressed
