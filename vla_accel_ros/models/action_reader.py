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

"""From a head's normalised numbers to actions in m and rad."""

from __future__ import annotations

import numpy as np

from vla_accel_ros.action_space import END_EFFECTOR, ActionSpace
from vla_accel_ros.models.action_tokens import select_statistics, to_si
from vla_accel_ros.models.action_units import in_si
from vla_accel_ros.models.checkpoints.conventions import CONVENTIONS
from vla_accel_ros.models.checkpoints.json_file import CheckpointError
from vla_accel_ros.models.config import VLAConfig


class ActionReader:
    """Read normalised numbers as actions of a data set.

    Args:
        config: The model's.
        unnorm_key: Data set whose statistics hold; None where there is only one.

    Attributes:
        key: The data set.
        statistics: Its actions', in m and rad.
        space: What an action's columns are; None where that is not known.

    Raises:
        UnnormKeyError: When the key is missing or wrong; the message lists the keys.
        ValueError: When the statistics are not those of 7 columns.
    """

    def __init__(self, config: VLAConfig, unnorm_key: str | None = None) -> None:
        self.key, own = select_statistics(config.norm_stats, unnorm_key)
        self.statistics = in_si(self.key, own)
        columns = self.statistics.low.shape
        width = END_EFFECTOR.width
        if columns != (width,) or config.action_dims != width:
            raise ValueError(
                f"data set '{self.key}' has {columns[0]} action columns and the model "
                f'{config.action_dims}, expected {width}'
            )
        self.space: ActionSpace | None = END_EFFECTOR
        self._config = config

    def __call__(self, normalised: np.ndarray, state: np.ndarray | None = None) -> np.ndarray:
        """Give actions float64 [n, 7] in m, rad, gripper 0 open to 1 closed.

        Args:
            normalised: float [n, 7], as `HeadAnswer.actions`.
            state: The robot's proprioception, in the data set's units.

        Raises:
            ValueError: When a head gives another shape.
        """
        self.check_shape(normalised, END_EFFECTOR.width)
        return to_si(normalised, self.statistics, self._config)

    def take(self, space: ActionSpace) -> None:
        """Take note of what the checkpoint's folder says of the columns.

        Args:
            space: The columns.

        Raises:
            CheckpointError: When the head does not answer them.
        """
        if space != self.space:
            raise CheckpointError(
                f'{CONVENTIONS} says actions of {space!r}, and the head answers {self.space!r}'
            )

    def check_shape(self, normalised: np.ndarray, width: int) -> None:
        """Check what a head gives.

        Raises:
            ValueError: When it is not [n, width].
        """
        shape = normalised.shape
        if len(shape) != 2 or not shape[0] or shape[1] != width:
            raise ValueError(
                f'the head gives actions of shape {list(shape)}, expected [n, {width}]'
            )
