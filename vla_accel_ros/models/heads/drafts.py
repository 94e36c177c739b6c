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

"""Draft actions as tokens, for the model to verify."""

from __future__ import annotations

import numpy as np

from vla_accel_ros.action_space import END_EFFECTOR, ActionSpace
from vla_accel_ros.models.action_tokens import ActionStatistics, ActionTokens, from_si, to_si
from vla_accel_ros.models.config import VLAConfig

GIVEN, PREVIOUS, NONE = SOURCES = ('given', 'previous', 'none')


class Drafts:
    """Bring drafts to tokens, with what the model's own answers teach.

    Args:
        tokens: The action tokeniser.
        statistics: Of the data set.
        config: Of the model.
        space: What an action's columns are.

    Attributes:
        blank: The token of the middle of the range, for where there is nothing to propose.
    """

    def __init__(
        self,
        tokens: ActionTokens,
        statistics: ActionStatistics,
        config: VLAConfig,
        space: ActionSpace = END_EFFECTOR,
    ) -> None:
        self._tokens, self._statistics, self._config = tokens, statistics, config
        self._space = space
        self._previous: np.ndarray | None = None
        self.blank = int(tokens.encode(np.zeros(())))

    def forget(self) -> None:
        """Begin an episode: its first step has no previous answer."""
        self._previous = None

    def learn(self, ids: np.ndarray) -> None:
        """Take in the tokens [width] that the model answered."""
        self._previous = ids

    def propose(self, source: str, values: np.ndarray | None) -> list[int] | None:
        """Give the draft to verify.

        Args:
            source: One of `SOURCES`.
            values: float [width] in m, rad, gripper 0 open to 1 closed, for `given`.

        Returns:
            Its tokens, None where there is none. A draft that is not finite is none: it is
            only a hint.

        Raises:
            ValueError: When there are not as many values as columns.
        """
        previous = self._previous
        if source == PREVIOUS:
            return None if previous is None else previous.tolist()
        if source == NONE or values is None:
            return None
        values = self._space.array(values, 'draft')
        if not np.isfinite(values).all():
            return None
        ids = self._tokens.encode(from_si(values, self._statistics, self._config, self._space))
        if previous is not None:
            # Some tokens stand for one value: both at the upper end, all of a shut gripper.
            # Of these the model most likely says again what it said.
            said = to_si(
                self._tokens.decode(previous), self._statistics, self._config, self._space
            )
            ids = np.where(np.isclose(values, said, rtol=0, atol=1e-9), previous, ids)
        return ids.tolist()
