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

"""Actions of any width from the numbers of a single-pass head."""

from __future__ import annotations

import numpy as np

from vla_accel_ros.action_space import END_EFFECTOR, ActionSpace
from vla_accel_ros.files.kinds import FieldError
from vla_accel_ros.models.action_reader import ActionReader
from vla_accel_ros.models.action_tokens import (
    ActionStatistics,
    chosen_key,
    moving_statistics,
    to_si,
)
from vla_accel_ros.models.action_units import in_si
from vla_accel_ros.models.checkpoints.conventions import CONVENTIONS
from vla_accel_ros.models.checkpoints.json_file import CheckpointError
from vla_accel_ros.models.checkpoints.norm_stats import ranges
from vla_accel_ros.models.config import VLAConfig


class SlotActions(ActionReader):
    """Read a chunk's numbers as actions of any width, such as the 14 of two arms' joints.

    Seven columns are an end effector's where the folder does not say another space. Of other
    widths only the folder can say what they are.

    Args:
        config: The model's.
        unnorm_key: Data set whose statistics hold; None where there is only one.

    Raises:
        UnnormKeyError: When the key is missing or wrong; the message lists the keys.
        CheckpointError: When the statistics cannot be used.
    """

    def __init__(self, config: VLAConfig, unnorm_key: str | None = None) -> None:
        self.key = chosen_key(config.norm_stats, unnorm_key)
        self._config, self._width = config, config.action_dims
        self._set(END_EFFECTOR if self._width == END_EFFECTOR.width else None)

    def take(self, space: ActionSpace) -> None:
        """Take what the folder says of the columns; see `ActionReader.take`."""
        if space.width != self._width:
            raise CheckpointError(
                f"{CONVENTIONS} says actions of {space.width} columns, data set '{self.key}' has "
                f'{self._width}'
            )
        self._set(space)

    def _set(self, space: ActionSpace | None) -> None:
        entry, ends = self._config.norm_stats[self.key], self._config.head.ends
        try:
            if space is None:
                # Whether they move an arm as they should is known once it is known what they are.
                own = ActionStatistics(*ranges(entry['action'], f'{self.key}.action', ends))
            else:
                own = moving_statistics(entry, self.key, space, ends)
        except FieldError as error:
            raise CheckpointError(f'statistics: {error}') from error
        if len(own.low) != self._width:
            raise CheckpointError(
                f"data set '{self.key}' has {len(own.low)} action columns, the model {self._width}"
            )
        self.space = space
        self.statistics = own if space is None else in_si(self.key, own, space)

    def __call__(self, normalised: np.ndarray, state: np.ndarray | None = None) -> np.ndarray:
        """Give actions float64 [n, width]; see `ActionReader`."""
        self.check_shape(normalised, self._width)
        if self.space is None:
            return self.statistics.unnormalise(normalised, self._config.head.span_added)
        return to_si(normalised, self.statistics, self._config, self.space)
