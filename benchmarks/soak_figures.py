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

"""What samples over a long run say: growth with its uncertainty, and drift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# MiB an hour after warm-up.
MOST_GROWTH = 1.0
# Share of a run that is warm-up, and how long that is at least, seconds.
WARM_UP, LEAST_WARM_UP_S = 0.2, 120.0
# Medians of so many stretches count, for neighbouring samples are not independent.
STRETCHES = 12
HOLDS, OPEN, GROWS = 'holds', 'too short to tell', 'grows'


@dataclass(frozen=True)
class Growth:
    """How fast something grows.

    Attributes:
        per_hour: Slope of a straight line, units an hour.
        error: Half the width of its 95 % interval, units an hour.
    """

    per_hour: float
    error: float

    def verdict(self, most: float = MOST_GROWTH) -> str:
        """Say whether it stays below a bound; open where the interval reaches over it."""
        if self.per_hour + self.error <= most:
            return HOLDS
        return GROWS if self.per_hour - self.error > most else OPEN


def warm_up_s(seconds: float) -> float:
    """Return how much of a run of so many seconds is warm-up, seconds."""
    return min(max(WARM_UP * seconds, LEAST_WARM_UP_S), seconds / 2)


def growth(at_s: Sequence[float], values: Sequence[float]) -> Growth:
    """Fit a straight line through the medians of stretches.

    Args:
        at_s: When, ascending, seconds.
        values: As many.

    Raises:
        ValueError: When there are fewer than four samples.
    """
    if len(values) < 4:
        raise ValueError(f'{len(values)} samples, expected at least 4 after warm-up')
    count = min(STRETCHES, len(values) // 2) if len(values) >= 8 else len(values)
    parts = np.array_split(np.arange(len(values)), count)
    at = np.array([np.mean(np.asarray(at_s, dtype=float)[part]) for part in parts]) / 3600
    level = np.array([np.median(np.asarray(values, dtype=float)[part]) for part in parts])
    away = at - at.mean()
    slope = float(away @ level / (away @ away))
    rest = level - level.mean() - slope * away
    deviation = np.sqrt(rest @ rest / (count - 2) / (away @ away))
    return Growth(slope, float(STUDENT[count - 2] * deviation))


# 97.5 % of Student's t, by degrees of freedom.
STUDENT = {
    2: 4.303,
    3: 3.182,
    4: 2.776,
    5: 2.571,
    6: 2.447,
    7: 2.365,
    8: 2.306,
    9: 2.262,
    10: 2.228,
}


def first_and_last(values: Sequence[float]) -> tuple[float, float]:
    """Return the medians of the first and of the last third."""
    third = max(1, len(values) // 3)
    return float(np.median(values[:third])), float(np.median(values[-third:]))


def rises(values: Sequence[int]) -> bool:
    """Say whether a count's largest value of the last third is above all before it."""
    third = max(1, len(values) // 3)
    return max(values[-third:]) > max(values[:-third] or values[:1])
