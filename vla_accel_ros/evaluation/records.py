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

"""What is known of one step of the policy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Call:
    """One call of the model.

    Attributes:
        model_ms: Milliseconds that it took, preprocessing and selection included.
        latency_ms: Milliseconds after which its answer is there, by the clock of the evaluation.
        kept: Visual tokens that the decoder's last layer saw.
        kept_ids: int [kept], which ones, camera * tokens + index, ascending.
        keep: Those over all visual tokens.
        pruning: Why they were kept, a stable name.
        passes: Passes of the language model, the prefill included.
        accepted: Tokens of the draft that the model confirmed.
        flops: Floating-point operations by the cost model.
        stamp_ns: Capture stamp of the frame that it looked at, nanoseconds.
        flow_steps: Evaluations of the network that denoises; 0 where none does,
            NaN where it is not known.
    """

    model_ms: float
    latency_ms: float
    kept: int
    kept_ids: np.ndarray
    keep: float
    pruning: str
    passes: int
    accepted: int
    flops: float
    stamp_ns: int
    flow_steps: float


@dataclass(frozen=True, eq=False)
class StepRecord:
    """What became of one frame, until the next one.

    Attributes:
        stamp_ns: Capture stamp of the frame, nanoseconds.
        kind: Who took the step, a value of `scheduling.decision.Kind`: that of the answer where
            an answer brought the action, `waiting` where nothing was sent, otherwise that of
            the frame.
        reason: Why, a stable name.
        speed: Speed of the action, or of the last one where there is none, m/s.
        angular_speed: Its angular speed, of joints that of the fastest, rad/s.
        queued: Rows left in the queue.
        action: float64 [width] that was sent, None where none was; columns as the policy's space.
        source: What produced it, a value of `actions.Source`; None without one.
        sent_ns: When it was sent, monotonic nanoseconds; None without one.
        call: The call that began with this frame, None without one.
        discarded: Why an answer that came in this step was discarded, None without one.
    """

    stamp_ns: int
    kind: str
    reason: str
    speed: float
    angular_speed: float
    queued: int
    action: np.ndarray | None = None
    source: str | None = None
    sent_ns: int | None = None
    call: Call | None = None
    discarded: str | None = None
