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

"""Episodes for tests, made up or compared."""

from collections.abc import Sequence

import numpy as np

from vla_accel_ros.evaluation.episode import EpisodeResult
from vla_accel_ros.evaluation.records import Call, StepRecord


def call(ms: float = 20.0, keep: float = 1.0, **others) -> Call:
    values = {
        'latency_ms': 0.0,
        'kept': round(72 * keep),
        'kept_ids': np.arange(round(72 * keep)),
        'pruning': 'keep_all',
        'passes': 7,
        'accepted': 0,
        'flops': 1e9,
        'stamp_ns': 0,
        'flow_steps': 0,
    }
    return Call(model_ms=ms, keep=keep, **{**values, **others})


def episode(
    method: str,
    seed: int,
    success: bool,
    calls: Sequence[Call | None],
    instruction: str = 'pick up the red cube',
    jerk: Sequence[float] = (),
) -> EpisodeResult:
    """Make up an episode, one step a call or None; steps without one are intuitive."""
    records = tuple(
        StepRecord(i, 'intuitive' if c is None else 'deliberative', 'made_up', 0.1, 0.0, 0, call=c)
        for i, c in enumerate(calls)
    )
    return EpisodeResult(
        method, seed, instruction, success, records, np.zeros((len(records), 7)), np.array(jerk)
    )


def timeless(result: EpisodeResult):
    """Return what must be the same however often and wherever an episode is run."""
    return (
        result.method,
        result.seed,
        result.instruction,
        result.success,
        result.actions.tobytes(),
        result.jerk.tobytes(),
        [
            (
                r.stamp_ns,
                r.kind,
                r.reason,
                r.speed,
                r.source,
                r.sent_ns,
                r.discarded,
                None
                if r.call is None
                else (
                    r.call.kept_ids.tolist(),
                    r.call.passes,
                    r.call.accepted,
                    r.call.flops,
                    r.call.pruning,
                ),
            )
            for r in result.records
        ],
    )
