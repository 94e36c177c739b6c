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

"""Intervals: how far a figure from so many episodes can be trusted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
import math

import numpy as np

# The normal distribution's two-sided 95 %.
Z = 1.959963984540054
Interval = tuple[float, float]


def wilson(successes: int, trials: int, z: float = Z) -> Interval:
    """Return Wilson's score interval of a share (Wilson 1927), 95 % unless told otherwise.

    Raises:
        ValueError: When there is no trial, or the successes are not among them.
    """
    if trials < 1 or not 0 <= successes <= trials:
        raise ValueError(f'{successes} of {trials}: expected 0 <= successes <= trials > 0')
    share, square = successes / trials, z * z / trials
    middle = share + square / 2
    spread = z * math.sqrt(share * (1 - share) / trials + square / (4 * trials))
    low, high = (middle - spread) / (1 + square), (middle + spread) / (1 + square)
    # At the ends the bound is exact; arithmetic would miss it by a rounding.
    return low if successes else 0.0, high if successes < trials else 1.0


def paired_difference(mine: Sequence[bool], other: Sequence[bool], z: float = Z) -> Interval:
    """Return the score interval of a difference of two shares of the same trials (Tango 1998).

    T. Tango, Equivalence test and confidence interval for the difference in proportions for the
    paired-sample design, Statistics in Medicine 17, 891-908. It holds 0 just where McNemar's
    test does not reject.

    Args:
        mine: Whether each trial succeeded in one way.
        other: The same trials in the other way.
        z: Of the normal distribution; 95 % unless told otherwise.

    Returns:
        Bounds of the share of `mine` minus that of `other`.

    Raises:
        ValueError: When there is no trial or they are not as many.
    """
    if len(mine) != len(other) or not len(mine):
        raise ValueError(f'{len(mine)} and {len(other)} trials, expected as many and at least 1')
    count = len(mine)
    gained = sum(a and not b for a, b in zip(mine, other, strict=True))
    lost = sum(b and not a for a, b in zip(mine, other, strict=True))
    share = (gained - lost) / count
    # The statistic falls as the difference supposed grows, through z below the share.
    low = _root(lambda d: _tango(gained, lost, count, d) - z, -1.0, share)
    high = _root(lambda d: _tango(gained, lost, count, d) + z, share, 1.0)
    return low, high


def _tango(gained: int, lost: int, count: int, difference: float) -> float:
    """Give Tango's score statistic of a supposed difference."""
    b = -gained - lost + (2 * count - gained + lost) * difference
    c = -lost * difference * (1 - difference)
    # The share of losses that is likeliest if that is the difference.
    likeliest = (math.sqrt(max(b * b - 8 * count * c, 0.0)) - b) / (4 * count)
    variance = count * (2 * likeliest + difference * (1 - difference))
    distance = gained - lost - count * difference
    if variance <= 0:
        return math.copysign(math.inf, distance) if distance else 0.0
    return distance / math.sqrt(variance)


def _root(falling: Callable[[float], float], low: float, high: float) -> float:
    for _ in range(60):
        middle = (low + high) / 2
        if falling(middle) > 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def bootstrap(
    statistic: Callable[[np.ndarray], np.ndarray], count: int, resamples: int = 2000, seed: int = 0
) -> Interval | None:
    """Return the 95 % percentile bootstrap interval of a statistic (Efron 1979).

    Args:
        statistic: From indices int [resamples, count] of the episodes drawn to its values
            [resamples]; those that are not finite have none.
        count: Episodes.
        resamples: How often they are drawn.
        seed: Decides the draws.

    Returns:
        Its bounds; None where one in forty draws has no value, so that an end is unknown.

    Raises:
        ValueError: When there is no episode.
    """
    if count < 1:
        raise ValueError(f'{count} episodes, expected at least 1')
    drawn = np.random.default_rng(seed).integers(count, size=(resamples, count))
    values = statistic(drawn)
    if np.isfinite(values).mean() < 0.975:
        return None
    low, high = np.percentile(values[np.isfinite(values)], [2.5, 97.5])
    return float(low), float(high)
