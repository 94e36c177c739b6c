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

"""pi0 and pi0.5: PaliGemma's prefix, and an action expert that denoises over it.

The prefix is [views | text], one block in which every row sees every other one. The rows of the
expert follow it: pi0's state, which sees the prefix and itself, then the actions, which see all.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
import torch.nn.functional as F

from vla_accel_ros.engines.interface import Program
from vla_accel_ros.engines.programs.decoder import Span
from vla_accel_ros.engines.programs.flow import Leading, Velocity
from vla_accel_ros.layers.expert import Expert
from vla_accel_ros.layers.memory import Memory
from vla_accel_ros.layers.shapes import DecoderConfig
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.families.pi0.config import Pi0Config
from vla_accel_ros.models.vla import VLA


class Pi0Flow(nn.Module):
    """The action expert and what is around it; see `engines.programs.flow.FlowNetwork`.

    Args:
        config: The family's part.
        memory: Shape of the language model, whose keys and values are read.
    """

    def __init__(self, config: Pi0Config, memory: DecoderConfig) -> None:
        super().__init__()
        width = config.expert.width
        self.memory, self.before, self.width = memory, config.leading, width
        self.adaptive, self.columns = config.adaptive, config.state
        self.rows, self.numbers = config.chunk, config.numbers
        self.wide_conditions = not config.adaptive
        self.expert = Expert(config.expert, width if config.adaptive else 0)
        self.action_in_proj = nn.Linear(config.numbers, width)
        self.action_out_proj = nn.Linear(width, config.numbers)
        if config.state:
            self.state_proj = nn.Linear(config.state, width)
        if config.adaptive:
            self.time_mlp_in = nn.Linear(width, width)
            self.time_mlp_out = nn.Linear(width, width)
        else:
            self.action_time_mlp_in = nn.Linear(2 * width, width)
            self.action_time_mlp_out = nn.Linear(width, width)

    @property
    def condition(self) -> tuple[int, ...]:
        """See `FlowNetwork.condition`."""
        width, layers = self.width, len(self.expert.layers)
        return (2 * layers + 1, 3 * width) if self.adaptive else (width,)

    @property
    def kind(self) -> torch.dtype:
        """Type of the expert's rows."""
        return self.expert.layers[0].self_attn.q_proj.weight.dtype

    causal = False

    def prepared(self, held: tuple[int, ...]) -> None:
        """See `FlowNetwork.prepared`."""

    def time_condition(self, embedded: Tensor) -> Tensor:
        """Give what adaptive norms are told of embedded times [n, width], [n, width]."""
        return F.silu(self.time_mlp_out(F.silu(self.time_mlp_in(embedded))))

    def conditions(self, embedded: Tensor) -> Tensor:
        """See `FlowNetwork.conditions`.

        Returns:
            Modulations [n, 2 * layers + 1, 3 * width] of adaptive norms; else [n, width], the
            time's share of the first layer that mixes it with the actions.
        """
        if self.adaptive:
            return self.expert.modulations(self.time_condition(embedded).to(self.kind))
        mixed = self.action_time_mlp_in
        return F.linear(embedded, mixed.weight[:, self.width :], mixed.bias)

    def embed_state(self, state: Tensor) -> Tensor:
        """Give the row [1, 1, width] of a state [1, columns]."""
        return self.state_proj(state.to(self.state_proj.weight.dtype))[:, None].to(self.kind)

    def embed_actions(self, x: Tensor, condition: Tensor) -> Tensor:
        """Give the rows [1, n, width] of noisy actions [1, n, numbers]."""
        rows = self.action_in_proj(x)
        if not self.adaptive:
            weight = self.action_time_mlp_in.weight[:, : self.width]
            rows = self.action_time_mlp_out(F.silu(F.linear(rows, weight) + condition))
        return rows.to(self.kind)

    def leading(self, state: Tensor, position: Tensor, memory: Memory) -> None:
        """See `FlowNetwork.leading`."""
        self.leading_rows(state, position, memory)

    def leading_rows(
        self,
        state: Tensor,
        position: Tensor,
        memory: Memory,
        taps: tuple[int, ...] = (),
        collect: list[Tensor] | None = None,
    ) -> tuple[Tensor, dict[int, Tensor]]:
        """Run the state's row; see `Expert.run` for what comes out."""
        x = self.embed_state(state)
        memory.begin(1)
        rope = self.expert.rope(position[None], x.dtype)
        return self.expert.run(x, rope, memory, None, taps, collect)

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
        rows, count = self.embed_actions(x, condition), x.shape[1]
        memory.begin(count)
        places = position + self.before + torch.arange(count, device=x.device)
        rope = self.expert.rope(places[None], rows.dtype)
        modulations = condition if self.adaptive else None
        rows, queries = self.expert.run(rows, rope, memory, modulations, taps, collect)
        if collect is not None:
            collect.append(rows)
        return self.action_out_proj(rows.to(self.action_out_proj.weight.dtype)).to(
            x.dtype
        ), queries


class Pi0(VLA):
    """The model.

    Args:
        config: Its shape; its head a `Pi0Config`.
    """

    def __init__(self, config: VLAConfig) -> None:
        super().__init__(config)
        self.flow = Pi0Flow(config.head, config.decoder)

    def usual(self) -> Iterator[Program]:
        """Give the programs behind the projector; see `VLA.usual`."""
        layers, causal = self.config.decoder.layers, self.config.head.causal
        yield Span(self.language_model.model, 0, layers, causal, keys_only=True)
        if self.flow.before:
            yield Leading(self.flow)
        yield Velocity(self.flow)
        if self.config.head.prefix_rows:
            yield Velocity(self.flow, by_row=True)
