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

from collections.abc import Iterator

import torch
from torch import Tensor, nn
import torch.nn.functional as F

from vla_accel_ros.engines.interface import Program
from vla_accel_ros.engines.programs.call import Call
from vla_accel_ros.engines.programs.decoder import Span
from vla_accel_ros.engines.programs.flow import Velocity
from vla_accel_ros.engines.programs.interleaved import CrossPrefix
from vla_accel_ros.engines.programs.vision import Vision
from vla_accel_ros.layers.connector import Connector
from vla_accel_ros.layers.interleaved import InterleavedExpert
from vla_accel_ros.layers.memory import Memory
from vla_accel_ros.layers.shapes import DecoderConfig
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.families.smolvla.config import SmolVLAConfig
from vla_accel_ros.models.vla import VLA


class SmolVLAFlow(nn.Module):
    """The action expert and what is around it; see `engines.programs.flow.FlowNetwork`.

    Args:
        config: The family's part.
        memory: Shape of the language model, whose keys and values are read.
    """

    causal, before, columns, wide_conditions = True, 0, 0, True

    def __init__(self, config: SmolVLAConfig, memory: DecoderConfig) -> None:
        super().__init__()
        width = config.expert_width
        self.memory, self.width = memory, width
        self.rows, self.numbers = config.chunk, config.numbers
        self.expert = InterleavedExpert(config.expert(memory), config.cross(memory.layers))
        self.action_in_proj = nn.Linear(config.numbers, width)
        self.action_time_mlp_in = nn.Linear(2 * width, width)
        self.action_time_mlp_out = nn.Linear(width, width)
        self.action_out_proj = nn.Linear(width, config.numbers)

    @property
    def condition(self) -> tuple[int, ...]:
        """Shape of one of what `conditions` gives."""
        return (self.width,)

    def conditions(self, embedded: Tensor) -> Tensor:
        """See `FlowNetwork.conditions`.

        Returns:
            [n, width], the time's share of the layer that mixes it with the actions.
        """
        mixed = self.action_time_mlp_in
        return F.linear(embedded.to(mixed.weight.dtype), mixed.weight[:, self.width :], mixed.bias)

    def embed_actions(self, x: Tensor, condition: Tensor) -> Tensor:
        """Give the rows [B, n, width] of noisy actions [B, n, numbers]."""
        weight = self.action_time_mlp_in.weight[:, : self.width]
        rows = F.linear(self.action_in_proj(x.to(weight.dtype)), weight) + condition
        kind = self.expert.layers[0].self_attn.q_proj.weight.dtype
        return self.action_time_mlp_out(F.silu(rows)).to(kind)

    def prepared(self, held: tuple[int, ...] | None = None) -> CrossPrefix | None:
        """Give the program that projects the prefix for the cross layers, if there are any."""
        return CrossPrefix(self.expert, held) if self.expert.cross else None

    def leading(self, state: Tensor, position: Tensor, memory: Memory) -> None:
        """No rows stand in front of the actions; see `FlowNetwork.leading`."""

    def velocity(
        self,
        x: Tensor,
        condition: Tensor,
        position: Tensor,
        memory: Memory,
        taps: tuple[int, ...] = (),
        collect: list[Tensor] | None = None,
    ) -> tuple[Tensor, dict[int, Tensor]]:
        """See `FlowNetwork.velocity`; `collect` receives the layers' inputs and the last rows."""
        count = x.shape[1]
        memory.begin(count)
        places = position + torch.arange(count, device=x.device)
        rows, queries = self.expert(
            self.embed_actions(x, condition), places, memory, taps, collect
        )
        if collect is not None:
            collect.append(rows)
        rows = rows.to(self.action_out_proj.weight.dtype)
        return self.action_out_proj(rows).to(x.dtype), queries


class SmolVLA(VLA):
    """The model.

    Args:
        config: Its shape; its head a `SmolVLAConfig`.
    """

    def __init__(self, config: VLAConfig) -> None:
        super().__init__(config)
        own, decoder = config.head, config.decoder
        self.projector = Connector(config.feature_width, decoder.width)
        self.state_proj = nn.Linear(own.state_width, decoder.width)
        self.flow = SmolVLAFlow(own, decoder)

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
        kind = self.state_proj.weight.dtype
        padded = F.pad(state.to(kind), (0, self.config.head.state_width - state.shape[-1]))
        return torch.cat([seen, self.state_proj(padded)[:, None].to(seen.dtype)], dim=1)

    def prompt(self) -> Call:
        """Give the program that puts the whole sequence together."""
        return Call('prompt', self.embed_sequence, ('ids', 'visual', 'state'), 'x')

    def usual(self) -> Iterator[Program]:
        """Give the programs behind the projector; see `VLA.usual`."""
        layers, apart = self.config.decoder.layers, self.config.head.apart
        yield Span(self.language_model.model, 0, layers, causal=False, keys_only=True, apart=apart)
        yield Velocity(self.flow)
        if self.config.head.prefix_rows:
            yield Velocity(self.flow, by_row=True)

    def vision_of_one(self) -> Vision:
        """Give the program of the tower over one image, for a camera by itself."""
        return Vision(self.vision_backbone, ((0,),), shuffle=self.config.shuffle)
