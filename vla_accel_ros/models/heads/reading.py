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

"""Tokens and regressed numbers as normalised actions; what is not finite is never an action."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from vla_accel_ros.engines import host
from vla_accel_ros.models.action_tokens import ActionTokens
from vla_accel_ros.models.prediction import NotFiniteError


def read_tokens(
    tokens: ActionTokens, ids: Tensor, peaks: Tensor, width: int
) -> tuple[np.ndarray, np.ndarray]:
    """Read tokens.

    Args:
        tokens: The action tokeniser.
        ids: int [n * width].
        peaks: [n * width], the logit of each.
        width: Numbers in an action.

    Returns:
        Normalised actions float64 [n, width]; the tokens int64 [n * width].

    Raises:
        NotFiniteError: When a logit is not finite.
    """
    ids, peaks = host.fetch([ids, peaks])
    if not bool(peaks.isfinite().all()):
        raise NotFiniteError('the model gives logits that are NaN or infinite')
    said = ids.numpy()
    return tokens.decode(said).reshape(-1, width), said


def read_numbers(numbers: Tensor) -> np.ndarray:
    """Read normalised numbers [n, width].

    Returns:
        Normalised actions, [n, width].

    Raises:
        NotFiniteError: When one is not finite.
    """
    numbers = numbers.float().cpu()
    if not bool(numbers.isfinite().all()):
        raise NotFiniteError('the model gives actions that are NaN or infinite')
    return numbers.numpy()
