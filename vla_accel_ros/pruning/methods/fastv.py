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


"""FastV (arXiv 2403.06764): the tokens that receive most attention after an early layer."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from vla_accel_ros.options import option
from vla_accel_ros.pruning.base import Pruner, Scores
from vla_accel_ros.pruning.interface import Needs, Rows, Scene
from vla_accel_ros.pruning.parameters import Parameters, keep_option, layer_option, scored_layer
from vla_accel_ros.pruning.selection import top

# The two forms that FastV and VLA-Pruner have of a prefill score.
ROWS = {'all_rows': Rows.ALL, 'last_row': Rows.LAST}


@dataclass(frozen=True, kw_only=True)
class FastVParameters(Parameters):
    """Parameters of FastV."""

    keep: float = keep_option()
    layer: int = layer_option(2)
    rows: str = option(
        'last_row',
        'whose attention counts: that of all rows, or of the last prompt row',
        choices=tuple(ROWS),
    )


class FastVPruner(Pruner[FastVParameters]):
    """Keep the top tokens of all cameras together by one layer's attention."""

    name = 'fastv'
    Parameters = FastVParameters

    def _bind(self, parameters: FastVParameters) -> None:
        self._drop_layer = scored_layer('layer', parameters.layer, 2, self.layout, self.last_drop)

    def _plan(self, scene: Scene) -> Needs:
        layer = self._drop_layer
        return Needs(layers={layer: (ROWS[self.parameters.rows],)}, drops=(layer,))

    def _layer(self, layer: int, scores: Scores) -> Tensor | None:
        if layer != self._drop_layer:
            return None
        received = scores[ROWS[self.parameters.rows]].received
        if not self._usable(received):
            return None
        return top(received.flatten(), self._budget(self.parameters.keep)).view_as(received)
