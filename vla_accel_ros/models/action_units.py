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

"""Data sets whose actions are in a controller's units, not in m and rad."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vla_accel_ros.action_space import END_EFFECTOR, ActionSpace
from vla_accel_ros.models.action_tokens import ActionStatistics

# By how the data set's name begins: m and rad that one unit of its controller stands for; the
# gripper is what it is. LIBERO recorded the inputs of robosuite's OSC_POSE, -1..1 for 5 cm and
# 0.5 rad (output_max of its controller files).
UNITS = {'libero': (0.05, 0.5)}


def in_si(
    key: str, statistics: ActionStatistics, space: ActionSpace = END_EFFECTOR
) -> ActionStatistics:
    """Return a data set's statistics in m and rad.

    Without it a checkpoint of LIBERO would ask a robot for steps of up to a metre.

    Args:
        key: Name of the data set.
        statistics: In its own units.
        space: What the columns are; statistics of another width stay as they are.
    """
    if statistics.low.shape != (space.width,):
        return statistics
    units = units_of(key, space)
    if (units == 1).all():
        return statistics
    return replace(statistics, low=statistics.low * units, high=statistics.high * units)


def units_of(key: str, space: ActionSpace = END_EFFECTOR) -> np.ndarray:
    """Give what one unit of each column of a data set is in m, rad or as a gripper.

    Args:
        key: Name of the data set.
        space: What the columns are.

    Returns:
        float64 [width].
    """
    metres, radians = next((u for name, u in UNITS.items() if key.startswith(name)), (1.0, 1.0))
    return space.spread(metres, radians, gripper=1.0)
