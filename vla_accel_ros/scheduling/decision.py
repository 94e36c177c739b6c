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

"""What the scheduler decides: one decision for every frame and every answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from vla_accel_ros.actions import Action


class Kind(str, Enum):
    """What became of a frame or an answer.

    A frame is intuitive (predictor's action), queued (next row of a chunk), bridged
    (predictor's action while the VLA is computing), deliberative (the VLA is asked), waiting
    (nothing sent) or skipped (no step of the policy). An answer is deliberative or verified
    (its first row is sent), queued (its step already had an action; it waits for the next) or
    discarded.
    """

    INTUITIVE = 'intuitive'
    DELIBERATIVE = 'deliberative'
    VERIFIED = 'verified'
    QUEUED = 'queued'
    BRIDGED = 'bridged'
    WAITING = 'waiting'
    SKIPPED = 'skipped'
    DISCARDED = 'discarded'


@dataclass(frozen=True, eq=False)
class Request:
    """A question to the VLA.

    Attributes:
        stamp_ns: Capture stamp of the frame to look at, nanoseconds.
        instruction: What to do, in words.
        last_action: The last action sent, the motion that steers pruning; None at the start.
        draft: float64 [width], the predictor's action for this step, to verify; None without one.
        tail: float64 [k, width], what is left of the old chunk: the row of this step and those
            behind it; None where no chunk goes on meanwhile.
        delay: Rows of the answer whose steps will be over when it comes, as was seen of late; of
            the old chunk so many are executed come what may.
    """

    stamp_ns: int
    instruction: str
    last_action: Action | None
    draft: np.ndarray | None
    tail: np.ndarray | None = None
    delay: int = 0


@dataclass(frozen=True, eq=False)
class Decision:
    """What was decided, why, and what is to be sent.

    Attributes:
        kind: What became of the frame or answer.
        reason: Why, a stable name.
        stamp_ns: Capture stamp of the frame, or of the observation answered, nanoseconds.
        action: To send to the arm, or None.
        request: To send to the VLA, or None.
        speed: Speed of the action, or of the last one where there is none, m/s.
        angular_speed: Its angular speed, rad/s.
        latency_s: Seconds from request to answer; None unless an answer was taken.
        in_flight_s: Seconds that the open request has been computing; None without one.
        consumed: Rows of the answer dropped because their steps were already commanded.
        queued: Rows left in the queue.
    """

    kind: Kind
    reason: str
    stamp_ns: int
    action: Action | None = None
    request: Request | None = None
    speed: float = 0.0
    angular_speed: float = 0.0
    latency_s: float | None = None
    in_flight_s: float | None = None
    consumed: int = 0
    queued: int = 0
