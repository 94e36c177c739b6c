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

"""SmolVLA: SmolVLM2's tower and first layers, and a flow expert that alternates its attention.

The sequence is [visual tokens of all cameras | prompt | state]. Images and prompt see one another
and not the state; the state sees everything.
"""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor, nn
import torch.nn.functional as F

from vla_accel_ros.engines.programs.call import Call
from vla_accel_ros.engines.programs.interleaved import CrossPrefix, InterleavedStep
from vla_accel_ros.engines.programs.vision import Vision
from vla_accel_ros.layers.connector import Connector
from vla_accel_ros.layers.flow_time import embed_times
from vla_accel_ros.layers.interleaved import InterleavedExpert, Looks
from vla_accel_ros.layers.memory import Memory
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.vla import VLA


class SmolVLA(VLA):
    """The model.

    Args:
        config: Its shape; its head a `SmolVLAConfig`.
    """

    def __init__(self, config: VLAConfig) -> None:
        super().__init__(config)
        own, decoder = config.head, config.decoder
        width = own.expert_width
        self.projector = Connector(config.feature_width, decoder.width)
        self.state_proj = nn.Linear(own.state_width, decoder.width)
        self.action_in_proj = nn.Linear(own.action_width, width)
        self.action_time_mlp_in = nn.Linear(2 * width, width)
        self.action_time_mlp_out = nn.Linear(width, width)
        self.action_out_proj = nn.Linear(width, own.action_width)
        self.expert = InterleavedExpert(own.expert(decoder), own.cross(decoder.layers))

    def embed_sequence(self, input_ids: Tensor, visual: Tensor, state: Tensor) -> Tensor:
        """Put the whole sequence together.

        Visual tokens and words are scaled by the root of the width, the state is not.

        Args:
            input_ids: int [B, T].
            visual: [B, N, width], all visual tokens or those that are left.
            state: [B, numbers], normalised, of the robot's width.

        Returns:
            [B, N + T + 1, width].
        """
        words = self.language_model.model.embed_tokens(input_ids)
        seen = torch.cat([visual.to(words.dtype), words], dim=1) * words.shape[-1] ** 0.5
        padded = F.pad(state.to(words.dtype), (0, self.config.head.state_width - state.shape[-1]))
        return torch.cat([seen, self.state_proj(padded)[:, None]], dim=1)

    def vision_of_one(self) -> Vision:
        """Give the program of the tower over one image, for a camera by itself."""
        return Vision(self.vision_backbone, ((0,),), shuffle=self.config.shuffle)

    def sequence(self) -> Call:
        """Give the program that puts the whole sequence together."""
        return Call('sequence', self.embed_sequence, ('ids', 'visual', 'state'), 'x')

    def embed_actions(self, noisy: Tensor, time: Tensor) -> Tensor:
        """Give the expert's rows.

        Args:
            noisy: [B, chunk, action width].
            time: [B or 1, expert width], the embedded time.

        Returns:
            [B, chunk, expert width].
        """
        actions = self.action_in_proj(noisy)
        both = torch.cat([actions, time[:, None].to(actions.dtype).expand_as(actions)], dim=-1)
        return self.action_time_mlp_out(F.silu(self.action_time_mlp_in(both)))

    def embed_times(self, times: Tensor) -> Tensor:
        """Embed times [n]; give [n, expert width] where the model is and of its type."""
        own = self.config.head
        made = embed_times(times, own.expert_width, own.min_period, own.max_period)
        return made.to(self.device, self.dtype)

    def cross_prefix(self, held: tuple[int, ...] | None = None) -> CrossPrefix:
        """Give the program that projects the prefix for the cross layers."""
        return CrossPrefix(self.expert, held)

    def step(
        self, taps: tuple[int, ...] = (), held: tuple[int, ...] | None = None
    ) -> InterleavedStep:
        """Give the program of one denoising step."""
        return InterleavedStep(self.velocity, self.expert.cross, taps, held)

    def velocity(
        self,
        noisy: Tensor,
        time: Tensor,
        positions: Tensor,
        prefix: Memory,
        taps: Collection[int] = (),
    ) -> tuple[Tensor, Looks]:
        """Give the velocity of a noisy chunk.

        Args:
            noisy: [B, chunk, action width].
            time: As for `embed_actions`.
            positions: int [chunk], those behind the prefix.
            prefix: As for `InterleavedExpert`.
            taps: Layers, counted from 1, whose queries are wanted.

        Returns:
            [B, chunk, action width], and what `InterleavedExpert` gives of tapped layers.
        """
        rows, looks = self.expert(self.embed_actions(noisy, time), positions, prefix, taps)
        return self.action_out_proj(rows), looks
