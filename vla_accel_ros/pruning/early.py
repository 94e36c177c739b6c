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


"""Methods that choose from what the towers show, and may drop early."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from torch import Tensor

from vla_accel_ros.options import option
from vla_accel_ros.pruning.base import Pruner, Scores
from vla_accel_ros.pruning.interface import Needs, Scene
from vla_accel_ros.pruning.parameters import Parameters, auto_layer, layer_option

IN_TOWERS, BEFORE_PROJECTOR = 'in_towers', 'before_projector'
BEFORE_LLM, AFTER_LAYER = 'before_llm', 'after_layer'


@dataclass(frozen=True, kw_only=True)
class EarlyParameters(Parameters):
    """Where a method that chooses early drops.

    Before the projector and before the decoder the decoder sees the same tokens, for the
    projector works on each alone; the former spares the projector too. In the towers (ours) the
    patches of a dropped token are spared the blocks that follow, and the others no longer see
    them: what is left is not what it would have been.
    """

    place: str = option(
        BEFORE_PROJECTOR,
        'where tokens are dropped',
        choices=(BEFORE_PROJECTOR, BEFORE_LLM, AFTER_LAYER, IN_TOWERS),
    )
    layer: int = layer_option(2)
    tower_block: int = option(
        0,
        'block of the towers after which tokens are dropped in them; 0: at a quarter of them',
        range=(0, 1024),
    )


E = TypeVar('E', bound=EarlyParameters)


class EarlyPruner(Pruner[E]):
    """Choose once the towers have run and drop at the place that the parameters say."""

    def _bind(self, parameters: E) -> None:
        layer = auto_layer('layer', parameters.layer, 2, self.layout.layers, self.last_drop)
        self._drop_layer = layer if parameters.place == AFTER_LAYER else 0
        self._tower_block = 0
        if parameters.place == IN_TOWERS:
            self._tower_block = self._block(parameters.tower_block)

    def _block(self, asked: int) -> int:
        last = self.layout.tower_blocks - 1
        if not asked and last:
            return max(1, self.layout.tower_blocks // 4)
        if not 1 <= asked <= last:
            raise ValueError(
                f'tower_block is {asked}, expected 1 to {last}: the towers run '
                f'{self.layout.tower_blocks} blocks'
            )
        return asked

    def _forget(self) -> None:
        self._mask: Tensor | None = None

    def _plan(self, scene: Scene) -> Needs:
        self._mask = None
        return Needs(
            tower_attention=self._prepare(scene),
            tower_drop=self._tower_block,
            drops=(self._drop_layer,),
        )

    def _towers(self, received: Tensor | None) -> Tensor | None:
        self._mask = self._choose(received)
        return self._mask if self.parameters.place in (IN_TOWERS, BEFORE_PROJECTOR) else None

    def _projected(self, distances: Tensor | None, pivots: Tensor | None) -> Tensor | None:
        return self._mask if self.parameters.place == BEFORE_LLM else None

    def _layer(self, layer: int, scores: Scores) -> Tensor | None:
        return self._mask if layer == self._drop_layer else None

    def _prepare(self, scene: Scene) -> bool:
        """Look at the scene; say whether the towers' attention is needed."""
        return False

    def _choose(self, received: Tensor | None) -> Tensor | None:
        """Give the tokens to keep, bool [cameras, tokens], None for all."""
        return None
