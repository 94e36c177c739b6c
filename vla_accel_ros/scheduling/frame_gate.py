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

"""The frame gate: a camera's frames, thinned to the policy's rate by their capture stamps."""

from __future__ import annotations

from enum import Enum

NS = 1_000_000_000
# A frame may come this share of a step before its step is due: a camera at the policy's own
# rate must not lose every other frame to jitter. The phase is kept, so the mean rate is exact.
EARLY = 0.25


class Gate(str, Enum):
    """What a frame is to the policy's clock; the values are reasons for a decision."""

    DUE = 'due'
    FIRST = 'first'
    PAUSED = 'paused'
    JUMPED_BACK = 'jumped_back'
    BETWEEN_STEPS = 'between_steps'
    OUT_OF_ORDER = 'out_of_order'

    @property
    def due(self) -> bool:
        """Whether the frame begins a policy step."""
        return self not in (Gate.BETWEEN_STEPS, Gate.OUT_OF_ORDER)

    @property
    def restarted(self) -> bool:
        """Whether what came before the frame is no longer its past."""
        return self in (Gate.PAUSED, Gate.JUMPED_BACK)


class FrameGate:
    """Phase accumulator over capture stamps: one due frame a policy step on average.

    Args:
        step_s: Policy step, seconds.
        pause_s: A gap above it is a pause, a stamp back by more a new clock (simulator reset).
    """

    def __init__(self, step_s: float, pause_s: float) -> None:
        self.configure(step_s, pause_s)
        self.reset()

    def configure(self, step_s: float, pause_s: float) -> None:
        """Change the step and the pause, keeping the phase."""
        self._step_ns = round(step_s * NS)
        self._early_ns = round(step_s * EARLY * NS)
        self._pause_ns = round(pause_s * NS)

    def reset(self) -> None:
        """Forget the phase: the next frame is the first."""
        self._newest_ns: int | None = None
        self._due_ns = 0

    def admit(self, stamp_ns: int) -> Gate:
        """Place a frame.

        Args:
            stamp_ns: Its capture stamp, nanoseconds.
        """
        newest = self._newest_ns
        if newest is None:
            gate = Gate.FIRST
        elif stamp_ns < newest - self._pause_ns:
            gate = Gate.JUMPED_BACK
        elif stamp_ns <= newest:
            return Gate.OUT_OF_ORDER
        elif stamp_ns > newest + self._pause_ns:
            gate = Gate.PAUSED
        else:
            gate = Gate.DUE
        self._newest_ns = stamp_ns
        if gate is not Gate.DUE or stamp_ns >= self._due_ns + self._step_ns:
            # A step or more behind: catching up would send actions in bursts.
            self._due_ns = stamp_ns + self._step_ns
            return gate
        if stamp_ns < self._due_ns - self._early_ns:
            return Gate.BETWEEN_STEPS
        self._due_ns += self._step_ns
        return Gate.DUE
