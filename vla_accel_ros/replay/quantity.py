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

"""One number that is measured of a method, and what it is measured on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vla_accel_ros.action_space import ActionSpace
from vla_accel_ros.replay.trace import Trace
from vla_accel_ros.report.data import Measure

RECORDED, REFERENCE = 'recorded', 'reference'


@dataclass(frozen=True, eq=False)
class View:
    """One method in one episode, beside what it is compared with.

    Attributes:
        trace: What it did.
        others: float64 [n, width] by what is compared with, NaN where not known.
        step_s: Policy step, seconds.
        space: What the columns of actions are.
    """

    trace: Trace
    others: dict[str, np.ndarray]
    step_s: float
    space: ActionSpace


@dataclass(frozen=True)
class Quantity:
    """One number that is measured.

    Attributes:
        measure: What it is called.
        of: Its values in an episode, float64 [any]; NaN ones do not count.
        pool: How all values become one number: as `pooling.estimate` takes it.
    """

    measure: Measure
    of: Callable[[View], np.ndarray]
    pool: str = 'mean'
