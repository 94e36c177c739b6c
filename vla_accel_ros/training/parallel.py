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

"""OpenVLA-OFT in training: several instructions about the same images, each a row of its own.

Every token sees every other one, so instructions cannot share a sequence as in `packing`; they
share the towers. Prompts differ in length: shorter ones are padded behind the stop token, where
nobody looks.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vla_accel_ros.models.vla import VLA
from vla_accel_ros.training.last_rows import rows_of, run_for
from vla_accel_ros.training.packing import Packed, select_visual


@dataclass(frozen=True)
class Parallel:
    """How P instructions are laid out, each in S tokens.

    The sequence is [BOS | visual | proprioception | words | slots | stop | padding].

    Attributes:
        words: int [P, T], the prompts without BOS, padded.
        bos: The first token's id.
        order: int [P, T + slots + 1], what stands behind the front: columns of
            [words | slots | stop].
        rows: int [P, slots], rows of the sequence that the numbers are read from.
        mask: bool [P, 1, 1, S], True where there is a token to look at.
        positions: int [1, S], absolute; of visual tokens as in `Packing`.
    """

    words: Tensor
    bos: int
    order: Tensor
    rows: Tensor
    mask: Tensor
    positions: Tensor

    @classmethod
    def of(cls, prompts: list[list[int]], front: int, slots: int, left_out: int = 0) -> Parallel:
        """Lay out prompts.

        Args:
            prompts: Token ids of each prompt, BOS first.
            front: Tokens before the words: BOS, visual tokens and proprioception.
            slots: Numbers of an answer.
            left_out: How many of the visual tokens the sequence does not hold.
        """
        front -= left_out
        longest = max(len(p) for p in prompts) - 1
        words = torch.zeros(len(prompts), longest, dtype=torch.long)
        order, rows, mask = [], [], []
        for line, prompt in zip(words, prompts, strict=True):
            count = len(prompt) - 1
            line[:count] = torch.tensor(prompt[1:])
            pad = torch.arange(count, longest)
            order.append(
                torch.cat([torch.arange(count), torch.arange(longest, longest + slots + 1), pad])
            )
            rows.append(front + count - 1 + torch.arange(slots))
            mask.append(torch.arange(front + longest + slots + 1) < front + count + slots + 1)
        positions = torch.arange(front + longest + slots + 1)
        positions[1:] += left_out
        return cls(
            words,
            prompts[0][0],
            torch.stack(order),
            torch.stack(rows),
            torch.stack(mask)[:, None, None],
            positions[None],
        )

    def to(self, device: torch.device) -> Parallel:
        """Move the tensors to a device."""
        return Parallel(
            self.words.to(device),
            self.bos,
            self.order.to(device),
            self.rows.to(device),
            self.mask.to(device),
            self.positions.to(device),
        )


def forward(
    model: VLA,
    pixels: Tensor,
    layout: Parallel,
    proprio: Tensor,
    asked: Tensor,
    shown: Tensor | None = None,
) -> Packed:
    """Run the model on B images and K instructions about each.

    Args:
        model: A model that answers numbers in one pass.
        pixels: [B, channels, H, W], normalised.
        layout: Of the instructions.
        proprio: [B, proprio], normalised.
        asked: int [B, K], which instructions each image is asked.
        shown: int [B, shown], ascending, the visual tokens that the decoder gets; None for all.

    Returns:
        As `packing.forward`, but for layers [B * K, S, width], rows [B, K, slots] of these, and
        normalised actions [B, K, chunk, dims] in the place of logits.
    """
    features = model.tower_features(pixels)
    count, which = asked.shape[1], asked.flatten()
    visual, positions = select_visual(model.project(features), layout.positions, shown)
    visual = visual.repeat_interleave(count, 0)
    positions = positions if shown is None else positions.repeat_interleave(count, 0)
    words = layout.words[which]
    ids = torch.cat([words.new_full((len(words), 1), layout.bos), words], dim=1)
    x = model.embed_chunk(ids, visual, proprio.repeat_interleave(count, 0))
    order = layout.order[which]
    front = x.shape[1] - order.shape[1]
    x = torch.cat([x[:, :front], rows_of(x, front + order)], dim=1)
    rows = layout.rows[which]
    read, layers = run_for(model.language_model.model, x, positions, layout.mask[which], rows)
    batch = (-1, count)
    return Packed(
        features,
        layers,
        visual.shape[1],
        rows.unflatten(0, batch),
        read.unflatten(0, batch),
        model.read_out(read).unflatten(0, batch),
    )
