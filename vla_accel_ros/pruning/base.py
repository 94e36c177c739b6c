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


"""What all pruning methods do alike: when they may speak, what they fall back to, rounding."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
from torch import Tensor

from vla_accel_ros.pruning.buckets import Buckets
from vla_accel_ros.pruning.interface import Layout, Needs, Planning, Rows, Scene
from vla_accel_ros.pruning.kept import Kept
from vla_accel_ros.pruning.parameters import Parameters
from vla_accel_ros.pruning.scores import TokenScores
from vla_accel_ros.pruning.selection import extend, has_contrast

Scores = Mapping[Rows, TokenScores]
P = TypeVar('P', bound=Parameters)


class Pruner(Generic[P]):
    """A pruning method, with what it remembers of the running episode.

    A method overrides `_plan` and those of `_towers`, `_projected`, `_layer` and `_decoded` that
    it needs; they give bool [cameras, tokens] masks of tokens to keep, or None for no change.
    Wherever it cannot choose, it keeps all and says why in `reason`.

    Args:
        parameters: The method's parameters, defaults if None.
        layout: Where the visual tokens come from.

    Attributes:
        name: The method's name.
        Parameters: The class of its parameters.
        reason: Why the last inference kept what it kept, a stable name.
        remembers: Whether a choice builds on those of the steps before.
        planner: Says whether a drop pays here; None where every one is to be made.

    Raises:
        ValueError: When the parameters do not fit the layout.
    """

    name: ClassVar[str]
    remembers: ClassVar[bool] = False
    Parameters: type[P]

    def __init__(self, parameters: P | None, layout: Layout) -> None:
        self.layout = layout
        self.reason = ''
        self.planner: Planning | None = None
        self._open = False
        self._present: Tensor | None = None
        self.configure(self.Parameters() if parameters is None else parameters)
        self.reset()

    @property
    def key(self) -> tuple[str, P]:
        """The method with its parameters."""
        return self.name, self.parameters

    @property
    def last_drop(self) -> int:
        """Last decoder layer after which dropping still saves something."""
        return max(1, self.layout.layers - 1)

    def configure(self, parameters: P) -> None:
        """Take new parameters between two inferences, keeping what the episode taught.

        Raises:
            ValueError: When they do not fit; the old ones then stay.
        """
        if type(parameters) is not self.Parameters:
            raise ValueError(
                f'{self.name} takes {self.Parameters.__qualname__}, '
                f'not {type(parameters).__qualname__}'
            )
        buckets = Buckets(
            self.layout.tokens, self.layout.cameras, parameters.buckets, parameters.round_up
        )
        self._bind(parameters)
        self.parameters, self.buckets = parameters, buckets

    def reset(self) -> None:
        """Begin an episode. What is still to come of a running inference is not listened to."""
        self._open = False
        self._forget()

    def begin(self, scene: Scene) -> Needs:
        """Begin an inference.

        Raises:
            ValueError: When the images are not what the model sees, or scores are wanted of a
                layer without attention.
        """
        scene.check(self.layout)
        self._open, self._present, self.reason = True, None, 'keep_all'
        # A method that remembers is not tried again: it would choose by what is long past.
        if self.planner is not None and not self.planner.runs(self.key, not self.remembers):
            self._open, self.reason = False, 'does_not_pay'
            return Needs()
        needs = self._plan(scene)
        for layer in (*needs.layers, *needs.decode):
            if layer in self.layout.without_attention:
                raise ValueError(
                    f"'{self.name}' wants scores of decoder layer {layer}, whose attention is "
                    'left out of this model'
                )
        return needs

    def after_towers(self, received: Tensor | None) -> Kept | None:
        """Choose after the towers, before the projector.

        Args:
            received: [cameras, tokens], attention received in the last tower block that runs;
                None unless needed.
        """
        return self._settle(self._towers(received)) if self._open else None

    def after_projector(
        self, distances: Tensor | None, pivots: Tensor | None = None
    ) -> Kept | None:
        """Choose after the projector, before the decoder.

        Args:
            distances: [cameras, n, tokens], 1 - cosine similarity of the projector's output, from
                the pivots asked for or from all tokens; None unless needed, or where tokens were
                dropped before it.
            pivots: int64 [cameras, n], those of the largest norm, largest first; None unless
                asked for.
        """
        return self._settle(self._projected(distances, pivots)) if self._open else None

    def after_layer(self, layer: int, scores: Scores) -> Kept | None:
        """Choose after a decoder layer.

        Args:
            layer: Counted from 1.
            scores: For the rows that were needed at this layer.
        """
        return self._settle(self._layer(layer, scores)) if self._open else None

    def after_decode(self, scores: Mapping[int, TokenScores]) -> None:
        """Learn from the attention of the action-decoding queries.

        Args:
            scores: For each layer needed, averaged over all action tokens. The query of an
                action token is the token before it; of tokens that were drafted and refused
                only the pass that decided them counts.
        """
        if self._open:
            self._decoded(scores)
            self._open = False

    def _bind(self, parameters: P) -> None:
        """Check parameters against the layout and derive what depends on both."""

    def _forget(self) -> None:
        """Forget the episode."""

    def _plan(self, scene: Scene) -> Needs:
        return Needs()

    def _towers(self, received: Tensor | None) -> Tensor | None:
        return None

    def _projected(self, distances: Tensor | None, pivots: Tensor | None) -> Tensor | None:
        return None

    def _layer(self, layer: int, scores: Scores) -> Tensor | None:
        return None

    def _decoded(self, scores: Mapping[int, TokenScores]) -> None:
        return None

    def _settle(self, mask: Tensor | None) -> Kept | None:
        if mask is None:
            return None
        if self._present is not None:
            mask = mask & self._present
        kept = Kept.from_mask(mask)
        before = (
            self.layout.total
            if self._present is None
            else int(np.count_nonzero(self._present.numpy()))
        )
        if kept.count in (0, before):
            return None
        self._present, self.reason = mask, 'pruned'
        return kept

    def _fallback(self, reason: str) -> None:
        """Keep all that is there, saying why unless some were dropped already."""
        if self._present is None:
            self.reason = reason

    def _usable(self, scores: Tensor, present: Tensor | None = None) -> bool:
        """Say whether scores [cameras, tokens] can be chosen by; if not, keep all."""
        if not np.isfinite(scores.numpy()).all():
            self._fallback('not_finite')
            return False
        if not has_contrast(scores, present):
            self._fallback('no_contrast')
            return False
        return True

    def _rounded(self, mask: Tensor, priority: Tensor) -> Tensor:
        """Extend a mask to the next bucket by priority, both [cameras, tokens]."""
        return extend(mask, priority, self.buckets.up(_count(mask)))

    def _budget(self, keep: float) -> int:
        """Give the count of all cameras together for a keep ratio."""
        return self.buckets.up(round(keep * self.layout.total))


# Any method, whatever its parameters.
def _count(mask: Tensor) -> int:
    return int(np.count_nonzero(mask.numpy()))


AnyPruner = Pruner[Any]
