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

"""What the action-decoding queries look at, gathered over prefill and passes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from vla_accel_ros.engines.programs.scores import ActionScores
from vla_accel_ros.layers.cache import KVCache
from vla_accel_ros.pruning.interface import Layout


class ActionRows:
    """Gather the queries of answer positions, pass by pass.

    Where a position is computed again, after a refused draft, the last pass counts.

    Args:
        layers: Layers to gather, counted from 1; with none it costs nothing.
    """

    def __init__(self, layers: Sequence[int]) -> None:
        self.layers = tuple(layers)
        self._passes: list[dict[int, Tensor]] = []
        self._latest: dict[int, tuple[int, int]] = {}

    def add(self, first: int, count: int, queries: dict[int, Tensor]) -> None:
        """Take in a pass.

        Args:
            first: Absolute position of its first row.
            count: Rows.
            queries: Of each layer [1, heads, count, head width], rotated.
        """
        if self.layers:
            self._latest |= {first + row: (len(self._passes), row) for row in range(count)}
            self._passes.append(queries)

    def score(
        self,
        first: int,
        count: int,
        cache: KVCache,
        prompt_positions: Sequence[Tensor],
        ids: Sequence[Tensor],
        layout: Layout,
    ) -> tuple[ActionScores, dict[str, Tensor]]:
        """Give the program that scores the rows of an answer, and its inputs.

        Args:
            first: Position of the query whose output is the first action token.
            count: Action tokens.
            cache: As decoding left it.
            prompt_positions: For each layer, positions of the prompt's keys.
            ids: For each layer, the visual tokens among them.
            layout: Where they come from.
        """
        wanted = [position for position in range(first, first + count) if position in self._latest]
        pieces: list[tuple[int, int, int]] = []
        for index, row in (self._latest[position] for position in wanted):
            if pieces and pieces[-1][0] == index and pieces[-1][2] == row:
                pieces[-1] = index, pieces[-1][1], row + 1
            else:
                pieces.append((index, row, row + 1))
        # One behind the other, for so are the places of an answer that were run.
        given = {'positions': torch.arange(wanted[0], wanted[-1] + 1, device=ids[0].device)}
        for layer in self.layers:
            rows = [self._passes[index][layer][:, :, a:b] for index, a, b in pieces]
            given |= {
                f'queries.{layer}': torch.cat(rows, dim=2),
                f'past.{layer}': cache.of_layer(layer - 1),
                f'prompt.{layer}': prompt_positions[layer - 1],
                f'ids.{layer}': ids[layer - 1],
            }
        return ActionScores(self.layers, layout.cameras, layout.tokens), given
