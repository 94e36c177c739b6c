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

"""What a SmolVLA fixture stores of the way from pixels to the prefix's keys and values."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from vla_accel_ros.engines.eager import EAGER
from vla_accel_ros.engines.interface import call
from vla_accel_ros.engines.programs.decoder import Span
from vla_accel_ros.engines.programs.flow import Velocity
from vla_accel_ros.engines.programs.half_towers import TowersBegin
from vla_accel_ros.engines.programs.vision import Vision
from vla_accel_ros.layers.cache import KVCache
from vla_accel_ros.models.families.smolvla.model import SmolVLA
from vla_accel_ros.models.heads.flow_head import FlowHead
from vla_accel_ros.pruning.scores import attention_rows

EVERY = 4
Arrays = dict[str, np.ndarray]
# The state's row.
APART = 1


def tower_arrays(
    model: SmolVLA, pixels: Tensor, like: Mapping[str, np.ndarray], at: str
) -> Arrays:
    """Give what the tower makes of one image, block by block.

    Args:
        model: The model.
        pixels: [1, 3, H, W].
        like: The stored arrays, of which only names are taken.
        at: How the arrays' names end.
    """
    names = f'vision_hidden_{at}', f'vision_last_{at}'
    if not {*names} & {*like}:
        return {}
    backbone, tower = model.vision_backbone, model.vision_backbone.tower(0)
    hidden = [tower.embed(pixels)]
    for block in range(1, len(tower.blocks) + 1):
        part = TowersBegin(backbone, ((0,),), block)
        hidden.append(call(EAGER, part, {'pixels': pixels})['rows.0.0'])
    last = call(EAGER, Vision(backbone, ((0,),)), {'pixels': pixels})['features'][0]
    every = torch.cat([rows[:, ::EVERY] for rows in hidden])
    return dict(zip(names, (every.numpy(), last.numpy()), strict=True))


class Prefix:
    """The prompt's pass of one case, by the programs that run on a robot, a layer at a time.

    Args:
        model: The model.
        x: [1, n, width], the valid rows.
        positions: int [n].
        drop: Layers after which only `stay` is left; None for no drop.
        stay: int [m], the rows of x that are left.

    Attributes:
        hidden: Input of each layer, and what the final norm gives, each [1, n, width].
        weights: Of each layer, float [heads, n, n], what each row looks at.
        cache: Keys and values.
    """

    def __init__(
        self,
        model: SmolVLA,
        x: Tensor,
        positions: Tensor,
        drop: int | None = None,
        stay: Tensor | None = None,
    ) -> None:
        decoder = model.language_model.model
        layers = decoder.config.layers
        self.cache: KVCache = model.new_cache(x.shape[1] + model.config.head.chunk)
        self.hidden, self.weights = [x], []
        for layer in range(layers):
            narrowed = layer == drop and stay is not None
            if narrowed:
                positions = positions[stay]
            final, count = layer + 1 == layers, len(positions)
            given = {'x': x, 'positions': positions}
            given |= {'stay': stay} if narrowed else {}
            given |= {'rows': torch.arange(count)} if final else {}
            span = Span(
                decoder, layer, layer + 1, False, narrowed, final, (layer + 1,), apart=APART
            )
            room = self.cache.room(layer, layer + 1, count)
            done = call(EAGER, span, given, {'new': room})
            self.cache.grow(count, layer, layer + 1)
            x = done['x']
            self.hidden.append(x)
            self.weights.append(_looks(done[f'queries.{layer + 1}'][0], done['new'][0, 0, 0]))

    def arrays(self, text: int) -> Arrays:
        """Give the arrays of a whole prefix.

        Args:
            text: Rows of the prompt.
        """
        keys, values = self._keys_and_values()
        weights = torch.stack(self.weights)
        asked = slice(-APART - text, None)
        found = {
            'prefix_hidden': torch.cat(self.hidden),
            'prefix_keys': keys,
            'prefix_values': values,
            'attn_text_rows_mean_heads': weights[:, :, asked].mean(1),
            'attn_last_text': weights[:, :, -APART - 1],
            'attn_state': weights[:, :, -1],
            'attn_received': weights.mean((1, 2)),
        }
        return {name: value.numpy() for name, value in found.items()}

    def _keys_and_values(self) -> tuple[Tensor, Tensor]:
        held = torch.stack([self.cache.of_layer(layer) for layer in range(len(self.weights))])
        keys, values = held[:, :, 0].transpose(2, 3).unbind(1)
        return keys, values


def _looks(queries: Tensor, keys: Tensor) -> Tensor:
    """Give attention weights [heads, n, n]; nobody but the state's row sees that row."""
    seen = attention_rows(queries[:, :-APART], keys[:, :-APART])
    whole = attention_rows(queries[:, -APART:], keys)
    return torch.cat([torch.nn.functional.pad(seen, (0, APART)), whole], dim=1)


class Steps:
    """Velocities over a prefix, by the programs that run on a robot.

    Args:
        head: Of the model; it says how times are told.
        prefix: Its cache; that of the cross layers is projected here.
        begin: Position of the first action.
    """

    def __init__(self, head: FlowHead, prefix: Prefix, begin: int) -> None:
        self._head, self._network, self._cache = head, head.network, prefix.cache
        self._position = torch.tensor([begin])
        change = self._network.prepared(prefix.cache.held)
        if change is not None:
            room = {'store': prefix.cache.store}
            call(EAGER, change, room, room)

    def velocity(self, noisy: Tensor, time: float) -> Tensor:
        """Give the velocity [1, chunk, numbers] at a time."""
        return self._at(noisy, self._head.conditions([time])[0])

    def _at(self, noisy: Tensor, condition: Tensor) -> Tensor:
        cache = self._cache
        given = {'x': noisy, 'condition': condition, 'position': self._position}
        given |= {'store': cache.store, 'lengths': cache.lengths}
        return call(EAGER, Velocity(self._network, (), cache.held), given)['velocity']

    def run(self, noise: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Take all steps; give the states before each, the last one behind, and the velocities."""
        plan = self._head.plan(noise, self._head.model.config.head.steps)
        states, velocities = [noise], []
        for condition in plan.conditions:
            velocities.append(self._at(states[-1], condition))
            states.append(states[-1] + velocities[-1] * plan.step)
        return states, velocities
