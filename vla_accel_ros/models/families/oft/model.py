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

"""OpenVLA-OFT: a whole chunk of actions out of one pass over the sequence.

The sequence is [BOS | visual tokens of all images | proprioception | rest of the prompt | one
empty slot a number of the chunk | stop], every token sees every other one, and the number of a
slot is read from the row before it, so that the first one comes from the last prompt token.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from vla_accel_ros.engines.interface import Program
from vla_accel_ros.engines.programs.call import Call
from vla_accel_ros.engines.programs.decoder import Span
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.families.oft.config import L1
from vla_accel_ros.models.heads.slot_networks import L1Head, ProprioProjector
from vla_accel_ros.models.proprio import ProprioError
from vla_accel_ros.models.vla import VLA


@dataclass
class OFTOutput:
    """What a forward pass gives.

    Attributes:
        numbers: Normalised actions [B, chunk, dims] of an L1 head, or logits
            [B, chunk * dims, vocabulary] of a discrete one.
        hidden: [B, chunk * dims, width] after the final norm, what `numbers` was read from.
        visual: [B, visual tokens, width], what the projector gave.
    """

    numbers: Tensor
    hidden: Tensor
    visual: Tensor


class OpenVLAOFT(VLA):
    """The model.

    Args:
        config: Its shape; its head an `OFTConfig`.
    """

    def __init__(self, config: VLAConfig) -> None:
        super().__init__(config)
        oft, width = config.head, config.decoder.width
        self.oft = oft
        if oft.proprio:
            self.proprio_projector = ProprioProjector(oft.proprio, width)
        if oft.head == L1:
            self.action_head = L1Head(
                width, config.action_dims, oft.head_width or width, oft.head_blocks
            )

    @property
    def rows(self) -> slice:
        """Rows of the sequence that the numbers are read from, counted from its end."""
        return slice(-2 - self.config.slots, -2)

    def language(self, input_ids: Tensor) -> Tensor | None:
        """Give the mean embedding of prompt and stop token [B, width] for FiLM, else None."""
        if not self.config.film:
            return None
        stop = input_ids.new_full((len(input_ids), 1), self.oft.stop)
        return self.language_model.model.embed_tokens(torch.cat([input_ids, stop], 1)).mean(1)

    def embed_chunk(
        self, input_ids: Tensor, visual: Tensor, proprio: Tensor | None = None
    ) -> Tensor:
        """Put the whole sequence together.

        Args:
            input_ids: int [B, T], BOS first.
            visual: [B, N, width], all visual tokens or those that are left.
            proprio: [B, proprio], normalised; None where the checkpoint wants none.

        Returns:
            [B, 1 + N + (1 with proprioception) + T - 1 + chunk * dims + 1, width].

        Raises:
            ProprioError: When proprioception is missing, of another size or not wanted.
        """
        self.check_proprio(proprio)
        embed = self.language_model.model.embed_tokens
        text = embed(input_ids)
        batch, width = len(text), text.shape[-1]
        parts = [text[:, :1], visual.to(text.dtype)]
        if proprio is not None:
            parts.append(self.proprio_projector(proprio.to(text.dtype))[:, None])
        stop = embed(input_ids.new_full((batch, 1), self.oft.stop))
        return torch.cat(
            [*parts, text[:, 1:], text.new_zeros(batch, self.config.slots, width), stop], dim=1
        )

    def sequence(self, proprio: bool) -> Call:
        """Give the program that puts the whole sequence together."""
        inputs = ('ids', 'visual', 'proprio') if proprio else ('ids', 'visual')
        return Call('sequence', self.embed_chunk, inputs, 'x')

    def usual(self) -> Iterator[Program]:
        """Give the programs behind the projector; see `VLA.usual`."""
        yield Span(
            self.language_model.model, 0, self.config.decoder.layers, causal=False, norm=True
        )
        yield self.head()

    def head(self) -> Call:
        """Give the program of the head."""
        return Call('head', self.read_out, ('rows',), 'numbers')

    def check_proprio(self, proprio: Tensor | None) -> None:
        """Check proprioception [B, numbers].

        Raises:
            ProprioError: When it is missing, of another size or not wanted.
        """
        wanted = self.oft.proprio
        got = 0 if proprio is None else proprio.shape[-1]
        if got != wanted:
            raise ProprioError(
                f'got {got} numbers of proprioception, the checkpoint wants {wanted}'
            )

    def token_logits(self, rows: Tensor) -> Tensor:
        """Give logits [B, rows, vocabulary] of hidden rows [B, rows, width]."""
        return self.language_model.lm_head(rows)

    def read_out(self, rows: Tensor) -> Tensor:
        """Give what the head makes of hidden rows [B, chunk * dims, width]; see `OFTOutput`."""
        return self.action_head(rows) if self.oft.head == L1 else self.token_logits(rows)

    def forward(
        self, pixel_values: Tensor, input_ids: Tensor, proprio: Tensor | None = None
    ) -> OFTOutput:
        """Run whole sequences.

        Args:
            pixel_values: [B, channels, H, W].
            input_ids: int [B, T], BOS first, prompts of one length.
            proprio: [B, proprio], normalised; None where the checkpoint wants none.

        Raises:
            ProprioError: When proprioception is missing, of another size or not wanted.
        """
        visual = self.encode_images(pixel_values, self.language(input_ids))
        x = self.embed_chunk(input_ids, visual, proprio)
        positions = torch.arange(x.shape[1], device=x.device)[None]
        rows = self.language_model.model.run(x, positions, causal=False)[:, self.rows]
        return OFTOutput(self.read_out(rows), rows, visual)
