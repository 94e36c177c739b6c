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


"""SpecPrune-VLA (arXiv 2509.05614): history, motion and self-speculation, then layer by layer.

After an early layer stay the tokens that the last inference looked at (global), those whose patch
moved (dynamic), and those that this inference's first layers look at (local). Later layers drop
the least of a running rank. A controller keeps more while the arm moves slowly.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor

import numpy as np
import torch
from torch import Tensor

from vla_accel_ros.motion import Motion
from vla_accel_ros.pruning.base import Pruner, Scores
from vla_accel_ros.pruning.buckets import REFERENCE_TOKENS
from vla_accel_ros.pruning.interface import Needs, Rows, Scene
from vla_accel_ros.pruning.layer_ranking import LayerRanking
from vla_accel_ros.pruning.motion import Frames, patches_of, similarity
from vla_accel_ros.pruning.parameters import FIXED, scored_layer
from vla_accel_ros.pruning.scores import TokenScores
from vla_accel_ros.pruning.selection import extend, top
from vla_accel_ros.pruning.specprune_parameters import SpecPruneParameters
from vla_accel_ros.scheduling.controller import Controller, Mode

OLDEST, NEAREST = 11, 4
PAPER_HISTORY, PAPER_DROPS = (15, 32), (5, 10, 15, 20)


def reference_age(motion: Motion | None, speed_unit: float) -> int:
    """Give the age of the reference frame in policy steps: floor(7 - v) + 4, from 4 to 11.

    The faster the arm, the nearer the frame. The unit of v is unknown in the paper; here it is
    the end effector's speed over `speed_unit` (m/s). An unknown motion counts as none.
    """
    speed = 0.0 if motion is None else motion.linear_speed / speed_unit
    return max(NEAREST, floor(7 - speed) + 4)


class SpecPruner(Pruner[SpecPruneParameters]):
    """Static choice after an early layer, layer-level pruning after later ones."""

    name = 'specprune'
    remembers = True
    Parameters = SpecPruneParameters
    _controller: Controller

    def _bind(self, parameters: SpecPruneParameters) -> None:
        depth, last = self.layout.layers, self.last_drop

        def layers(name: str, paper: tuple[int, ...], highest: int) -> tuple[int, ...]:
            given = getattr(parameters, name)
            pairs = zip(given, given, strict=True) if given != (0,) else ((0, p) for p in paper)
            return tuple(
                sorted({scored_layer(name, v, p, self.layout, highest) for v, p in pairs})
            )

        drop = scored_layer('layer', parameters.layer, 2, self.layout, last)
        history = layers('history_layers', PAPER_HISTORY, depth)
        later = tuple(d for d in layers('drop_layers', PAPER_DROPS, last) if d > drop)
        self._drop_layer, self._history_layers = drop, history if parameters.history else ()
        self._later = later if parameters.layer_level else ()
        self._local_layers = self._scored(range(max(1, drop - 1), drop + 1))
        controller = Controller(
            parameters.linear_threshold, parameters.angular_threshold, parameters.margin
        )
        if hasattr(self, '_controller'):
            controller.mode = self._controller.mode
        self._controller = controller

    def _scored(self, layers: range) -> tuple[int, ...]:
        return tuple(k for k in layers if k not in self.layout.without_attention)

    def _forget(self) -> None:
        self._controller.reset()
        self._frames = Frames(OLDEST + 1)
        self._fresh: list[Tensor] = []
        self._history: Tensor | None = None
        self._ranking = LayerRanking()
        self._choosing = False
        self._start_inference(
            torch.zeros(self.layout.cameras, self.layout.tokens, dtype=torch.bool)
        )

    def _start_inference(self, moved: Tensor) -> None:
        self._moved = moved
        self._local: list[Tensor] = []
        self._target = 0.0
        self._ranking.clear()

    @property
    def mode(self) -> Mode:
        """Whether the controller keeps many tokens or few."""
        return self._controller.mode if self.parameters.controller else Mode.FINE

    def _plan(self, scene: Scene) -> Needs:
        self._controller.update(scene.motion)
        first = len(self._frames) == 0
        self._start_inference(self._dynamic(scene))
        self._history = torch.stack(self._fresh).mean(0) if self._fresh else None
        self._fresh = []
        wanted = set(self._history_layers)
        ranked: Sequence[int] = ()
        if first:
            # Neither history nor a reference frame: two of the three sets are unknown.
            self._fallback('first_step')
        else:
            wanted.update(self._local_layers)
            if self._later:
                ranked = self._scored(range(self._drop_layer + 1, self._later[-1] + 1))
                wanted.update(ranked)
        self._choosing = not first
        return Needs(
            layers=dict.fromkeys(sorted(wanted), (Rows.TEXT,)),
            entropy=tuple(ranked) if self.parameters.confidence == 'entropy' else (),
            drops=() if first else (self._drop_layer, *self._later),
        )

    def _count(self, of_256: int) -> int:
        scale = self.layout.tokens / REFERENCE_TOKENS
        coarse = self.parameters.alpha if self.mode is Mode.COARSE else 1.0
        return ceil(of_256 * scale * coarse)

    def _dynamic(self, scene: Scene) -> Tensor:
        """Mark the patches that moved most, and remember this frame."""
        p = self.parameters
        step_s = 0.0 if scene.motion is None else scene.motion.step_s
        patches = patches_of(scene.images, self.layout)
        # Half a step of tolerance: camera stamps jitter around the policy's steps.
        age_ns = int((reference_age(scene.motion, p.speed_unit) - 0.5) * step_s * 1e9)
        then = self._frames.before(scene.stamp_ns, age_ns)
        self._frames.add(scene.stamp_ns, patches)
        if then is None:
            return torch.zeros(patches.length.shape, dtype=torch.bool)
        alike = torch.from_numpy(similarity(patches, then))
        return top(-alike, self._count(p.k_dynamic)) & (alike < p.similarity)

    def _layer(self, layer: int, scores: Scores) -> Tensor | None:
        if Rows.TEXT not in scores:
            return None
        text = scores[Rows.TEXT]
        if layer in self._history_layers and np.isfinite(text.received.numpy()).all():
            self._fresh.append(text.received)
        if not self._choosing:
            return None
        if layer in self._local_layers:
            self._local.append(text.received)
        if layer == self._drop_layer:
            return self._static()
        if layer > self._drop_layer and self._later and layer <= self._later[-1]:
            return self._later_drop(layer, text)
        return None

    def _static(self) -> Tensor | None:
        """Choose global, dynamic and local tokens."""
        p = self.parameters
        priority = torch.stack(self._local).mean(0)
        if not self._usable(priority):
            self._choosing = False
            return None
        mask = self._moved.to(priority.device)
        for local in self._local:
            mask = mask | top(local, self._count(p.k_local))
        if self._history is not None:
            history = self._history.to(priority.device)
            mask = mask | (top(history, self._count(p.k_global)) & (history > 0))
        if p.budget == FIXED:
            mask = extend(mask, priority, self._budget(p.keep))
        self._target = float(np.count_nonzero(mask.numpy()))
        return self._rounded(mask, priority)

    def _later_drop(self, layer: int, text: TokenScores) -> Tensor | None:
        p = self.parameters
        score = self._ranking.update(text, p.rank_slope, p.rate, p.confidence)
        if layer not in self._later or not self._usable(score, text.present):
            return None
        # The count without rounding is carried on; else no tenth would ever leave a bucket.
        self._target *= 1 - p.drop_share
        count = self.buckets.up(ceil(self._target))
        return extend(text.present, score.masked_fill(~text.present, float('-inf')), count)
