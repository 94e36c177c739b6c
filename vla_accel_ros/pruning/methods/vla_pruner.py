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


"""VLA-Pruner (arXiv 2511.16449): what the prompt looks at, and what the actions look at.

Two scores, the prefill's and the actions', each nominate a budget of tokens; of their union those
that differ most stay. In a single-pass model the action slots are in the sequence from the start
and their rows serve at once; token by token, the score is estimated from past steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vla_accel_ros.options import option
from vla_accel_ros.pruning.action_memory import WINDOW_LIMIT, ActionMemory, complete
from vla_accel_ros.pruning.base import Pruner, Scores
from vla_accel_ros.pruning.diversity import diverse
from vla_accel_ros.pruning.interface import Needs, Rows, Scene
from vla_accel_ros.pruning.methods.fastv import ROWS
from vla_accel_ros.pruning.parameters import Parameters, keep_option, layer_option, scored_layer
from vla_accel_ros.pruning.scores import TokenScores
from vla_accel_ros.pruning.selection import top


@dataclass(frozen=True, kw_only=True)
class VlaPrunerParameters(Parameters):
    """Parameters of VLA-Pruner."""

    keep: float = keep_option()
    camera_shares: tuple[float, ...] = option(
        (1.0,), 'factor on keep for each camera; one value holds for all', range=(0.001, 100.0)
    )
    layer: int = layer_option(3)
    rows: str = option(
        'all_rows',
        'whose prefill attention counts: all rows (paper) or the last prompt row '
        "(code's second form, the steadier one by its author)",
        choices=tuple(ROWS),
    )
    action_layers: str = option(
        'latter_half',
        "where the actions' attention is taken: the latter half of the layers "
        '(paper) or a single one (code)',
        choices=('latter_half', 'single'),
    )
    action_layer: int = option(
        0, 'the single layer, from 1; 0: 15 of 32, scaled to the model', range=(0, 1024)
    )
    action_rows: str = option(
        'answer',
        "whose rows give the action score: the answer's, smoothed over the past steps, or at once "
        'the row of the prompt that stands for the action, where there is one',
        choices=('answer', 'prompt'),
    )
    window: int = option(
        3,
        'past steps in the action score, and first steps without pruning',
        unit='steps',
        range=(1, WINDOW_LIMIT),
    )
    gamma: float = option(
        0.8, 'weight of a step over that of the next newer one', range=(0.001, 1.0)
    )
    remedy: str = option(
        'shallow',
        'score of tokens pruned before: from the layers that still hold them, or '
        'none (as published: zero)',
        choices=('shallow', 'none'),
    )
    refresh: int = option(
        0, 'one in so many inferences keeps all; 0: never', unit='steps', range=(0, 100000)
    )


class VlaPruner(Pruner[VlaPrunerParameters]):
    """Dual top-k, union, max-min filter, after an early decoder layer."""

    name = 'vla_pruner'
    remembers = True
    Parameters = VlaPrunerParameters

    def _bind(self, parameters: VlaPrunerParameters) -> None:
        cameras = self.layout.cameras
        shares = parameters.camera_shares
        if len(shares) not in (1, cameras):
            raise ValueError(
                f'camera_shares has {len(shares)} values, expected 1 or one for each of the '
                f'{cameras} cameras'
            )
        layer = scored_layer('layer', parameters.layer, 3, self.layout, self.last_drop)
        asked = parameters.action_rows == 'prompt'
        if asked and not self.layout.prompt_acts:
            raise ValueError(
                "action_rows is 'prompt', expected 'answer': no row of this model's prompt stands "
                'for the action'
            )
        self._drop_layer, self._at_once = layer, asked or self.layout.single_pass
        if not self._at_once:
            self._bind_action_layers(parameters)
        self._shares = shares * cameras if len(shares) == 1 else shares

    def _bind_action_layers(self, parameters: VlaPrunerParameters) -> None:
        depth, layout = self.layout.layers, self.layout
        single = scored_layer('action_layer', parameters.action_layer, 15, layout, depth, True)
        without = (*layout.without_attention, *layout.not_answering)
        able = [k for k in range(1, depth + 1) if k not in without]
        latter = tuple(k for k in able if k > depth // 2) or (max(able),)
        self._action_layers = latter if parameters.action_layers == 'latter_half' else (single,)
        # A layer that holds every token, for the scores of those that are dropped.
        whole = [k for k in able if k <= self._drop_layer]
        self._whole_layer = whole[-1] if whole else able[0]

    def _forget(self) -> None:
        self._memory = ActionMemory()
        self._since_refresh = 0
        self._distances: Tensor | None = None

    def _plan(self, scene: Scene) -> Needs:
        p, layer = self.parameters, self._drop_layer
        self._distances = None
        prefill = ROWS[p.rows]
        if self._at_once:
            return Needs(distances=True, layers={layer: (prefill, Rows.ACTION)}, drops=(layer,))
        decode = tuple(sorted({*self._action_layers, self._whole_layer}))
        self._since_refresh += 1
        if len(self._memory) < p.window:
            self._since_refresh = 0
            self._fallback('warm_up')
            return Needs(decode=decode)
        if p.refresh and self._since_refresh >= p.refresh:
            self._since_refresh = 0
            self._fallback('refresh')
            return Needs(decode=decode)
        return Needs(distances=True, layers={layer: (prefill,)}, decode=decode, drops=(layer,))

    def _projected(self, distances: Tensor | None, pivots: Tensor | None) -> Tensor | None:
        self._distances = distances
        return None

    def _layer(self, layer: int, scores: Scores) -> Tensor | None:
        if layer != self._drop_layer or not scores or self._distances is None:
            return None
        p = self.parameters
        semantic = scores[ROWS[p.rows]].received
        if Rows.ACTION in scores:
            action = scores[Rows.ACTION].received
        else:
            action = self._memory.estimate(p.window, p.gamma).to(semantic.device)
        if not (self._usable(semantic) and self._usable(action)):
            return None
        if not np.isfinite(self._distances.numpy()).all():
            self._fallback('not_finite')
            return None
        tokens = self.layout.tokens
        counts = [self.buckets.up_camera(round(p.keep * s * tokens)) for s in self._shares]
        budget = torch.tensor(counts, device=semantic.device)[:, None]
        union = top(semantic, budget) | top(action, budget)
        # Each score on its own scale, so that neither alone says where the filter starts.
        start = semantic / semantic.sum() + action / action.sum()
        return diverse(self._distances, union, counts, start)

    def _decoded(self, scores: Mapping[int, TokenScores]) -> None:
        if self._at_once or not scores:
            return
        shallow = scores[self._whole_layer] if self.parameters.remedy == 'shallow' else None
        score = torch.stack(
            [complete(scores[layer], shallow) for layer in self._action_layers]
        ).mean(0)
        # One bad step must not poison the window.
        if np.isfinite(score.numpy()).all():
            self._memory.add(score)
