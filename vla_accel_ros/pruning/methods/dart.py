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


"""DART (arXiv 2502.11494): the tokens that duplicate others least, without attention scores.

A few pivots are the tokens of the largest norm. The pivots take turns: each keeps those of the
remaining tokens that are least similar to it. What is left over duplicates a token that is kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vla_accel_ros.options import option
from vla_accel_ros.pruning.base import Pruner
from vla_accel_ros.pruning.interface import Needs, Scene
from vla_accel_ros.pruning.parameters import Parameters, keep_option
from vla_accel_ros.pruning.selection import shares


@dataclass(frozen=True, kw_only=True)
class DartParameters(Parameters):
    """Parameters of DART."""

    keep: float = keep_option()
    pivots: int = option(
        8, 'tokens of each camera that the others are compared with, at most', range=(1, 1024)
    )


def least_alike(distances: np.ndarray, pivots: np.ndarray, count: int) -> np.ndarray:
    """Choose the tokens of one camera (the released code's rule, in the order of the norms).

    Each pivot in turn takes an equal share of the budget: of the tokens not yet chosen those
    farthest from it. What the pivots do not divide goes to the first ones.

    Args:
        distances: float [p, tokens], 1 - cosine similarity of each pivot to all tokens.
        pivots: int [p], which tokens the pivots are.
        count: How many to choose, the pivots included; at least p.

    Returns:
        bool [tokens]; ties go to the lower index.
    """
    chosen = np.zeros(distances.shape[1], dtype=bool)
    chosen[pivots] = True
    parts = shares(count - len(pivots), len(pivots))
    for row, part in zip(distances, parts, strict=True):
        order = np.argsort(np.where(chosen, np.inf, -row), kind='stable')
        chosen[order[:part]] = True
    return chosen


class DartPruner(Pruner[DartParameters]):
    """Compare all tokens with a few pivots before the decoder; keep those that differ most."""

    name = 'dart'
    Parameters = DartParameters

    def _plan(self, scene: Scene) -> Needs:
        self._counts = shares(self._budget(self.parameters.keep), self.layout.cameras)
        # A pivot is a kept token, so there are at most as many.
        pivots = min(self.parameters.pivots, *self._counts, self.layout.tokens)
        if self._counts[0] == self.layout.tokens or not pivots:
            return Needs()
        return Needs(distances=True, from_pivots=pivots, drops=(0,))

    def _projected(self, distances: Tensor | None, pivots: Tensor | None) -> Tensor | None:
        if distances is None or pivots is None or not self._usable(distances):
            return None
        return torch.from_numpy(
            np.stack(
                [
                    least_alike(*one)
                    for one in zip(distances.numpy(), pivots.numpy(), self._counts, strict=True)
                ]
            )
        )
