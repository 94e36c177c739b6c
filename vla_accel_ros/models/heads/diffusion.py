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

"""The schedule of a diffusion head: how much noise there is when, and which steps are taken."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
import math

import numpy as np

# Of the cosine schedule (arXiv 2102.09672, equation 17).
OFFSET, LARGEST_BETA = 0.008, 0.999


class StepsError(ValueError):
    """A number of steps that a schedule cannot be walked in."""


def betas(steps: int) -> np.ndarray:
    """Give the share of noise that each step of the full schedule adds, float64 [steps]."""

    def left(share: float) -> float:
        return math.cos((share + OFFSET) / (1 + OFFSET) * math.pi / 2) ** 2

    return np.array(
        [
            min(1 - left((step + 1) / steps) / left(step / steps), LARGEST_BETA)
            for step in range(steps)
        ]
    )


def alphas(steps: int) -> np.ndarray:
    """Give the share of the signal that is left after each step, float64 [steps]."""
    return np.cumprod(1.0 - betas(steps))


def kept_times(steps: int, count: int) -> np.ndarray:
    """Give the times of the full schedule that are kept: 0, k, 2k and so on.

    k is the smallest whole number with which there are exactly as many as are wanted.

    Args:
        steps: Steps of the full schedule.
        count: Those wanted.

    Returns:
        int64 [count], ascending.

    Raises:
        StepsError: When no stride gives that many.
    """
    for stride in range(1, steps + 1):
        if len(range(0, steps, stride)) == count:
            return np.arange(0, steps, stride)
    raise StepsError(
        f'{count} steps of denoising, expected one of {", ".join(map(str, counts(steps)))}: no '
        f'other number divides the {steps} steps of the schedule into equal strides'
    )


@lru_cache(maxsize=8)
def counts(steps: int) -> tuple[int, ...]:
    """List the numbers of steps that `kept_times` can give, ascending."""
    return tuple(sorted({len(range(0, steps, stride)) for stride in range(1, steps + 1)}))


@dataclass(frozen=True, eq=False)
class Walk:
    """The steps of denoising, in the order in which they are taken: the noisiest first.

    Attributes:
        times: int64 [n], places in the full schedule, descending.
        scales: float64 [n, 4], see `engines.programs.diffusion.Denoise`.
    """

    times: np.ndarray
    scales: np.ndarray

    @classmethod
    def of(cls, steps: int, count: int) -> Walk:
        """Plan the walk.

        Args:
            steps: Steps of the full schedule.
            count: Steps to take.

        Raises:
            StepsError: As `kept_times`.
        """
        times = kept_times(steps, count)
        here = alphas(steps)[times]
        before = np.append(1.0, here[:-1])
        scales = np.stack(
            [np.sqrt(1 / here), np.sqrt(1 / here - 1), np.sqrt(before), np.sqrt(1 - before)], 1
        )
        return cls(times[::-1].copy(), scales[::-1].copy())
