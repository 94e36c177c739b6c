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

"""The one request in flight, and what became of those before it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from vla_accel_ros.action_space import ActionSpace
from vla_accel_ros.actions import ActionChunk

RETIRED_KEPT = 64
# Answers over which the delay is looked at: as many as come in a second or two.
DELAYS_KEPT = 8


@dataclass
class Pending:
    """The request in flight.

    Attributes:
        stamp_ns: Capture stamp of its frame, nanoseconds.
        sent_ns: Monotonic time at which it was asked, nanoseconds.
        consumed: Actions commanded since its frame, the frame's own step included.
        expected: float64 [width], what the predictor would have done instead; None without one.
        steps_since_vla: Steps before its frame since the VLA's last action.
    """

    stamp_ns: int
    sent_ns: int
    consumed: int = 0
    expected: np.ndarray | None = None
    steps_since_vla: int = 0

    def age_s(self, now_ns: int) -> float:
        """Seconds since it was asked."""
        return max(now_ns - self.sent_ns, 0) * 1e-9

    def fault(
        self, chunk: ActionChunk, space: ActionSpace, latency_s: float, max_staleness_s: float
    ) -> str | None:
        """Say why an answer to it is of no use, None when it is."""
        if chunk.space != space:
            return 'other_action_space'
        if not chunk.finite:
            return 'nan_or_inf'
        if latency_s > max_staleness_s:
            return 'stale_answer'
        if len(chunk) > 1 and self.consumed >= len(chunk):
            return 'all_rows_consumed'
        return None


class RequestBook:
    """Keeps at most one request open, and remembers why each closed one is closed."""

    def __init__(self) -> None:
        self._pending: Pending | None = None
        self._retired: dict[int, str] = {}
        self._delays: deque[int] = deque(maxlen=DELAYS_KEPT)

    @property
    def pending(self) -> Pending | None:
        """The request in flight, None without one."""
        return self._pending

    @property
    def delay(self) -> int:
        """Actions that were commanded while the VLA computed: the most of the last answers."""
        return max(self._delays, default=0)

    def answered(self, request: Pending) -> None:
        """Close the open request, whose answer came."""
        self._delays.append(request.consumed)
        self.close('already_answered')

    def open(self, request: Pending) -> None:
        """Open a request.

        Raises:
            RuntimeError: When one is open already.
        """
        if self._pending is not None:
            raise RuntimeError(f'request {self._pending.stamp_ns} is open, expected none')
        self._retired.pop(request.stamp_ns, None)
        self._pending = request

    def close(self, reason: str) -> None:
        """Close the open request, if any; the reason is what its later answers are told."""
        if self._pending is None:
            return
        self._retired[self._pending.stamp_ns] = reason
        self._pending = None
        if len(self._retired) > RETIRED_KEPT:
            del self._retired[next(iter(self._retired))]

    def answered_by(self, stamp_ns: int) -> Pending | None:
        """Return the open request if an answer of that stamp is its answer."""
        pending = self._pending
        return pending if pending is not None and pending.stamp_ns == stamp_ns else None

    def why_closed(self, stamp_ns: int) -> str:
        """Say why there is no open request of that stamp."""
        return self._retired.get(stamp_ns, 'unknown_stamp')
