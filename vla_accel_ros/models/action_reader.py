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

"""From what a model gives to actions in the product's units."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.models.action_tokens import ActionTokens, select_statistics, to_si
from vla_accel_ros.models.action_units import in_si
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.families.oft.config import L1
from vla_accel_ros.models.prediction import NotFiniteError


class ActionReader:
    """Read tokens or regressed numbers as actions of a data set.

    Args:
        config: The model's.
        unnorm_key: Data set whose statistics hold; None where there is only one.

    Attributes:
        key: The data set.
        statistics: Its actions', in m and rad.
        tokens: The action tokeniser.

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
        self.tokens = ActionTokens(config.tokenizer_vocab, config.bins)
        self._config = config

    def of_tokens(self, tokens: Tensor, peaks: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """Read tokens int [n * 7], with the logit of each.

        Returns:
            Actions float64 [n, 7] in m, rad, gripper 0 open to 1 closed; the tokens int64.

        Raises:
            NotFiniteError: When a logit is not finite.
        """
        if not bool(peaks.isfinite().all()):
            raise NotFiniteError('the model gives logits that are NaN or infinite')
        ids = tokens.cpu().numpy()
        return self._product(self.tokens.decode(ids).reshape(-1, END_EFFECTOR.width)), ids

    def of_chunk(self, numbers: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """Read what a single pass gave, `OFTOutput.numbers` of one sample.

        Returns:
            As `of_tokens`; no tokens where numbers were regressed.

        Raises:
            NotFiniteError: When a number is not finite.
        """
        if self._config.oft.head != L1:
            peaks, tokens = numbers.max(-1)
            return self.of_tokens(tokens, peaks)
        if not bool(numbers.isfinite().all()):
            raise NotFiniteError('the model gives actions that are NaN or infinite')
        return self._product(numbers.float().cpu().numpy()), np.empty(0, np.int64)

    def _product(self, normalised: np.ndarray) -> np.ndarray:
        return to_si(normalised, self.statistics, self._config)
