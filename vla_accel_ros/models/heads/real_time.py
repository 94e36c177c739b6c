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

"""Real-time chunking: a new chunk that goes on from the one under way.

While a chunk is computed the arm executes rows of the old one. Each step of the flow is guided
towards these rows, and ever less towards those behind them, so that the two agree where one takes
over from the other (Black et al., arXiv 2506.07339). As in LeRobot the velocity counts as constant
in the correction, so that nothing is propagated backward. A checkpoint that was trained for it is
given these rows as they are instead (training-time RTC, arXiv 2512.05964). The delay is counted in
actions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import e

import numpy as np
import torch
from torch import Tensor


def _exponential(share: np.ndarray) -> np.ndarray:
    """Give equation 5 of the paper for shares [n] that fall from 1 to 0."""
    weights: np.ndarray = share * np.expm1(share) / (e - 1)
    return weights


# What a row behind those that are bound to be executed weighs, of the share of the way that is
# left behind it.
SCHEDULES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    'exp': _exponential,
    'linear': lambda share: share,
    'ones': np.ones_like,
    'zeros': np.zeros_like,
}


def row_weights(schedule: str, delay: int, end: int, rows: int) -> np.ndarray:
    """Say how much each row of a new chunk is to be like the old one's.

    Args:
        schedule: One of `SCHEDULES`.
        delay: Rows that will have been executed when the answer is there: 1.
        end: Row from which on the old chunk has no say: 0.
        rows: Of the new chunk.

    Returns:
        float64 [rows], in 0..1, falling.
    """
    end = min(end, rows)
    delay = min(delay, end)
    weights = np.zeros(rows)
    weights[:delay] = 1
    share = (end - np.arange(delay, end)) / (end - delay + 1)
    weights[delay:end] = SCHEDULES[schedule](share)
    return weights


def guidance(time: float, most: float) -> float:
    """Give the weight of the correction at a time of the flow, equation 2 of the paper.

    Args:
        time: 1 noise, 0 action.
        most: It is no more than this, where it would go to infinity.
    """
    left = 1 - time
    if time <= 0 or left <= 0:
        return most
    return min(most, (time * time + left * left) / (time * left))


@dataclass(frozen=True, eq=False)
class Guide:
    """Leads a flow towards an old chunk.

    Attributes:
        old: [1, rows, numbers], the old chunk, normalised; any numbers where it has no say.
        weights: [rows, 1].
        most: See `guidance`.
    """

    old: Tensor
    weights: Tensor
    most: float

    @classmethod
    def towards(
        cls, old: Tensor, schedule: str, delay: int, end: int, most: float, like: Tensor
    ) -> Guide:
        """Make one.

        Args:
            old: [1, k, numbers], what is left of the old chunk, normalised, from the row on that
                is the first of the new chunk.
            schedule: One of `SCHEDULES`.
            delay: See `row_weights`.
            end: See `row_weights`; 0 for all that is left.
            most: See `guidance`.
            like: [1, rows, numbers], what is denoised.
        """
        rows = like.shape[1]
        kept = old[:, :rows].to(like)
        left = kept.shape[1]
        whole = torch.cat([kept, like.new_zeros(1, rows - left, like.shape[2])], 1)
        weights = row_weights(schedule, delay, min(end or left, left), rows)
        return cls(whole, torch.from_numpy(weights)[:, None].to(like), most)

    def __call__(self, x: Tensor, velocity: Tensor, time: float) -> Tensor:
        """Correct a velocity.

        Args:
            x: [1, rows, numbers], what is denoised.
            velocity: Likewise, noise less action.
            time: Of the flow.
        """
        apart = self.old - (x - time * velocity)
        return velocity - guidance(time, self.most) * self.weights * apart


@dataclass(frozen=True)
class Given:
    """Leaves the first rows as they are, for they are given.

    Attributes:
        rows: How many.
    """

    rows: int

    def __call__(self, x: Tensor, velocity: Tensor, time: float) -> Tensor:
        """Correct a velocity; see `Guide`."""
        velocity = velocity.clone()
        velocity[:, : self.rows] = 0
        return velocity
