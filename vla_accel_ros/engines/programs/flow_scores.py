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

"""What the actions of a flow policy look at, from the queries of all denoising steps."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vla_accel_ros.engines.interface import Tensors
from vla_accel_ros.engines.programs.scores import ACTIONS, named, score_names
from vla_accel_ros.pruning.scores import token_scores


@dataclass(frozen=True)
class FlowScores:
    """How much attention visual tokens receive from the action rows, mean over all steps.

    In, of each layer: `queries.l` [steps, heads, chunk, head width] and `own.l` [steps, kv heads,
    chunk, head width], the actions' keys, both rotated; `past.l` [2, 1, kv heads, n, head width],
    keys and values of the prefix; `ids.l` int [m], the visual tokens among them, ascending. Out,
    of each layer: `received.l.actions` float32 [cameras, tokens], `present.l.actions` bool.

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
    causal: bool
    name = 'flow_scores'

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the tensors that go in."""
        kinds = ('queries', 'own', 'past', 'ids')
        return tuple(f'{kind}.{layer}' for layer in self.layers for kind in kinds)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the tensors that come out."""
        return tuple(name for layer in self.layers for name in score_names(layer, ACTIONS))

    def run(self, given: Tensors, room: Tensors) -> dict[str, Tensor]:
        """Score each layer; see `Program.run`."""
        result: dict[str, Tensor] = {}
        for layer in self.layers:
            weights = self._weights(
                given[f'queries.{layer}'], given[f'own.{layer}'], given[f'past.{layer}'][0, 0]
            )
            ids = given[f'ids.{layer}']
            flat = weights.flatten(0, 1)
            scores = token_scores(flat, self.before, ids, self.cameras, self.tokens)
            result |= named(layer, ACTIONS, scores)
        return result

    def _weights(self, queries: Tensor, own: Tensor, keys: Tensor) -> Tensor:
        """Give weights [steps, kv heads, rows, n + chunk] over the prefix and the actions."""
        steps, _, chunk, width = queries.shape
        grouped = (queries * width**-0.5).reshape(steps, len(keys), -1, width)
        before, among = grouped @ keys.transpose(-1, -2), grouped @ own.transpose(-1, -2)
        if self.causal:
            places = torch.arange(chunk, device=queries.device)
            rows = places.repeat(grouped.shape[2] // chunk)
            among = among.masked_fill(places > rows[:, None], float('-inf'))
        return torch.cat([before, among], dim=-1).float().softmax(-1)
