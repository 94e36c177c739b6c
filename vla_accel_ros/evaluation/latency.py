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

"""How long an answer takes on the clock of an evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Protocol

import numpy as np


class Latency(Protocol):
    """A latency model, begun anew for each episode.

    Attributes:
        deterministic: Whether the same episode always takes the same.
    """

    deterministic: bool

    def begin(self, seed: int) -> None:
        """Begin an episode."""

    def ms(self, model_ms: float) -> float:
        """Return the milliseconds from request to answer.

        Args:
            model_ms: What the call really took.
        """

    def about(self) -> object:
        """Return what it is, as plain values."""


@dataclass(frozen=True)
class Fixed:
    """Always the same.

    Attributes:
        value: Milliseconds.

    Raises:
        ValueError: When it is negative or not finite.
    """

    value: float
    deterministic = True

    def __post_init__(self) -> None:
        if not 0 <= self.value < inf:
            raise ValueError(f'latency is {self.value} ms, expected at least 0 and finite')

    def begin(self, seed: int) -> None:
        """Begin an episode; nothing to do."""

    def ms(self, model_ms: float) -> float:
        """Return the milliseconds."""
        return self.value

    def about(self) -> object:
        """Return what it is."""
        return {'fixed_ms': self.value}


@dataclass(frozen=True)
class Measured:
    """What the call took: true to this machine, and different each time."""

    deterministic = False

    def begin(self, seed: int) -> None:
        """Begin an episode; nothing to do."""

    def ms(self, model_ms: float) -> float:
        """Return the milliseconds."""
        return model_ms

    def about(self) -> object:
        """Return what it is."""
        return 'measured'


class Recorded:
    """Drawn from what calls took before, the same for the same seed.

    Args:
        quantiles: Milliseconds at evenly spaced shares from 0 to 1, ascending, at least 1;
            between them is interpolated.

    Raises:
        ValueError: When they are not ascending numbers of at least 0.
    """

    deterministic = True

    def __init__(self, quantiles: Sequence[float]) -> None:
        self.quantiles = tuple(float(q) for q in quantiles)
        values = np.array(self.quantiles)
        if (
            not len(values)
            or not np.isfinite(values).all()
            or values[0] < 0
            or (np.diff(values) < 0).any()
        ):
            raise ValueError(
                f'latencies are {list(quantiles)} ms, expected ascending numbers of at least 0'
            )
        self._shares = np.linspace(0, 1, len(values))
        self.begin(0)

    def begin(self, seed: int) -> None:
        """Begin an episode."""
        self._generator = np.random.default_rng(seed)

    def ms(self, model_ms: float) -> float:
        """Return the milliseconds."""
        return float(np.interp(self._generator.random(), self._shares, self.quantiles))

    def about(self) -> object:
        """Return what it is."""
        return {'quantiles_ms': list(self.quantiles)}
