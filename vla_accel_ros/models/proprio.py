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

"""Proprioception as a checkpoint wants it: so many numbers, scaled to -1..1 and clipped."""

from __future__ import annotations

import numpy as np

from vla_accel_ros.files.kinds import FieldError
from vla_accel_ros.models.checkpoints.norm_stats import ranges
from vla_accel_ros.models.config import VLAConfig


class ProprioError(ValueError):
    """Proprioception is missing, or is not what the checkpoint wants."""


class Proprioception:
    """From a robot's proprioception to what the model takes.

    Args:
        config: The checkpoint's, whose `proprio` is not 0.
        key: Data set whose statistics hold.

    Raises:
        ProprioError: When the data set's statistics are missing, of another size or no numbers.
    """

    def __init__(self, config: VLAConfig, key: str) -> None:
        self.numbers = config.proprio
        statistics = config.norm_stats[key].get('proprio') or {}
        ends = config.head.ends
        if not set(ends) <= set(statistics):
            raise ProprioError(
                f"data set '{key}' has no {' and '.join(ends)} of proprioception, the checkpoint "
                f'wants {self.numbers} numbers'
            )
        try:
            low, high, self._mask = ranges(statistics, f'{key}.proprio', ends)
        except FieldError as error:
            raise ProprioError(str(error)) from error
        if len(low) != self.numbers:
            raise ProprioError(
                f"data set '{key}' has {len(low)} columns of proprioception, the "
                f'checkpoint wants {self.numbers} numbers'
            )
        self._low, self._span = low, high - low
        self._added = config.head.span_added

    @property
    def middle(self) -> np.ndarray:
        """The middle of the range that was seen in training, float64 [numbers]."""
        return self._low + self._span / 2

    def __call__(self, values: np.ndarray | None) -> np.ndarray:
        """Scale and clip.

        Args:
            values: float [numbers] in the data set's units, or None.

        Returns:
            float32 [numbers] in -1..1.

        Raises:
            ProprioError: When there are none, another number of them, or NaN among them.
        """
        values = self.checked(values)
        scaled = 2 * (values - self._low) / (self._span + self._added) - 1
        return np.clip(np.where(self._mask, scaled, values), -1, 1).astype(np.float32)

    def checked(self, values: np.ndarray | None) -> np.ndarray:
        """Give proprioception float64 [numbers] as it is.

        Raises:
            ProprioError: When there are none, another number of them, or NaN among them.
        """
        wanted = f'the checkpoint wants {self.numbers} numbers of proprioception'
        if values is None:
            raise ProprioError(f'{wanted}, the observation has none')
        values = np.asarray(values, np.float64)
        if values.shape != (self.numbers,):
            raise ProprioError(f'{wanted}, the observation has {list(values.shape)}')
        if not np.isfinite(values).all():
            raise ProprioError(f'{wanted}, the observation has {values.tolist()}')
        return values
