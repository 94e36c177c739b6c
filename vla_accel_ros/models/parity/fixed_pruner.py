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

"""A pruning method that keeps what it is told, for comparisons with an original."""

from __future__ import annotations

from torch import Tensor

from vla_accel_ros.pruning.base import Pruner, Scores
from vla_accel_ros.pruning.interface import Layout, Needs, Scene
from vla_accel_ros.pruning.parameters import Parameters


class FixedPruner(Pruner[Parameters]):
    """Keep given visual tokens after a given layer.

    Args:
        layout: Where the visual tokens come from.
        mask: bool [cameras, tokens], those that are kept.
        layer: The layer after which the others are dropped; 0 for before the decoder.
        decode: Layers whose scores of the action rows are wanted.
    """

    name = 'fixed'
    Parameters = Parameters

    def __init__(
        self, layout: Layout, mask: Tensor, layer: int, decode: tuple[int, ...] = ()
    ) -> None:
        self._mask, self._drop_layer, self._wanted = mask, layer, decode
        super().__init__(None, layout)

    def _plan(self, scene: Scene) -> Needs:
        return Needs(drops=(self._drop_layer,), decode=self._wanted)

    def _projected(self, distances: Tensor | None, pivots: Tensor | None) -> Tensor | None:
        return self._mask if self._drop_layer == 0 else None

    def _layer(self, layer: int, scores: Scores) -> Tensor | None:
        return self._mask if layer == self._drop_layer else None
