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


"""A pruner driven as the model core drives it, on scores made up by the test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch

from vla_accel_ros.motion import Motion
from vla_accel_ros.pruning.base import Pruner
from vla_accel_ros.pruning.diversity import cosine_distances
from vla_accel_ros.pruning.interface import Layout, Needs, Scene
from vla_accel_ros.pruning.kept import Kept
from vla_accel_ros.pruning.scores import TokenScores

STEP_S = 0.1


def moving(speed: float, rise: float = 0.0, turn: float = 0.0) -> Motion:
    return Motion((speed * STEP_S, 0.0, rise * STEP_S), (turn * STEP_S, 0.0, 0.0), STEP_S)


def ramp(layout: Layout) -> torch.Tensor:
    """Scores that rise with the token's id."""
    return torch.arange(1, layout.total + 1.0).view(layout.cameras, layout.tokens)


def textured(layout: Layout, seed: int = 0) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    shape = (layout.rows * layout.patch, layout.columns * layout.patch, 3)
    return tuple(rng.integers(0, 256, shape, dtype=np.uint8) for _ in range(layout.cameras))


def edged(layout: Layout) -> tuple[np.ndarray, ...]:
    """Even images but for one small square, within the first patch."""
    images = flat(layout)
    for image in images:
        image[1 : layout.patch - 1, 1 : layout.patch - 1] = 255
    return images


def flat(layout: Layout, value: int = 120) -> tuple[np.ndarray, ...]:
    shape = (layout.rows * layout.patch, layout.columns * layout.patch, 3)
    return tuple(np.full(shape, value, np.uint8) for _ in range(layout.cameras))


@dataclass
class Seen:
    """What a pruner did in one inference."""

    needs: Needs
    kept: dict[str, Kept] = field(default_factory=dict)
    mask: torch.Tensor = None

    @property
    def count(self) -> int:
        return int(self.mask.sum())


def drive(
    pruner: Pruner,
    motion: Motion | None = None,
    images=None,
    stamp_ns: int = 0,
    towers: torch.Tensor | None = None,
    visual: torch.Tensor | None = None,
    scores: Callable | None = None,
    decode: Callable | None = None,
    entropy: float = 1.0,
) -> Seen:
    """Call a pruner as the model core does.

    `scores(layer, rows)` and `decode(layer)` give [cameras, tokens] as if every token were
    there; what was dropped is blanked here.
    """
    layout = pruner.layout
    seen = Seen(pruner.begin(Scene(edged(layout) if images is None else images, motion, stamp_ns)))
    held_at: dict[int, torch.Tensor] = {}
    seen.mask = torch.ones(layout.cameras, layout.tokens, dtype=torch.bool)

    def take(place: str, kept: Kept | None) -> None:
        if kept is not None:
            seen.kept[place] = kept
            seen.mask = (
                torch.zeros_like(seen.mask)
                .view(-1)
                .index_fill(0, kept.ids, True)
                .view_as(seen.mask)
            )

    def blank(values: torch.Tensor, mask: torch.Tensor) -> TokenScores:
        held = torch.where(mask, values, 0.0)
        return TokenScores(held, mask, torch.tensor(entropy), held if seen.needs.focus else None)

    values = ramp(layout) if towers is None else towers
    take('towers', pruner.after_towers(values if seen.needs.tower_attention else None))
    if visual is None:
        visual = torch.randn(
            layout.cameras, layout.tokens, 8, generator=torch.Generator().manual_seed(0)
        )
    pivots = None
    if seen.needs.from_pivots:
        pivots = visual.abs().sum(-1).topk(seen.needs.from_pivots).indices
    distances = cosine_distances(visual, pivots) if seen.needs.distances else None
    take('projector', pruner.after_projector(distances, pivots))
    for layer in range(1, layout.layers + 1):
        held_at[layer] = seen.mask
        rows = seen.needs.layers.get(layer, ())
        give = {
            r: blank(ramp(layout) if scores is None else scores(layer, r), seen.mask) for r in rows
        }
        take(f'layer {layer}', pruner.after_layer(layer, give))
    pruner.after_decode(
        {
            layer: blank(ramp(layout) if decode is None else decode(layer), held_at[layer])
            for layer in seen.needs.decode
        }
    )
    return seen
