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

"""Everything that a SmolVLA fixture stores, computed from its inputs by this package."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vla_accel_ros.engines.eager import EAGER
from vla_accel_ros.engines.interface import call
from vla_accel_ros.layers.flow_time import embed_times, euler_times
from vla_accel_ros.layers.memory import Held
from vla_accel_ros.models.families.smolvla.model import SmolVLA
from vla_accel_ros.models.heads.flow_head import FlowHead
from vla_accel_ros.models.parity.smolvla_prefix import (
    APART,
    EVERY,
    Arrays,
    Prefix,
    Steps,
    tower_arrays,
)
from vla_accel_ros.pruning.scores import attention_rows

# How a fixture thins out the rows of its second case.
THINNED = 7
JOINT_TIME = 0.6
LOOKS, LOOKING = {'t100': 1.0, 't035': 0.35}, (0, 5, 9)
TRAINED = 'train_actions'
SHIFTED = 'shifted_position_ids'


@dataclass(frozen=True, eq=False)
class Given:
    """What one case is asked.

    Attributes:
        name: Its letter.
        cameras: Names of the images.
        pixels: Of each, [1, 3, H, W].
        ids: The prompt's tokens.
        padded: Tokens that the fixture pads it to.
        padding: The token that it pads with.
        absent: Cameras that are not there.
        state: Normalised, of the robot's width.
        noise: [1, chunk, action width].
        kept: int [n], rows of images that stay where the prefix is pruned; None where it is not.
    """

    name: str
    cameras: Sequence[str]
    pixels: Sequence[Tensor]
    ids: Sequence[int]
    padded: int
    padding: int
    absent: int
    state: np.ndarray
    noise: Tensor
    kept: np.ndarray | None = None


def rows_looked_at(weights: np.ndarray, stored: np.ndarray | None) -> list[int]:
    """Say of which three actions a fixture stores what they look at.

    It does not say so itself: the first, the middle and the last one, or those of a fixed number.

    Args:
        weights: [heads, actions, columns] of all actions.
        stored: [heads, 3, columns].
    """
    last = weights.shape[1] - 1
    spread = [0, (last + 1) // 2, last]
    if stored is None or stored.shape != weights[:, spread].shape or last < LOOKING[-1]:
        return spread
    return min(spread, [*LOOKING], key=lambda rows: np.abs(weights[:, rows] - stored).max())


class Case:
    """The arrays of one case.

    Args:
        model: On the CPU, in float32 or float64.
        given: What is asked.
        inputs: `inputs.npz`.
        like: The stored arrays; only names and shapes are taken.
        unnormalise: From normalised actions [n, action width] to the robot's.
    """

    def __init__(
        self,
        model: SmolVLA,
        given: Given,
        inputs: Mapping[str, np.ndarray],
        like: Mapping[str, np.ndarray],
        unnormalise: Callable[[np.ndarray], np.ndarray],
    ) -> None:
        self._model, self._given, self._inputs, self._like = model, given, inputs, like
        self._unnormalise = unnormalise
        # Of no statistics: what it gives stays normalised.
        self._head = FlowHead(model, None, model.flow)
        tokens = model.config.tokens_per_image
        images = [True] * len(given.pixels) + [False] * given.absent
        words = np.arange(given.padded) < len(given.ids)
        self._images, self._words = np.array(images), words
        self._valid = np.concatenate([np.repeat(images, tokens), words, [True] * APART])
        self._rows = torch.from_numpy(np.flatnonzero(self._valid))

    def arrays(self) -> Arrays:
        """Give all arrays by name."""
        given, name = self._given, self._given.name
        ids = [*given.ids, *[given.padding] * (given.padded - len(given.ids))]
        starts = np.zeros(len(self._valid), bool)
        starts[-APART:] = True
        found: Arrays = {
            'token_ids': np.array(ids),
            'token_mask': self._words,
            'state_norm': given.state,
            'image_mask': self._images,
            'prefix_pad_mask': self._valid,
            'prefix_att_mask': starts,
            'prefix_positions': self._valid.cumsum() - 1,
        }
        found |= self._whole_prefix(torch.tensor([ids]))
        found |= self._actions()
        end = f'_{name}'
        result = {
            each if each.endswith(end) else each + end: array for each, array in found.items()
        }
        for camera, pixels in zip(given.cameras, given.pixels, strict=True):
            thin = pixels[0, :, ::EVERY, ::EVERY].numpy()
            result[f'pixels_{name}_{camera}_every{EVERY}'] = thin
            result |= tower_arrays(self._model, pixels, self._like, f'{name}_{camera}')
        if f'connector_{name}_shifted_ids' in self._like:
            result |= self._shifted()
        return {each: array for each, array in result.items() if each in self._like}

    # -- the prefix ------------------------------------------------------------------------------

    def _visual(self, pixels: Sequence[Tensor]) -> Tensor:
        """Give visual tokens [images, tokens, width], each image by itself."""
        model = self._model
        one = [call(EAGER, model.vision_of_one(), {'pixels': each})['features'] for each in pixels]
        return torch.cat([model.projector(each) for each in one])

    def _sequence(self, visual: Tensor, ids: Tensor) -> Tensor:
        state = torch.from_numpy(self._given.state)[None].to(self._model.dtype)
        given = {'ids': ids, 'visual': visual.flatten(0, 1)[None], 'state': state}
        return call(EAGER, self._model.prompt(), given)['x']

    def _whole_prefix(self, ids: Tensor) -> Arrays:
        """Give what has rows of absent cameras and of padding, too."""
        given = self._given
        empty = torch.full_like(given.pixels[0], -1.0)
        visual = self._visual([*given.pixels, *[empty] * given.absent])
        x = self._sequence(visual, ids)[0]
        stored = self._like.get(f'prefix_embs_{given.name}', x)
        return {
            'connector': visual.numpy(),
            'prefix_embs': (x if len(stored) == len(x) else x[::THINNED]).numpy(),
        }

    def _prefix(self, drop: int | None = None, kept: np.ndarray | None = None) -> Prefix:
        """Run the valid rows, of which those of images that are not kept may be dropped."""
        visual = self._visual(self._given.pixels)
        x = self._sequence(visual, torch.tensor([list(self._given.ids)]))
        positions = torch.arange(x.shape[1])
        if kept is None:
            return Prefix(self._model, x, positions)
        images = visual.shape[0] * visual.shape[1]
        stay = torch.cat([torch.from_numpy(kept), torch.arange(images, x.shape[1])])
        if drop == 0:
            return Prefix(self._model, x[:, stay], stay)
        return Prefix(self._model, x, positions, drop, stay)

    # -- actions ---------------------------------------------------------------------------------

    def _steps(self, prefix: Prefix) -> Steps:
        return Steps(self._head, prefix, len(self._rows))

    def _actions(self) -> Arrays:
        model, noise, flow = self._model, self._given.noise, self._model.flow
        prefix = self._prefix()
        found = prefix.arrays(len(self._given.ids))
        # From here on the cross layers' slots hold the projected prefix.
        steps = self._steps(prefix)
        states, velocities = steps.run(noise)
        times = [float(time) for time in self._inputs['timesteps']]
        head = model.config.head
        embedded = embed_times(
            torch.tensor(times, dtype=torch.float64),
            flow.width,
            head.shortest_period,
            head.longest_period,
        )
        rows = [flow.embed_actions(noise, each) for each in self._head.conditions(times)]
        actions = states[-1][0].numpy()
        found |= {
            'time_embedding': embedded.to(model.dtype).numpy(),
            'suffix_embs': torch.cat(rows).numpy(),
            'velocity': torch.cat([steps.velocity(noise, time) for time in times]).numpy(),
            'euler_t': np.array(euler_times(head.steps, how=head.times)[0]),
            'euler_x': torch.cat(states).numpy(),
            'euler_v': torch.cat(velocities).numpy(),
            'actions': actions,
            'actions_unnormalised': self._unnormalise(actions),
        }
        for at, time in LOOKS.items():
            found |= self._looks(at, time, prefix)
        if f'joint_velocity_{self._given.name}' in self._like and TRAINED in self._inputs:
            found |= self._joint(steps)
        for drop in (0, 2):
            found |= self._pruned(drop)
        return found

    def _looks(self, at: str, time: float, prefix: Prefix) -> Arrays:
        """Give the expert's rows layer by layer, and what three of them look at."""
        name, chunk = self._given.name, self._model.config.head.chunk
        cache, begin, flow = prefix.cache, len(self._rows), self._model.flow
        memory, hidden = Held(cache.store, cache.held, inside=False), []
        layers = len(flow.expert.layers)
        _, queries = flow.velocity(
            self._given.noise,
            self._head.conditions([time])[0],
            torch.tensor([begin]),
            memory,
            tuple(range(1, layers + 1)),
            hidden,
        )
        places = torch.arange(begin, begin + chunk)
        found = {f'suffix_hidden_{at}_{name}': torch.cat(hidden).numpy()}
        asked = None
        for layer in range(layers):
            asking, keys = queries[layer + 1][0], cache.of_layer(layer)[0, 0]
            before = torch.arange(begin)
            if layer in flow.expert.cross:
                weights = attention_rows(asking, keys)
            else:
                keys = torch.cat([keys, memory.new[layer, 0, 0]], 1)
                weights = attention_rows(asking, keys, places, torch.cat([before, places]))
            whole = weights.new_zeros(*weights.shape[:2], len(self._valid))
            whole[..., self._rows] = weights[..., :begin]
            whole = torch.cat([whole, weights[..., begin:]], -1)
            key = f'attn_suffix_{at}_layer{layer}_{name}'
            asked = asked or rows_looked_at(whole.numpy(), self._like.get(key))
            found[key] = whole[:, asked].numpy()
        return found

    def _joint(self, steps: Steps) -> Arrays:
        """Give velocity and loss where actions of a data set are known."""
        noise, actions = self._given.noise, torch.from_numpy(self._inputs[TRAINED])
        actions, time = actions.to(noise.dtype), float(np.float32(JOINT_TIME))
        velocity = steps.velocity(time * noise + (1 - time) * actions, time)
        loss = (noise - actions - velocity).square()
        return {'joint_velocity': velocity[0].numpy(), 'joint_loss': loss[0].numpy()}

    def _pruned(self, drop: int) -> Arrays:
        kept = self._given.kept
        if kept is None:
            return {}
        # Rows of the fixture count absent cameras; here these are not run at all.
        places = self._valid.cumsum() - 1
        steps, noise = self._steps(self._prefix(drop, places[kept])), self._given.noise
        at = f'pruned_{"before" if drop == 0 else f"after{drop}"}'
        return {
            f'{at}_velocity': steps.velocity(noise, 1.0)[0].numpy(),
            f'{at}_actions': steps.run(noise)[0][-1][0].numpy(),
        }

    def _shifted(self) -> Arrays:
        """Give what one version of the original makes of its shifted position ids."""
        model, name = self._model, self._given.name
        tower, side = model.vision_backbone.tower(0), model.config.patches
        row = (torch.arange(side) - 1).clamp_min(0)
        ids = (row[:, None] * side + row).flatten()
        right = tower.pos_embed.data
        try:
            tower.pos_embed.data = right[:, ids]
            empty = torch.full_like(self._given.pixels[0], -1.0)
            visual = self._visual([*self._given.pixels, *[empty] * self._given.absent])
            states, _ = self._steps(self._prefix()).run(self._given.noise)
        finally:
            tower.pos_embed.data = right
        return {
            SHIFTED: ids.numpy(),
            f'connector_{name}_shifted_ids': visual.numpy(),
            f'actions_{name}_shifted_ids': states[-1][0].numpy(),
        }
