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

"""The towers in two programs, between which visual tokens are dropped."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vla_accel_ros.engines.interface import Tensors
from vla_accel_ros.layers.half_towers import begin, finish
from vla_accel_ros.layers.vit import VisionBackbone


def row_names(image_towers: tuple[tuple[int, ...], ...]) -> tuple[str, ...]:
    """Name the rows of each image and tower."""
    return tuple(
        f'rows.{image}.{place}'
        for image, towers in enumerate(image_towers)
        for place in range(len(towers))
    )


@dataclass(frozen=True)
class TowersBegin:
    """The first blocks of all towers over all images.

    In: as `vision.Vision`. Out: for each image i and its tower t `rows.i.t` [B, prefix + N,
    width]; with `attention` for each image `queries.i` and `keys.i` [B, heads, prefix + N, head
    width] of the last of these blocks of its last tower.

    Attributes:
        backbone: The towers.
        image_towers: For each image the towers that see it.
        block: Blocks that are run.
        film: Whether language modulates the towers.
        attention: Whether queries and keys are wanted.
    """

    backbone: VisionBackbone
    image_towers: tuple[tuple[int, ...], ...]
    block: int
    film: bool = False
    attention: bool = False
    name = 'vision_begin'

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the tensors that go in."""
        return ('pixels', 'language') if self.film else ('pixels',)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the tensors that come out."""
        images = range(len(self.image_towers)) if self.attention else ()
        looks = (f'{kind}.{i}' for i in images for kind in ('queries', 'keys'))
        return (*row_names(self.image_towers), *looks)

    def run(self, given: Tensors, room: Tensors) -> dict[str, Tensor]:
        """Run the blocks; see `Program.run`."""
        rows, queries, keys = begin(
            self.backbone,
            self.image_towers,
            given['pixels'],
            given.get('language'),
            self.block,
            self.attention,
        )
        result = dict(zip(row_names(self.image_towers), rows, strict=True))
        for image, (q, k) in enumerate(zip(queries, keys, strict=True)):
            result |= {f'queries.{image}': q, f'keys.{image}': k}
        return result


@dataclass(frozen=True)
class TowersFinish:
    """The other blocks, over the patches of the visual tokens that are left.

    In: the `rows.i.t` that `TowersBegin` gives; `stay.i` int [n_i] for each image, which of its
    tokens are left, ascending; with `film` `language`. Out: `features` [B, sum of n_i, feature
    width].

    Attributes:
        backbone: The towers.
        image_towers: For each image the towers that see it.
        block: Blocks that were run.
        shuffle: Patches along a side of a visual token.
        film: Whether language modulates the towers.
    """

    backbone: VisionBackbone
    image_towers: tuple[tuple[int, ...], ...]
    block: int
    shuffle: int = 1
    film: bool = False
    name = 'vision_finish'
    outputs = ('features',)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the tensors that go in."""
        stay = (f'stay.{image}' for image in range(len(self.image_towers)))
        return (*row_names(self.image_towers), *stay, *(('language',) if self.film else ()))

    def run(self, given: Tensors, room: Tensors) -> dict[str, Tensor]:
        """Run the blocks; see `Program.run`."""
        images = []
        for image, towers in enumerate(self.image_towers):
            seen = [
                finish(
                    self.backbone.tower(index),
                    given[f'rows.{image}.{place}'],
                    given[f'stay.{image}'],
                    self.block,
                    self.shuffle,
                    given.get('language'),
                )
                for place, index in enumerate(towers)
            ]
            images.append(torch.cat(seen, dim=-1))
        return {'features': torch.cat(images, dim=1)}
