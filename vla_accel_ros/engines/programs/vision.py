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

"""The towers, and what their last blocks look at."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vla_accel_ros.engines.interface import Tensors
from vla_accel_ros.layers.connector import shuffled
from vla_accel_ros.layers.vit import VisionBackbone, look_at
from vla_accel_ros.pruning.diversity import cosine_distances
from vla_accel_ros.pruning.scores import attention_rows


@dataclass(frozen=True)
class Vision:
    """All towers over all images.

    In: `pixels` [B, channels, H, W]; with `film` `language` [B, d]. Out: `features`
    [B, images * N, feature width], of N visual tokens an image; with `attention` for each image i
    `queries.i` and `keys.i` [B, heads, prefix + patches, head width] of the last block of its
    last tower.

    Attributes:
        backbone: The towers.
        image_towers: For each image the towers that see it.
        film: Whether language modulates the towers.
        attention: Whether queries and keys are wanted.
        shuffle: Patches along a side of a visual token.
    """

    backbone: VisionBackbone
    image_towers: tuple[tuple[int, ...], ...]
    film: bool = False
    attention: bool = False
    shuffle: int = 1
    name = 'vision'

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the tensors that go in."""
        return ('pixels', 'language') if self.film else ('pixels',)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the tensors that come out."""
        images = range(len(self.image_towers)) if self.attention else ()
        return ('features', *(f'{kind}.{i}' for i in images for kind in ('queries', 'keys')))

    def run(self, given: Tensors, room: Tensors) -> dict[str, Tensor]:
        """Run the towers; see `Program.run`."""
        features, queries, keys = look_at(
            self.backbone,
            self.image_towers,
            given['pixels'],
            given.get('language'),
            self.attention,
        )
        tokens = [shuffled(each, self.shuffle) for each in features]
        result = {'features': torch.cat(tokens, dim=1)}
        for image, (q, k) in enumerate(zip(queries, keys, strict=True)):
            result |= {f'queries.{image}': q, f'keys.{image}': k}
        return result


@dataclass(frozen=True)
class PatchAttention:
    """How much attention the patches of each visual token receive, mean over heads and queries.

    In: what `Vision` gives with `attention`, of one sample. Out: `received` float32
    [images, N].

    Attributes:
        prefixes: For each image the tokens before its patches.
        shuffle: Patches along a side of a visual token.
    """

    prefixes: tuple[int, ...]
    shuffle: int = 1
    name = 'patch_attention'
    outputs = ('received',)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the tensors that go in."""
        images = range(len(self.prefixes))
        return tuple(f'{kind}.{i}' for i in images for kind in ('queries', 'keys'))

    def run(self, given: Tensors, room: Tensors) -> dict[str, Tensor]:
        """Multiply queries with keys; see `Program.run`."""
        rows = [
            attention_rows(given[f'queries.{image}'][0], given[f'keys.{image}'][0])
            for image in range(len(self.prefixes))
        ]
        means = [
            weights[..., prefix:].mean((0, 1))
            for weights, prefix in zip(rows, self.prefixes, strict=True)
        ]
        tokens = [shuffled(each[None, :, None], self.shuffle).sum(-1)[0] for each in means]
        return {'received': torch.stack(tokens)}


@dataclass(frozen=True)
class TokenDistances:
    """How much the visual tokens of each camera differ.

    In: `visual` [1, cameras * N, width]. Out: `distances` float32 [cameras, N, N], 1 - cosine.
    With pivots: `pivots` int64 [cameras, p], the tokens of the largest sum of absolute values,
    largest first, ties by index; and `distances` float32 [cameras, p, N] from these to all.

    Attributes:
        cameras: Cameras.
        pivots: How many tokens of each camera are compared with all; 0 for each of them.
    """

    cameras: int
    pivots: int = 0
    name = 'distances'
    inputs = ('visual',)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the tensors that come out."""
        return ('distances', 'pivots') if self.pivots else ('distances',)

    def run(self, given: Tensors, room: Tensors) -> dict[str, Tensor]:
        """Compare tokens; see `Program.run`."""
        visual = given['visual']
        visual = visual.view(self.cameras, -1, visual.shape[-1])
        if not self.pivots:
            return {'distances': cosine_distances(visual)}
        norms = visual.float().abs().sum(-1)
        pivots = norms.argsort(dim=-1, descending=True, stable=True)[:, : self.pivots]
        return {'distances': cosine_distances(visual, pivots), 'pivots': pivots}
