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

"""Where one episode of a recording ends and the next begins."""

from __future__ import annotations

from dataclasses import dataclass

NS = 1_000_000_000


@dataclass
class Splitter:
    """Says which observations begin an episode: what went before is no longer their past.

    A change of the instruction, a pause, a stamp that jumps back. Long episodes are cut, so that
    there is something to draw from when intervals are computed, and little to lose when a run
    is interrupted.

    Attributes:
        pause_s: A longer gap between observations is a pause, seconds.
        longest_s: An episode is cut after so many seconds; 0 never cuts.
    """

    pause_s: float = 1.0
    longest_s: float = 60.0
    _instruction: str = ''
    _newest_ns: int | None = None
    _begun_ns: int = 0

    def __post_init__(self) -> None:
        if not self.pause_s > 0 or not self.longest_s >= 0:
            raise ValueError(
                f'pause {self.pause_s} s, longest episode {self.longest_s} s: expected above 0, '
                'and at least 0'
            )

    def why(self, stamp_ns: int, instruction: str) -> str:
        """Return why an observation begins an episode, empty when it goes on.

        Returns:
            'first', 'jumped_back', 'paused', 'instruction', 'cut' or ''.
        """
        newest, self._newest_ns = self._newest_ns, stamp_ns
        reason = ''
        if newest is None:
            reason = 'first'
        elif stamp_ns < newest:
            reason = 'jumped_back'
        elif stamp_ns - newest > self.pause_s * NS:
            reason = 'paused'
        elif instruction != self._instruction:
            reason = 'instruction'
        elif self.longest_s and stamp_ns - self._begun_ns >= self.longest_s * NS:
            reason = 'cut'
        self._instruction = instruction
        if reason:
            self._begun_ns = stamp_ns
        return reason
