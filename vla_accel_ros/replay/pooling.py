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

"""From the values of many episodes to one number and its interval."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from vla_accel_ros.evaluation.statistics import bootstrap
from vla_accel_ros.report.data import Estimate

RESAMPLES, FEWEST = 2000, 100
# Values that are drawn in all, at most, for a percentile.
MOST_DRAWN = 20_000_000


def estimate(parts: Sequence[np.ndarray], pool: str) -> Estimate | None:
    """Pool the values of episodes; the interval comes from drawing whole episodes anew.

    Args:
        parts: float64 [any] an episode; NaN ones do not count.
        pool: 'mean', 'rate' (1 / mean), 'max' or a percentile such as 'p95'.

    Returns:
        None where there is no value. Without an interval where fewer than two episodes have
        values, and for the maximum, of which drawing again tells nothing.

    Raises:
        ValueError: When the way of pooling is unknown.
    """
    parts = [part[np.isfinite(part)] for part in map(np.asarray, parts)]
    parts = [part for part in parts if len(part)]
    value = _pool(np.concatenate(parts), pool) if parts else np.nan
    if not np.isfinite(value):
        return None
    if len(parts) < 2 or pool == 'max':
        return Estimate(float(value))
    if pool in ('mean', 'rate'):
        interval = bootstrap(_of_sums(parts, pool), len(parts), RESAMPLES)
    else:
        total = sum(map(len, parts))
        resamples = min(RESAMPLES, max(FEWEST, MOST_DRAWN // total))
        interval = bootstrap(_of_values(parts, pool), len(parts), resamples)
    if interval is None:
        return Estimate(float(value))
    # A percentile interval need not hold the value that it is drawn around.
    return Estimate(float(value), min(interval[0], float(value)), max(interval[1], float(value)))


def _pool(values: np.ndarray, pool: str) -> float:
    if pool == 'mean':
        return float(values.mean())
    if pool == 'rate':
        return float(1 / values.mean()) if values.mean() > 0 else np.nan
    if pool == 'max':
        return float(values.max())
    if pool[:1] == 'p' and pool[1:].isdigit():
        return float(np.percentile(values, int(pool[1:])))
    raise ValueError(f'pooling is {pool!r}, expected mean, rate, max or a percentile such as p95')


def _of_sums(parts: Sequence[np.ndarray], pool: str) -> Callable[[np.ndarray], np.ndarray]:
    sums = np.array([part.sum() for part in parts])
    counts = np.array([len(part) for part in parts])

    def statistic(drawn: np.ndarray) -> np.ndarray:
        means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
        with np.errstate(divide='ignore'):
            return 1 / means if pool == 'rate' else means

    return statistic


def _of_values(parts: Sequence[np.ndarray], pool: str) -> Callable[[np.ndarray], np.ndarray]:
    """Percentiles of draws without sorting each: all values are sorted once, and weighted."""
    values = np.concatenate(parts)
    order = np.argsort(values)
    values = values[order]
    part_of = np.repeat(np.arange(len(parts)), [len(part) for part in parts])[order]
    share = int(pool[1:]) / 100

    def statistic(drawn: np.ndarray) -> np.ndarray:
        found = np.empty(len(drawn))
        for at, row in enumerate(drawn):
            weights = np.bincount(row, minlength=len(parts))[part_of].cumsum()
            found[at] = values[np.searchsorted(weights, max(share * weights[-1], 1))]
        return found

    return statistic
