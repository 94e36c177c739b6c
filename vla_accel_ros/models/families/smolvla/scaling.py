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

"""State and action between the robot's units and a SmolVLA's: mean and standard deviation."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.families.smolvla.statistics import KEY
from vla_accel_ros.models.proprio import ProprioError

# LeRobot's guard against a column that never changes.
ADDED = 1e-8


class Scaling:
    """Both ways of one feature.

    Args:
        columns: `mean` and `std`.
    """

    def __init__(self, columns: Mapping) -> None:
        self.mean, self.std = (np.array(columns[name], np.float64) for name in ('mean', 'std'))

    def normalised(self, values: np.ndarray) -> np.ndarray:
        """Scale [..., columns]: (x - mean) / (std + 1e-8)."""
        return (values - self.mean) / (self.std + ADDED)

    def restored(self, values: np.ndarray) -> np.ndarray:
        """Bring back [..., columns or more]: x std + mean; columns beyond these are cut off."""
        return values[..., : len(self.mean)] * self.std + self.mean


class State:
    """From a robot's state to what the model takes.

    Args:
        config: The checkpoint's.
    """

    def __init__(self, config: VLAConfig) -> None:
        self.numbers = config.proprio
        self._scaling = Scaling(config.norm_stats[KEY]['proprio'])

    @property
    def middle(self) -> np.ndarray:
        """The mean of what was seen in training, float64 [numbers]."""
        return self._scaling.mean

    def __call__(self, values: np.ndarray | None) -> np.ndarray:
        """Scale.

        Args:
            values: float [numbers] in the robot's units, or None.

        Returns:
            float32 [numbers].

        Raises:
            ProprioError: When there are none, another number of them, or NaN among them.
        """
        wanted = f'the checkpoint wants {self.numbers} numbers of state'
        if values is None:
            raise ProprioError(f'{wanted}, the observation has none')
        values = np.asarray(values, np.float64)
        if values.shape != (self.numbers,):
            raise ProprioError(f'{wanted}, the observation has {list(values.shape)}')
        if not np.isfinite(values).all():
            raise ProprioError(f'{wanted}, the observation has {values.tolist()}')
        return self._scaling.normalised(values).astype(np.float32)
