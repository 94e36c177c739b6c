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

"""How much attention visual tokens receive from the action rows of a denoising step."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vla_accel_ros.engines.interface import Tensors
from vla_accel_ros.engines.programs.decoder import tap_names
from vla_accel_ros.engines.programs.scores import ACTIONS, named, score_names
from vla_accel_ros.pruning.scores import attention_rows, token_scores


@dataclass(frozen=True)
class FlowScores:
    """Attention from action rows, which see the prefix and, of one another, all or those before.

    In: of each layer `queries.l` [1, heads, n, head width] and `new` [slots, 2, 1, kv heads, n,
    head width] as `flow.Velocity` gives them; `past.l` [2, 1, kv heads, m, head width], what the
    layer holds; `ids.l` int [v], the visual tokens in it, behind its `before` first rows. Out, of
    each layer: `received.l.actions` float32 [cameras, tokens], `present.l.actions` bool.

    Attributes:
        layers: Counted from 1.
        cameras: Cameras.
        tokens: Visual tokens of one camera.
        before: Rows in front of the visual tokens.
        causal: Whether an action sees itself and those before it, or all of its chunk.
    """

    layers: tuple[int, ...]
    cameras: int
    tokens: int
    before: int
    causal: bool = False
    name = 'flow_scores'

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the tensors that go in."""
        kinds = [f'{kind}.{layer}' for layer in self.layers for kind in ('past', 'ids')]
        return (*tap_names(self.layers), 'new', *kinds)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the tensors that come out."""
        return tuple(name for layer in self.layers for name in score_names(layer, ACTIONS))

    def run(self, given: Tensors, room: Tensors) -> dict[str, Tensor]:
        """Score each layer; see `Program.run`."""
        result: dict[str, Tensor] = {}
        for layer in self.layers:
            keys = torch.cat([given[f'past.{layer}'][0, 0], given['new'][layer - 1, 0, 0]], 1)
            queries = given[f'queries.{layer}'][0]
            places = torch.arange(keys.shape[1], device=keys.device) if self.causal else None
            rows = None if places is None else places[-queries.shape[1] :]
            weights = attention_rows(queries, keys, rows, places, doubtful=queries.shape[1])
            ids = given[f'ids.{layer}']
            scores = token_scores(weights, self.before, ids, self.cameras, self.tokens)
            result |= named(layer, ACTIONS, scores)
        return result
