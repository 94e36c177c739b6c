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

"""From what the nodes say of their decisions to the records of a replay."""

from __future__ import annotations

from dataclasses import replace
import math

import numpy as np

from vla_accel_ros.evaluation.records import Call, StepRecord
from vla_accel_ros.ros.messages import ChunkStats
from vla_accel_ros.scheduling.decision import Kind

# Kinds and reasons that belong to an answer; all others belong to a frame.
_OF_ANSWERS = {
    (Kind.DELIBERATIVE.value, 'answered'),
    (Kind.VERIFIED.value, 'draft_confirmed'),
    (Kind.QUEUED.value, 'step_already_served'),
}


def is_of_answer(decision: dict[str, str]) -> bool:
    """Tell whether a decision is on an answer of the VLA, not on a frame."""
    return (
        decision['kind'] == Kind.DISCARDED.value
        or (decision['kind'], decision['reason']) in _OF_ANSWERS
    )


def asks(decision: dict[str, str]) -> bool:
    """Tell whether a decision on a frame sent a request: one that has been on its way for no time.

    It takes a clock that stands still from the frame to the decision, as a simulated one does.
    """
    return decision['in_flight_ms'] != '' and float(decision['in_flight_ms']) == 0.0


def record_of(decision: dict[str, str], action: np.ndarray | None) -> StepRecord:
    """Make a record of a decision on a frame.

    Args:
        decision: As `messages.message_to_decision` gives it.
        action: float64 [width] that was sent with it, None without.
    """
    stamp_ns, kind = int(decision['stamp_ns']), decision['kind']
    if kind == Kind.DELIBERATIVE.value and action is None:
        # Asked; unless the answer comes within the step, nothing is sent.
        kind = Kind.WAITING.value
    return StepRecord(
        stamp_ns,
        kind,
        decision['reason'],
        float(decision['speed_m_s']),
        float(decision['angular_speed_rad_s']),
        int(decision['queued']),
        action=action,
        source=decision['source'] or None,
        sent_ns=None if action is None else stamp_ns,
    )


def with_answer(
    record: StepRecord, decision: dict[str, str], action: np.ndarray | None, now_ns: int
) -> StepRecord:
    """Return the record of a step in which an answer came.

    Args:
        record: Of the step.
        decision: On the answer.
        action: float64 [width] that was sent with it, None without.
        now_ns: When it came.
    """
    if decision['kind'] == Kind.DISCARDED.value:
        return replace(record, discarded=decision['reason'])
    if action is None:
        return record
    return replace(
        record,
        kind=decision['kind'],
        reason=decision['reason'],
        action=action,
        speed=float(decision['speed_m_s']),
        angular_speed=float(decision['angular_speed_rad_s']),
        queued=int(decision['queued']),
        source=decision['source'],
        sent_ns=now_ns,
    )


def call_of(stats: ChunkStats, stamp_ns: int, latency_ms: float, tokens: int) -> Call:
    """Make the record of a call from the statistics that came with its answer.

    Which tokens were kept, and so its operations, and steps of a flow the messages do not say.

    Args:
        stats: Those of the chunk.
        stamp_ns: Of the frame that it looked at.
        latency_ms: After which its answer was there.
        tokens: Visual tokens of the policy.
    """
    return Call(
        stats.model_s * 1e3,
        latency_ms,
        round(stats.keep_ratio * tokens),
        np.empty(0, dtype=np.int64),
        stats.keep_ratio,
        '',
        int(stats.passes),
        int(stats.accepted),
        math.nan,
        stamp_ns,
        math.nan,
    )
