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

"""Several instructions over the same images in one sequence.

An image costs far more than the words about it. So the towers run once an image, and every
instruction that is asked about it hangs behind the same visual tokens as a branch of its own:
`[BOS | visual | words 1, actions 1 | words 2, actions 2 | ...]`. The mask lets a branch see
the shared front and itself only, and each branch's positions start where the front ends. What
a branch computes is therefore exactly what the model computes for that instruction alone.
Asking different instructions of the very same pixels is also what teaches the word to matter.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vla_accel_ros.models.openvla import OpenVLA


@dataclass(frozen=True)
class Packing:
    """How P instructions are laid out behind N visual tokens.

    Attributes:
        words: int [P, T], the prompts without BOS, zeros where the actions and padding stand.
        bos: The first token's id.
        action_columns: int [P, D - 1], where the teacher-forced action tokens stand in a branch.
        rows: int [P, D], rows of the packed sequence that predict the D action tokens.
        positions: int [1, S], absolute positions.
        mask: [1, 1, S, S], added to the attention scores.
    """

    words: Tensor
    bos: int
    action_columns: Tensor
    rows: Tensor
    positions: Tensor
    mask: Tensor

    @classmethod
    def of(cls, prompts: list[list[int]], visual: int, action_dims: int = 7) -> Packing:
        """Lay out prompts.

        Args:
            prompts: Token ids of each prompt, BOS first.
            visual: Visual tokens N.
            action_dims: Action tokens D.

        Raises:
            ValueError: When there is no prompt, one is empty, or they differ in BOS.
        """
        if not prompts or any(len(p) < 2 for p in prompts) or len({p[0] for p in prompts}) > 1:
            raise ValueError(f'prompts {prompts} do not all start with one BOS and go on')
        count, front = len(prompts), 1 + visual
        length = max(len(p) for p in prompts) - 1 + action_dims - 1
        words = torch.zeros(count, length, dtype=torch.long)
        last = torch.tensor([len(p) - 2 for p in prompts])
        for row, prompt in zip(words, prompts, strict=True):
            row[:len(prompt) - 1] = torch.tensor(prompt[1:])
        steps = torch.arange(action_dims)
        starts = front + length * torch.arange(count)
        branch = torch.arange(front, front + length)
        total = front + count * length
        sees = torch.ones(total, total, dtype=torch.bool).tril()
        for start in starts.tolist():
            sees[start:start + length, front:start] = False
        return cls(
            words=words,
            bos=prompts[0][0],
            action_columns=last[:, None] + 1 + steps[None, :-1],
            rows=starts[:, None] + last[:, None] + steps[None],
            positions=torch.cat([torch.arange(front), branch.repeat(count)])[None],
            mask=torch.zeros(total, total).masked_fill(~sees, float('-inf'))[None, None],
        )

    def to(self, device: torch.device, dtype: torch.dtype) -> Packing:
        """Move the tensors to a device, the mask to the model's type too."""
        return Packing(
            self.words.to(device), self.bos, self.action_columns.to(device),
            self.rows.to(device), self.positions.to(device), self.mask.to(device, dtype))


@dataclass
class Packed:
    """What the packed forward pass gives.

    Attributes:
        features: For each image [B, N / images, tower width].
        layers: Input of each decoder layer, [B, S, width].
        hidden: [B, P, D, width], after the final norm, at the rows that predict.
        logits: [B, P, D, vocabulary].
    """

    features: list[Tensor]
    layers: list[Tensor]
    hidden: Tensor
    logits: Tensor


def forward(model: OpenVLA, pixels: Tensor, packing: Packing, actions: Tensor) -> Packed:
    """Run the model on B images and P instructions about each.

    Args:
        model: The model.
        pixels: [B, channels, H, W], normalised.
        packing: Layout of the P instructions.
        actions: int [B, P, D - 1], teacher-forced action token ids.
    """
    batch = len(pixels)
    features = model.tower_features(pixels)
    visual = model.project(features)
    words = packing.words.expand(batch, -1, -1).clone()
    words.scatter_(2, packing.action_columns.expand(batch, -1, -1), actions)
    bos = words.new_full((batch, 1), packing.bos)
    x = model.embed_prompt(torch.cat([bos, words.flatten(1)], dim=1), visual)
    layers: list[Tensor] = []
    decoder = model.language_model
    hidden = decoder.model.run(x, packing.positions, packing.mask, collect=layers)
    hidden = hidden[:, packing.rows.flatten()].unflatten(1, packing.rows.shape)
    return Packed(features, layers, hidden, decoder.lm_head(hidden))
