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

"""Whether frames and answers come fast enough for the policy step and the timeouts."""

from __future__ import annotations

from collections import deque
from itertools import pairwise

NS = 1_000_000_000
# Fewer intervals say nothing, more react late to a driver that was set anew.
WINDOW = 20
# The longest intervals say more of a stall than of the rate.
STALLS = 2
# An interval that is longer than the step by more than jitter makes the arm stop and go.
SLOW = 1.25
# A call that takes more of its bound will miss it now and then.
TIGHT = 0.8


class FramePace:
    """The rate of the frames, by the mean interval of their capture stamps, stalls apart."""

    def __init__(self) -> None:
        self._stamps_ns: deque[int] = deque(maxlen=WINDOW + 1)

    def add(self, stamp_ns: int) -> None:
        """Take note of a frame; one that is not newer than the last begins anew."""
        if self._stamps_ns and stamp_ns <= self._stamps_ns[-1]:
            self._stamps_ns.clear()
        self._stamps_ns.append(stamp_ns)

    def clear(self) -> None:
        """Forget every frame."""
        self._stamps_ns.clear()

    @property
    def rate_hz(self) -> float | None:
        """Frames a second, None while too few came."""
        if len(self._stamps_ns) <= WINDOW:
            return None
        stamps = list(self._stamps_ns)
        intervals = sorted(b - a for a, b in pairwise(stamps))[:-STALLS]
        return NS * len(intervals) / sum(intervals)

    def advice(self, step_s: float) -> str:
        """Say that frames come too seldom for a policy step; empty while they do not.

        Args:
            step_s: The policy step, seconds.
        """
        rate_hz = self.rate_hz
        if rate_hz is None or rate_hz * step_s * SLOW >= 1:
            return ''
        return (
            f'frames come at {rate_hz:.3g} Hz, policy_step {step_s:g} s wants {1 / step_s:.3g} '
            'Hz: the arm moves for a step and waits for the next frame'
        )


def call_advice(call_s: float, answer_timeout_s: float, max_staleness_s: float) -> str:
    """Say that calls of the VLA take too long for the bounds; empty while they do not.

    Args:
        call_s: What the model took, seconds.
        answer_timeout_s: After it a request counts as lost.
        max_staleness_s: After it an answer is discarded.
    """
    bounds = {'answer_timeout': answer_timeout_s, 'max_staleness': max_staleness_s}
    missed = [f'{name} is {bound:g} s' for name, bound in bounds.items() if call_s > TIGHT * bound]
    if not missed:
        return ''
    return f'a call takes {call_s:.3g} s, {" and ".join(missed)}: answers come too late, raise it'
