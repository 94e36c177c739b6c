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


"""VLA-InfoEntropy (arXiv 2604.05323): textured patches first, what the words look at later.

Two scores of a visual token: the entropy of its patch's grey levels, and how few words of the
prompt the attention that it receives comes from. Kept is the union of the highest of both. At the
beginning of an episode most of the budget goes to texture, later most of it to attention.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vla_accel_ros.options import option
from vla_accel_ros.pruning.base import Pruner, Scores
from vla_accel_ros.pruning.interface import Needs, Rows, Scene
from vla_accel_ros.pruning.parameters import Parameters, keep_option, layer_option, scored_layer
from vla_accel_ros.pruning.selection import extend, top
from vla_accel_ros.pruning.texture import grey_entropy


@dataclass(frozen=True, kw_only=True)
class InfoEntropyParameters(Parameters):
    """Parameters of VLA-InfoEntropy."""

    keep: float = keep_option()
    layer: int = layer_option(2)
    texture_first: float = option(
        0.75, 'share of the budget by texture at the first inference of an episode', range=(0, 1)
    )
    texture_last: float = option(
        0.25, 'share of the budget by texture from the `horizon` on', range=(0, 1)
    )
    horizon: int = option(
        40, 'inferences in which the share goes from first to last', range=(1, 100000)
    )


class InfoEntropyPruner(Pruner[InfoEntropyParameters]):
    """Keep what is textured and what single words look at, after an early decoder layer."""

    name = 'info_entropy'
    Parameters = InfoEntropyParameters

    def _bind(self, parameters: InfoEntropyParameters) -> None:
        self._drop_layer = scored_layer('layer', parameters.layer, 2, self.layout, self.last_drop)

    def _forget(self) -> None:
        self._inferences = 0
        self._texture: Tensor | None = None

    def _plan(self, scene: Scene) -> Needs:
        self._texture = torch.from_numpy(grey_entropy(scene.images, self.layout))
        self._inferences += 1
        if not self._usable(self._texture):
            self._texture = None
            return Needs()
        layer = self._drop_layer
        return Needs(layers={layer: (Rows.TEXT,)}, focus=(layer,), drops=(layer,))

    def _layer(self, layer: int, scores: Scores) -> Tensor | None:
        if layer != self._drop_layer or self._texture is None or Rows.TEXT not in scores:
            return None
        focus = scores[Rows.TEXT].focus
        if focus is None or not self._usable(focus):
            return None
        p = self.parameters
        along = min((self._inferences - 1) / p.horizon, 1.0)
        share = p.texture_first + (p.texture_last - p.texture_first) * along
        count = self._budget(p.keep)
        textured = round(share * count)
        union = top(self._texture.flatten(), textured) | top(focus.flatten(), count - textured)
        return extend(union.view_as(focus), focus, count)
