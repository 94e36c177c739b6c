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

"""A robot's state for a flow, and its actions from the network's numbers."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from vla_accel_ros.action_space import END_EFFECTOR, ActionSpace
from vla_accel_ros.files.kinds import FieldError
from vla_accel_ros.models.action_reader import ActionReader
from vla_accel_ros.models.action_tokens import ActionStatistics, chosen_key
from vla_accel_ros.models.action_units import units_of
from vla_accel_ros.models.checkpoints.conventions import CONVENTIONS
from vla_accel_ros.models.checkpoints.json_file import CheckpointError
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.heads.flow_config import OPEN_IS_ONE, SIGNED
from vla_accel_ros.models.normalisation import IDENTITY, LEROBOT_ADDED, Line, line_of
from vla_accel_ros.models.proprio import Proprioception, ProprioError


class Scaling(Protocol):
    """What a configuration says of a flow's numbers; see `families.pi0.config.Pi0Config`."""

    state_scaling: str
    action_scaling: str
    state_added: float
    action_added: float
    relative: tuple[int, ...]
    gripper: str


def action_line(config: VLAConfig, key: str) -> Line:
    """Read how actions of a data set are scaled.

    Raises:
        FieldError: When its statistics do not say it.
    """
    head: Scaling = config.head
    entry, where = config.norm_stats[key]['action'], f'{key}.action'
    return line_of(entry, head.action_scaling, head.action_added, LEROBOT_ADDED, where)


def state_line(config: VLAConfig, key: str) -> Line:
    """Read how the state is scaled; see `action_line`."""
    head: Scaling = config.head
    entry, where = config.norm_stats[key].get('proprio', {}), f'{key}.proprio'
    return line_of(entry, head.state_scaling, head.state_added, LEROBOT_ADDED, where)


class FlowActions(ActionReader):
    """Read a flow's numbers as actions of any width.

    Seven columns are an end effector's, in m and rad, where the folder does not say another space.
    Of other widths only the folder can say what they are.

    Args:
        config: The model's.
        unnorm_key: Data set whose statistics hold; None where there is only one.

    Raises:
        UnnormKeyError: When the key is missing or wrong.
        CheckpointError: When the statistics cannot be used.
    """

    def __init__(self, config: VLAConfig, unnorm_key: str | None = None) -> None:
        self.key = chosen_key(config.norm_stats, unnorm_key)
        self._head: Scaling = config.head
        try:
            self._line = action_line(config, self.key)
        except FieldError as error:
            raise CheckpointError(f'statistics: {error}') from error
        width = len(self._line.low)
        if width != config.action_dims:
            raise CheckpointError(
                f"data set '{self.key}' has {width} action columns, the model {config.action_dims}"
            )
        self._set(END_EFFECTOR if width == END_EFFECTOR.width else None)
        if self._head.action_scaling != IDENTITY and not (self._line.low < self._line.high).any():
            raise CheckpointError(
                f'statistics: {self.key}.action has no column that moves: no action would move '
                'the arm'
            )

    def take(self, space: ActionSpace) -> None:
        """Take what the folder says of the columns; see `ActionReader.take`."""
        if space.width != len(self._line.low):
            raise CheckpointError(
                f'{CONVENTIONS} says actions of {space.width} columns, data set '
                f"'{self.key}' has {len(self._line.low)}"
            )
        self._set(space)

    def _set(self, space: ActionSpace | None) -> None:
        self.space, line = space, self._line
        self._units = np.ones(len(line.low)) if space is None else units_of(self.key, space)
        self.statistics = ActionStatistics(
            line.low * self._units, line.high * self._units, line.moves
        )

    def __call__(self, normalised: np.ndarray, state: np.ndarray | None = None) -> np.ndarray:
        """Give actions float64 [n, width]; see `ActionReader`.

        Args:
            normalised: float [n, width].
            state: float [numbers], the robot's, in the data set's units; wanted where columns are
                differences from it.

        Raises:
            ProprioError: When the state is wanted and missing.
            ValueError: When a head gives another shape.
        """
        self.check_shape(normalised, len(self._units))
        values = self._line.unnormalise(np.asarray(normalised, np.float64))
        if self._head.relative:
            if state is None:
                raise ProprioError('actions are differences from the state, which is missing')
            columns = list(self._head.relative)
            values[:, columns] += np.asarray(state, np.float64)[columns]
        values = values * self._units
        if self.space is not None:
            grippers = values[:, self.space.grippers]
            if self._head.gripper == SIGNED:
                grippers = (grippers + 1) / 2
            elif self._head.gripper == OPEN_IS_ONE:
                grippers = 1 - grippers
            values[:, self.space.grippers] = np.clip(grippers, 0, 1)
        return values


class FlowState(Proprioception):
    """Normalise a robot's state; nothing is clipped.

    Args:
        config: The model's.
        key: Data set whose statistics hold.

    Raises:
        ProprioError: When they are missing or of another size.
    """

    def __init__(self, config: VLAConfig, key: str) -> None:
        self.numbers = config.proprio
        try:
            self._line = state_line(config, key)
        except FieldError as error:
            raise ProprioError(str(error)) from error
        if len(self._line.low) != self.numbers:
            raise ProprioError(
                f"data set '{key}' has {len(self._line.low)} columns of proprioception, the "
                f'checkpoint wants {self.numbers} numbers'
            )

    @property
    def middle(self) -> np.ndarray:
        """The middle of what was seen in training, float64 [numbers]."""
        return (self._line.low + self._line.high) / 2

    def __call__(self, values: np.ndarray | None) -> np.ndarray:
        """Give the normalised state float64 [numbers]; see `Proprioception`."""
        return self._line.normalise(self.checked(values))
