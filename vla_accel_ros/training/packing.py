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
Each image may be asked other ones: all branches have one length, so that only words differ.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.models.vla import VLA
from vla_accel_ros.training.last_rows import rows_of, run_for


@dataclass(frozen=True)
class Packing:
    """How K of P instructions are laid out behind the visual tokens that are shown.

    Attributes:
        words: int [P, T], the prompts without BOS, zeros where the actions and padding stand.
        bos: The first token's id.
        columns: int [P, D], columns of a branch that predict the D action tokens.
        starts: int [K], where each branch starts in the packed sequence.
        positions: int [1, S], absolute positions; of visual tokens, those of the first ones: see
            `select_visual`.
        mask: [1, 1, S, S], added to the attention scores.
    """

    words: Tensor
    bos: int
    columns: Tensor
    starts: Tensor
    positions: Tensor
    mask: Tensor

    @classmethod
    def of(
        cls,
        prompts: list[list[int]],
        visual: int,
        action_dims: int = END_EFFECTOR.width,
        asked: int | None = None,
        shown: int | None = None,
    ) -> Packing:
        """Lay out prompts.

        Args:
            prompts: Token ids of each prompt, BOS first.
            visual: Visual tokens N.
            action_dims: Action tokens D.
            asked: Instructions K about one image; all where None.
            shown: How many of the visual tokens the sequence holds; all where None.

        Raises:
            ValueError: When there is no prompt, one is empty, they differ in BOS, or fewer
                than 1 or more than all are to be asked or shown.
        """
        if not prompts or any(len(p) < 2 for p in prompts) or len({p[0] for p in prompts}) > 1:
            raise ValueError(f'prompts {prompts} do not all start with one BOS and go on')
        count = len(prompts) if asked is None else asked
        front = 1 + (visual if shown is None else shown)
        if not 1 <= count <= len(prompts):
            raise ValueError(f'{count} asked of {len(prompts)} instructions')
        if shown is not None and not 1 <= shown <= visual:
            raise ValueError(f'{shown} visual tokens shown, expected 1 to {visual}')
        length = max(len(p) for p in prompts) - 1 + action_dims - 1
        words = torch.zeros(len(prompts), length, dtype=torch.long)
        last = torch.tensor([len(p) - 2 for p in prompts])
        for row, prompt in zip(words, prompts, strict=True):
            row[: len(prompt) - 1] = torch.tensor(prompt[1:])
        starts = front + length * torch.arange(count)
        branch = 1 + visual + torch.arange(length)
        total = front + count * length
        sees = torch.ones(total, total, dtype=torch.bool).tril()
        for start in starts.tolist():
            sees[start : start + length, front:start] = False
        return cls(
            words=words,
            bos=prompts[0][0],
            columns=last[:, None] + torch.arange(action_dims)[None],
            starts=starts,
            positions=torch.cat([torch.arange(front), branch.repeat(count)])[None],
            mask=torch.zeros(total, total).masked_fill(~sees, float('-inf'))[None, None],
        )

    def to(self, device: torch.device, dtype: torch.dtype) -> Packing:
        """Move the tensors to a device, the mask to the model's type too."""
        return Packing(
            self.words.to(device),
            self.bos,
            self.columns.to(device),
            self.starts.to(device),
            self.positions.to(device),
            self.mask.to(device, dtype),
        )


@dataclass
class Packed:
    """What the packed forward pass gives.

    Attributes:
        features: For each image [B, N / images, tower width].
        layers: Input of each decoder layer, [B, S, width].
        visual: How many visual tokens these hold, behind the first.
        rows: int [B, K, D], rows of the packed sequence that predict; the first of them is
            each instruction's last word.
        hidden: [B, K, D, width], after the final norm, at these rows.
        logits: [B, K, D, vocabulary].
    """

    features: list[Tensor]
    layers: list[Tensor]
    visual: int
    rows: Tensor
    hidden: Tensor
    logits: Tensor


def select_visual(
    visual: Tensor, positions: Tensor, shown: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Keep some of the visual tokens, each at its place.

    Args:
        visual: [B, N, width], all of them.
        positions: int [1, S], of a sequence that holds a first token and as many as are shown.
        shown: int [B, shown], ascending; None for all.

    Returns:
        [B, shown, width] and the positions [B, S].
    """
    if shown is None:
        return visual, positions
    behind = positions[:, 1 + shown.shape[1] :].expand(len(shown), -1)
    first = positions[:, :1].expand(len(shown), -1)
    return rows_of(visual, shown), torch.cat([first, 1 + shown, behind], dim=1)


def forward(
    model: VLA,
    pixels: Tensor,
    packing: Packing,
    actions: Tensor,
    asked: Tensor,
    shown: Tensor | None = None,
) -> Packed:
    """Run the model on B images and K instructions about each.

    Args:
        model: The model.
        pixels: [B, channels, H, W], normalised.
        packing: Layout of the instructions.
        actions: int [B, K, D - 1], teacher-forced action token ids.
        asked: int [B, K], which instructions each image is asked.
        shown: int [B, shown], ascending, the visual tokens that the decoder gets; None for all.
    """
    features = model.tower_features(pixels)
    visual, positions = select_visual(model.project(features), packing.positions, shown)
    columns = packing.columns[asked]
    words = packing.words[asked].scatter(2, columns[..., 1:], actions)
    bos = words.new_full((len(pixels), 1), packing.bos)
    x = model.embed_prompt(torch.cat([bos, words.flatten(1)], dim=1), visual)
    decoder = model.language_model
    rows = packing.starts[None, :, None] + columns
    hidden, layers = run_for(decoder.model, x, positions, packing.mask, rows.flatten(1))
    hidden = hidden.unflatten(1, rows.shape[1:])
    return Packed(features, layers, visual.shape[1], rows, hidden, decoder.lm_head(hidden))
