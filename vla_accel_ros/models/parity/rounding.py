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
"""Whether a difference from the original's numbers is rounding or a mistake: float64 decides.

Two float32 programs agree no better than each agrees with the exact result. Where a bound is
missed, this package computes the array in float64, too: how far its own float32 is from that is
its rounding error, on this machine and for this model. A mistake is in both and so does not widen
anything; the difference then stays beyond the bound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import numpy as np

from vla_accel_ros.models.parity.comparison import Comparison

# How the note of such a comparison begins.
ROUNDS = 'rounds by'
# A difference of so many times our own rounding is still rounding: the other program rounds, too.
OWN_ROUNDING = 3.0
# Beyond so many times its bound, or this absolute difference where that is more, nothing is
# called rounding.
LARGEST_FACTOR, LARGEST_ROUNDING = 10.0, 1e-4


def largest(tolerance: float) -> float:
    """Give the largest difference that may be rounding, for an array of a bound."""
    return max(LARGEST_ROUNDING, LARGEST_FACTOR * tolerance)


def may_be_rounding(c: Comparison) -> bool:
    """Say whether float64 has to decide: the bound is missed, and not by far."""
    return (
        not c.passed
        and c.tolerance > 0
        and c.difference is not None
        and c.difference <= largest(c.tolerance)
    )


def judge(c: Comparison, ours: np.ndarray, exact: np.ndarray) -> Comparison:
    """Widen a bound as far as this machine itself rounds.

    Args:
        c: The comparison that missed it.
        ours: The array in float32.
        exact: The same in float64.
    """
    own = float(np.abs(ours.astype(np.float64) - exact).max())
    tolerance = max(c.tolerance, min(OWN_ROUNDING * own, largest(c.tolerance)))
    return replace(
        c,
        tolerance=tolerance,
        passed=bool(c.difference <= tolerance),
        note=f'{ROUNDS} {own:.1e} here',
    )


def decide(
    comparisons: list[Comparison],
    ours: Mapping[str, np.ndarray],
    compute: Callable[[Iterable[str]], Mapping[str, np.ndarray]],
) -> list[Comparison]:
    """Let float64 decide wherever a bound was missed by little.

    Args:
        comparisons: Of float32.
        ours: What was compared.
        compute: Called with the names of the arrays in doubt, if any; gives them in float64.
    """
    doubtful = [c.array for c in comparisons if may_be_rounding(c)]
    if not doubtful:
        return comparisons
    exact = compute(doubtful)
    return [
        judge(c, ours[c.array], exact[c.array]) if c.array in doubtful else c for c in comparisons
    ]
