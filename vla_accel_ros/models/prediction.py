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

"""What a policy answers, and how it can fail to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vla_accel_ros.models.cost.workload import Workload


class ImageIgnoredError(RuntimeError):
    """A black and a white image give the same logits: the model does not see."""


class NotFiniteError(RuntimeError):
    """The model's output is NaN or infinite."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """What the policy answers to one observation.

    Attributes:
        chunk_values: float64 [n, 7], one row a policy step; m, rad, gripper 0 open to 1 closed.
        token_ids: int64 [n * 7], as the model gave them; none where it regresses numbers.
        timings_ms: Milliseconds by stage (`stopwatch.STAGES`) and in `total`.
        kept: Visual tokens that the decoder's last layer saw.
        kept_ids: int64 [kept], which ones, camera * tokens + index, ascending.
        seen: Visual tokens that each decoder layer saw.
        pruning: Why they were kept, a stable name.
        passes: Passes of the language model, the prefill included.
        accepted: Tokens of the draft that the model confirmed.
        work: What the model did, for the cost model; None where that is not known.
        engine: What ran the model, and why where it is not what was asked for; see
            `in_use.InUse`.
        plan: What the planner says of the pruning method, in words; empty where it is not asked.
    """

    chunk_values: np.ndarray
    token_ids: np.ndarray
    timings_ms: dict[str, float]
    kept: int
    kept_ids: np.ndarray
    seen: tuple[int, ...]
    pruning: str
    passes: int
    accepted: int
    work: Workload | None = None
    engine: str = 'eager'
    plan: str = ''
