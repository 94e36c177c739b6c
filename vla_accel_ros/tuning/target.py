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

"""What a search asks of what it tunes on, be it a simulation or recorded bags."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from vla_accel_ros.acceleration import Method
from vla_accel_ros.evaluation.statistics import Interval, bootstrap
from vla_accel_ros.stopping import Stopped
from vla_accel_ros.tuning.points import Score

__all__ = ['UNITS', 'Plan', 'Run', 'Stop', 'Stopped', 'Target', 'gain']

UNITS = {'time': 'ms', 'flops': 'GFLOP', 'calls': 'calls'}
Stop = Callable[[], bool]
# Where nothing was won, costs count as if half of one had been.
LEAST_PER = 0.5


@dataclass(frozen=True, eq=False)
class Run:
    """What came of a setting, episode by episode.

    Attributes:
        losses: float64 [any] an episode, how much worse than the unaccelerated policy; NaN
            where that is not known.
        costs: What the model cost in each episode.
        per: What costs are counted by: successes or steps, of each episode.
        stopped: Whether it was given up early as hopeless.
        facts: More about it, as plain values.
    """

    losses: list[np.ndarray]
    costs: list[float]
    per: list[float]
    stopped: bool = False
    facts: dict = field(default_factory=dict)

    @property
    def loss(self) -> float:
        """The mean of all losses, NaN where none is known."""
        known = np.concatenate([*map(np.ravel, self.losses), np.empty(0)])
        known = known[np.isfinite(known)]
        return float(known.mean()) if len(known) else float('nan')

    @property
    def cost(self) -> float:
        """Costs over what they are counted by."""
        return float(sum(self.costs) / max(sum(self.per), LEAST_PER))

    def score(self) -> Score:
        """Return what the search wants to know of it."""
        return Score(self.loss, self.cost, self.stopped, self.facts)


def gain(mine: Run, plain: Run) -> tuple[float, Interval | None]:
    """Return how many times less a setting costs than no acceleration, and the interval.

    Args:
        mine: The setting.
        plain: The same episodes without acceleration.

    Returns:
        The ratio, and its bootstrap interval over episodes; None where there is one episode.
    """
    a, b, n, m = (
        np.asarray(x, dtype=np.float64) for x in (mine.costs, plain.costs, mine.per, plain.per)
    )

    def ratio(drawn: np.ndarray) -> np.ndarray:
        by, other_by = (np.maximum(x[drawn].sum(-1), LEAST_PER) for x in (n, m))
        with np.errstate(divide='ignore', invalid='ignore'):
            return (b[drawn].sum(-1) / other_by) / (a[drawn].sum(-1) / by)

    value = float(ratio(np.arange(len(a))))
    return value, bootstrap(ratio, len(a)) if len(a) > 1 else None


class Target(Protocol):
    """What settings are tried on, built in each process.

    Attributes:
        baseline: How the unaccelerated policy does, as plain values: `costs` and `per` of its
            episodes, and what settings are compared with.
    """

    baseline: dict

    def measure(self, method: Method, stop: Stop) -> Run:
        """Try a setting.

        Args:
            method: The setting.
            stop: Asked between episodes whether to end.

        Raises:
            Stopped: When it was.
        """


class Plan(Protocol):
    """What is tuned on, and how it is judged: small, picklable, equal by value.

    Attributes:
        loss_unit: Unit of the loss.
        cost_unit: Unit of the cost.
        timed: Whether the cost is time as measured.
        step_s: Policy step of a robot that runs the result, seconds.
    """

    loss_unit: str
    cost_unit: str
    timed: bool
    step_s: float

    def identity(self) -> dict:
        """Return what makes two searches the same."""

    def build(self, baseline: dict | None, stop: Stop) -> Target:
        """Build the target.

        Args:
            baseline: What another process has found; measured where None.
            stop: Asked whether to end meanwhile.

        Raises:
            Stopped: When it was.
        """

    def paths(self) -> tuple[Path, ...]:
        """List the files and folders that `build` reads, for other machines to be sent them."""

    def at(self, places: Mapping[str, Path]) -> Plan:
        """Return the same where they lie elsewhere.

        Args:
            places: Where each of `paths` lies, by its absolute path on the machine of this plan.
        """

    def held_out(self) -> Plan | None:
        """Return the same on what is not searched on, giving nothing up; None without any."""

    def describe(self) -> str:
        """Say in words what is tuned on."""

    def interval(self, run: Run) -> Interval | None:
        """Return the 95 % interval of a run's loss; None where it cannot be said."""
