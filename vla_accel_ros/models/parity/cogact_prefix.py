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

"""What a CogACT fixture stores of towers and language model, computed by our programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from vla_accel_ros.engines.eager import EAGER
from vla_accel_ros.engines.interface import call
from vla_accel_ros.engines.programs.decoder import Span
from vla_accel_ros.engines.programs.vision import PatchAttention
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.heads.interface import Ask
from vla_accel_ros.models.heads.prefix import run_prefix
from vla_accel_ros.models.layout import layout_of
from vla_accel_ros.models.vla import VLA
from vla_accel_ros.pruning.base import Pruner
from vla_accel_ros.pruning.interface import Needs, Scene
from vla_accel_ros.pruning.parameters import Parameters
from vla_accel_ros.pruning.scores import attention_rows

TOWERS = ('dino', 'siglip')


class KeepThese(Pruner[Parameters]):
    """Keep the tokens that are named, after a layer that is named.

    Args:
        config: The model's.
        ids: int [n], the tokens, ascending.
        layer: The layer, 0 for before the decoder.
    """

    name = 'keep_these'
    Parameters = Parameters

    def __init__(self, config: VLAConfig, ids: np.ndarray, layer: int) -> None:
        super().__init__(None, layout_of(config))
        self._drop_at = layer
        self._mask = torch.zeros(self.layout.cameras, self.layout.tokens, dtype=torch.bool)
        self._mask.view(-1)[torch.from_numpy(ids)] = True

    def _plan(self, scene: Scene) -> Needs:
        return Needs(drops=(self._drop_at,))

    def _projected(self, distances: Tensor | None, pivots: Tensor | None) -> Tensor | None:
        return None if self._drop_at else self._mask

    def _layer(self, layer: int, scores: object) -> Tensor | None:
        return self._mask if layer == self._drop_at else None


def feature(model: VLA, ask: Ask, pruner: Pruner) -> Tensor:
    """Give the cognition feature [1, width], as a robot's answer is made from it."""

    def new_cache(length: int):
        return model.new_cache(length)

    return run_prefix(model, ask, pruner, new_cache, read=1, last_is_action=True).hidden[:, -1]


def towers(model: VLA, pixels: Tensor) -> dict[str, Tensor]:
    """Give the features of each tower and what the projector makes of them."""
    config = model.config
    features = call(EAGER, model.vision(), {'pixels': pixels})['features']
    widths = [config.towers[t].width for t in config.image_towers[0]]
    found = dict(zip(TOWERS, features[0].split(widths, dim=-1), strict=True))
    found['projector'] = call(EAGER, model.projection(), {'features': features})['visual'][0]
    return found


def whole_towers(config: VLAConfig) -> VLAConfig:
    """Give a configuration in which every block of the towers runs."""
    whole = tuple(replace(tower, feature_block=tower.depth - 1) for tower in config.towers)
    return replace(config, towers=whole)


def received(model: VLA, pixels: Tensor) -> Tensor:
    """Give what the patches receive in each block of the last tower, [blocks, patches].

    Args:
        model: One of `whole_towers`; it is cut down on the way.
        pixels: [1, channels, H, W].
    """
    tower = model.vision_backbone.tower(model.config.image_towers[0][-1])
    rows = []
    for block in reversed(range(len(tower.blocks))):
        tower.blocks = tower.blocks[: block + 1]
        seen = call(EAGER, model.vision(attention=True), {'pixels': pixels})
        seen.pop('features')
        rows.append(call(EAGER, PatchAttention(model.prefixes), seen)['received'][0])
    return torch.stack(rows[::-1])


def layers(model: VLA, ask: Ask) -> dict[str, Tensor]:
    """Give the input of each decoder layer, and what is looked at in it.

    Returns:
        `hidden` [layers + 1, S, width], the last one after the final norm; `attn_cognition`
        [layers, heads, S], `attn_text_mean` and `attn_received` [layers, S].
    """
    config, decoder = model.config, model.language_model.model
    visual = call(EAGER, model.vision(), {'pixels': ask.pixels})['features']
    visual = call(EAGER, model.projection(), {'features': visual})['visual']
    x = call(EAGER, model.prompt(), {'ids': ask.ids, 'visual': visual})['x']
    places, depth = torch.arange(x.shape[1]), config.decoder.layers
    text = ask.ids.shape[1] - 1
    hidden, looks = [x], []
    for layer in range(depth):
        final = layer + 1 == depth
        given = {'x': x, 'positions': places} | ({'rows': places} if final else {})
        done = call(EAGER, Span(decoder, layer, layer + 1, norm=final, taps=(layer + 1,)), given)
        x = done['x']
        hidden.append(x)
        looks.append(
            attention_rows(done[f'queries.{layer + 1}'][0], done['new'][0, 0, 0], places, places)
        )
    weights = torch.stack(looks)
    return {
        'hidden': torch.cat(hidden),
        'attn_cognition': weights[:, :, -1],
        'attn_text_mean': weights[:, :, -text:].mean((1, 2)),
        'attn_received': weights.mean((1, 2)),
    }


def plain(found: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    """Give tensors as arrays."""
    return {name: tensor.numpy() for name, tensor in found.items()}
