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

"""OpenVLA: action tokens behind the prompt, one after the other.

The sequence is [BOS | visual tokens | rest of the prompt | action tokens].
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from vla_accel_ros.models.vla import VLA


@dataclass
class VLAOutput:
    """What a forward pass over whole sequences gives.

    Attributes:
        logits: [B, S or K, vocabulary]; K rows where `logit_rows` was given.
        hidden: [B, S, width] after the final norm, S = 1 + visual tokens + text - 1.
        features: For each image, the towers' features [B, N, feature width].
        visual: [B, visual tokens, width], what the projector gave.
        visual_hidden: [B, visual tokens, width], the visual part of `hidden`.
    """

    logits: Tensor
    hidden: Tensor
    visual: Tensor
    visual_hidden: Tensor
    features: list[Tensor] = field(default_factory=list)


class OpenVLA(VLA):
    """The model.

    Args:
        config: Its shape.
    """

    def forward(
        self,
        pixel_values: Tensor,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        logit_rows: Tensor | slice | None = None,
    ) -> VLAOutput:
        """Run whole sequences, for training.

        Args:
            pixel_values: [B, channels, H, W].
            input_ids: int [B, T], BOS first, teacher-forced action tokens included.
            attention_mask: bool or int [B, T], 0 where padded; None when nothing is padded.
                Padding only on the right needs none, for causal attention never looks there.
            logit_rows: Rows of `hidden` to compute logits for: a slice, or int [B, K].
                The row that predicts input_ids[:, t] is t - 1 + N for t >= 1.

        Returns:
            Logits, hidden states and what auxiliary heads want.
        """
        features = self.tower_features(pixel_values, self.language(input_ids, attention_mask))
        visual = self.project(features)
        x = self.embed_prompt(input_ids, visual)
        count = visual.shape[1]
        positions = torch.arange(x.shape[1], device=x.device)[None]
        mask = None
        if attention_mask is not None:
            text = attention_mask.bool()
            seen = torch.cat([text[:, :1], text.new_ones(len(text), count), text[:, 1:]], dim=1)
            positions = (seen.long().cumsum(1) - 1).clamp(min=0)
            mask = (
                seen[:, None, None]
                & torch.ones(x.shape[1], x.shape[1], dtype=torch.bool, device=x.device).tril()
            )
        hidden = self.language_model.model.run(x, positions, mask)
        rows = hidden
        if isinstance(logit_rows, slice):
            rows = hidden[:, logit_rows]
        elif logit_rows is not None:
            rows = hidden.gather(1, logit_rows[..., None].expand(-1, -1, hidden.shape[-1]))
        return VLAOutput(
            self.language_model.lm_head(rows), hidden, visual, hidden[:, 1 : 1 + count], features
        )
