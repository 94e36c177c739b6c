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

"""The interlock: whether the operator lets the arm move, and if not, why."""

from __future__ import annotations

from enum import Enum


class State(str, Enum):
    """Whether the arm may move."""

    DISABLED = 'disabled'
    ENABLED = 'enabled'
    STOPPED = 'stopped'
    FAULT = 'fault'


class Interlock:
    """Off until the operator enables; what stops it first names the reason.

    A stop or a fault can only be left by `enable`; until then later stops and faults change
    neither the state nor the reason.
    """

    def __init__(self) -> None:
        self._state = State.DISABLED
        self._reason = 'not_enabled'
        self._stops = 0

    @property
    def state(self) -> State:
        """The state."""
        return self._state

    @property
    def enabled(self) -> bool:
        """Whether the arm may move."""
        return self._state is State.ENABLED

    @property
    def reason(self) -> str:
        """Why the arm may not move; `enabled` when it may."""
        return self._reason

    @property
    def stops(self) -> int:
        """How often it was stopped or had a fault, also while that was so already."""
        return self._stops

    def enable(self) -> None:
        """Let the arm move."""
        self._state, self._reason = State.ENABLED, 'enabled'

    def disable(self) -> None:
        """Take the enabling back; a stop or fault stays what it is."""
        if self.enabled:
            self._state, self._reason = State.DISABLED, 'not_enabled'

    def stop(self, reason: str) -> bool:
        """Stop for a reason; return whether it was the first."""
        return self._halt(State.STOPPED, reason)

    def fault(self, reason: str) -> bool:
        """Stop for a fault; return whether it was the first."""
        return self._halt(State.FAULT, reason)

    def _halt(self, state: State, reason: str) -> bool:
        self._stops += 1
        if self._state in (State.STOPPED, State.FAULT):
            return False
        self._state, self._reason = state, reason
        return True
