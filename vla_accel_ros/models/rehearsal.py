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

"""Having a model's programs run in all shapes that its answers will have, before they are timed.

An engine that captures or compiles does so when a shape first comes. How many visual tokens are
kept and how many draft tokens are refused differs from answer to answer, so a few answers do not
show all shapes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from vla_accel_ros.models.heads.interface import ActionHead, Ask, NewCache
from vla_accel_ros.models.self_test import Tested, blank
from vla_accel_ros.motion import Motion
from vla_accel_ros.observations import Observation
from vla_accel_ros.pruning.base import AnyPruner, Pruner
from vla_accel_ros.pruning.interface import Needs, Rows, Scene
from vla_accel_ros.pruning.kept import Kept
from vla_accel_ros.pruning.scores import TokenScores

# Answers that a method may take before it prunes for the first time.
LEARNING = 4


class Resized(Pruner):
    """A method that keeps another number of tokens, wherever it drops any.

    Args:
        method: What decides where tokens are dropped.

    Attributes:
        count: Tokens of each camera that are kept; all of them at first.
    """

    name = 'resized'

    def __init__(self, method: AnyPruner) -> None:
        self._method = method
        self.Parameters = method.Parameters
        self.count = method.layout.tokens
        self._left = self.count
        super().__init__(method.parameters, method.layout)

    def begin(self, scene: Scene) -> Needs:
        """Begin an inference; see `Pruner.begin`."""
        self._left = self.layout.tokens
        return self._method.begin(scene)

    def after_towers(self, received: Tensor | None) -> Kept | None:
        """Choose; see `Pruner.after_towers`."""
        return self._resized(self._method.after_towers(received))

    def after_projector(self, *seen: Tensor | None) -> Kept | None:
        """Choose; see `Pruner.after_projector`."""
        return self._resized(self._method.after_projector(*seen))

    def after_layer(self, layer: int, scores: Mapping[Rows, TokenScores]) -> Kept | None:
        """Choose; see `Pruner.after_layer`."""
        return self._resized(self._method.after_layer(layer, scores))

    def after_decode(self, scores: Mapping[int, TokenScores]) -> None:
        """Learn; see `Pruner.after_decode`."""
        self._method.after_decode(scores)

    def _resized(self, kept: Kept | None) -> Kept | None:
        if kept is None or self.count >= self._left:
            return None
        self._left = self.count
        return Kept((torch.arange(self.count),) * self.layout.cameras, self.layout.tokens)


def busy(policy: Tested) -> tuple[Observation, Motion]:
    """Give images with something to see everywhere, and a motion: any method prunes by them."""
    random, size = np.random.default_rng(0), policy.image_size
    views = range(policy.cameras)
    images = tuple(random.integers(0, 256, (size, size, 3), np.uint8) for _ in views)
    motion = Motion((0.1, 0.0, 0.1), (0.0, 0.0, 0.0), 0.1)
    return replace(blank(policy, 127), images=images), motion


def rehearse(head: ActionHead, ask: Ask, method: AnyPruner, new_cache: NewCache) -> None:
    """Answer in all shapes, the largest first, so that memory can be shared.

    Args:
        head: Whose programs are to run.
        ask: With images and a motion that the method prunes by.
        method: How visual tokens are pruned; it begins an episode and is not used afterwards.
        new_cache: See `ActionHead.answer`.
    """
    pruner = Resized(method)
    for _ in range(LEARNING):
        head.rehearse(ask, pruner, new_cache)
    for count in sorted(method.buckets.sizes, reverse=True)[1:]:
        pruner.count = count
        head.rehearse(ask, pruner, new_cache)
