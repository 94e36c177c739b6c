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


"""The one interface that all pruning methods fit.

The model core calls a pruner at fixed points of an inference: `begin` (images, motion), then
`after_towers`, `after_projector`, `after_layer` and `after_decode`. What costs something is
computed only where `Needs` asks. Each point returns the visual tokens to keep, or None for no
change. All tensors that a pruner is given are on the host: the model core brings them there at
the next point where tokens may be dropped, all in one copy, and calls the points that came before
with them. Text, proprioception, BOS and action tokens are not the pruner's to see or drop.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

import numpy as np

from vla_accel_ros.motion import Motion


class Rows(str, Enum):
    """Query rows of a decoder layer. Rows of draft tokens belong to none of them.

    ALL is every row up to the last prompt token; LAST the last prompt token, whose output is the
    first action token; TEXT the prompt tokens after the visual ones; ACTION the rows that a
    single-pass model reads its actions from, which stand in the sequence from the start.
    """

    ALL = 'all'
    LAST = 'last'
    TEXT = 'text'
    ACTION = 'action'


@dataclass(frozen=True)
class Layout:
    """Where a model's visual tokens come from.

    Attributes:
        cameras: Views.
        rows: Patches from top to bottom of a view.
        columns: Patches from left to right.
        patch: Side of a patch, pixels.
        layers: Decoder layers.
        single_pass: Whether all actions come from one pass (OFT) instead of token by token.
        without_attention: Decoder layers, counted from 1, whose attention is left out of the
            model: they give no scores.
        before: Rows in front of the visual tokens: BOS, or none.

    Raises:
        ValueError: When a number is not positive.
    """

    cameras: int
    rows: int
    columns: int
    patch: int
    layers: int
    single_pass: bool = False
    without_attention: tuple[int, ...] = ()
    before: int = 1

    def __post_init__(self) -> None:
        for name in ('cameras', 'rows', 'columns', 'patch', 'layers'):
            if getattr(self, name) < 1:
                raise ValueError(f'{name} is {getattr(self, name)}, expected at least 1')

    @property
    def tokens(self) -> int:
        """Visual tokens of one camera."""
        return self.rows * self.columns

    @property
    def total(self) -> int:
        """Visual tokens of all cameras."""
        return self.cameras * self.tokens


@dataclass(frozen=True, eq=False)
class Scene:
    """What is known before the model runs.

    Attributes:
        images: One uint8 [h, w, 3] RGB array a camera, as the model sees it: resized and
            cropped, before normalisation.
        motion: The last action's motion; None on the first step of an episode.
        stamp_ns: Capture stamp of the images, nanoseconds.
    """

    images: tuple[np.ndarray, ...]
    motion: Motion | None = None
    stamp_ns: int = 0

    def check(self, layout: Layout) -> None:
        """Check the images against a layout.

        Raises:
            ValueError: When their number, type or size is not what the model sees.
        """
        if len(self.images) != layout.cameras:
            raise ValueError(f'{len(self.images)} images, expected {layout.cameras}')
        height, width = layout.rows * layout.patch, layout.columns * layout.patch
        for index, image in enumerate(self.images):
            if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
                raise ValueError(
                    f'image {index} is {image.dtype} {list(image.shape)}, expected uint8 [h, w, 3]'
                )
            # A model's image may end in a part of a patch, which no token sees.
            spare = image.shape[0] - height, image.shape[1] - width
            if not all(0 <= s < layout.patch for s in spare):
                raise ValueError(
                    f'image {index} is {image.shape[1]}x{image.shape[0]} pixels, expected '
                    f'{layout.columns}x{layout.rows} patches of {layout.patch} pixels, '
                    f'{width}x{height}'
                )


class Planning(Protocol):
    """Who says whether a drop pays on the device at hand; see `engines.planner`."""

    def runs(self, method: Hashable, again: bool) -> bool:
        """Say whether a method is to prune in the call that begins now.

        Args:
            method: The method with its parameters.
            again: Whether one that does not pay may be tried again now and then.
        """


@dataclass(frozen=True)
class Needs:
    """What a pruner wants computed in this inference, and where it may drop.

    Attributes:
        tower_attention: Whether `after_towers` wants the attention received by each patch in
            the last block that runs of the last tower that sees the image.
        distances: Whether `after_projector` wants to know how much visual tokens differ.
        from_pivots: From how many tokens of each camera, those of the largest norm, these
            distances are; 0 for all tokens.
        layers: For decoder layers, counted from 1, the rows whose scores `after_layer` wants.
        entropy: Those of these layers whose scores are to have their entropy, which costs more
            than the scores do.
        focus: Those of these layers of whose TEXT rows also the focus on each token is wanted.
        decode: Decoder layers whose action-decoding rows `after_decode` wants.
        drops: Decoder layers after which `after_layer` may drop; 0 for before the decoder, that
            is, by `after_towers` or `after_projector`. Nowhere else may tokens be dropped.
    """

    tower_attention: bool = False
    distances: bool = False
    from_pivots: int = 0
    layers: Mapping[int, tuple[Rows, ...]] = field(default_factory=dict)
    entropy: tuple[int, ...] = ()
    focus: tuple[int, ...] = ()
    decode: tuple[int, ...] = ()
    drops: tuple[int, ...] = ()
