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


"""What the simulated arm makes of a stream of commands, over a control tick."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np

STALE_NS = 100_000_000


class JointTargets:
    """Keep the newest joint positions, as a position controller does: they hold until the next.

    Args:
        names: Names of the joints.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(names)
        self.newest: np.ndarray | None = None

    def reset(self, joints: np.ndarray | None = None) -> None:
        """Forget every command: the arm stays where it is.

        Args:
            joints: That place, rad, [joints]; None where the arm is not moved by joints.
        """
        self.newest = joints

    def command(self, positions: Sequence[float], names: Sequence[str] = ()) -> str:
        """Take joint positions that arrived.

        Args:
            positions: rad, [joints].
            names: One a position; none where they come in this arm's order.

        Returns:
            Why they were dropped (`wrong_joints`, `not_finite`), or '' when they are in force.
        """
        names = names or self._names
        given = dict(zip(names, positions, strict=False))
        if set(given) != set(self._names) or not len(names) == len(positions) == len(given):
            return 'wrong_joints'
        values = np.array([given[name] for name in self._names], dtype=np.float64)
        if not np.isfinite(values).all():
            return 'not_finite'
        self.newest = values
        return ''


class TwistIntegrator:
    """Integrate a stream of twists, each held until the next one (zero-order hold).

    As MoveIt Servo does, a command older than `stale_ns` by its own stamp is dropped, and a
    command moves the arm no longer than `stale_ns` past its stamp. What a twist displaces is
    its value times the time it was in force, so the sum over the ticks is independent of both
    the stream's rate and the tick's. Method: ours, after MoveIt Servo's documented behaviour.

    Args:
        stale_ns: How long a command is valid, nanoseconds.

    Raises:
        ValueError: When `stale_ns` is not positive.
    """

    def __init__(self, stale_ns: int = STALE_NS) -> None:
        if stale_ns <= 0:
            raise ValueError(f'stale_ns is {stale_ns}, expected more than 0')
        self.stale_ns = stale_ns
        self._now_ns = 0
        self._segments: deque[tuple[int, int, np.ndarray]] = deque()

    def reset(self, now_ns: int) -> None:
        """Forget every command; displacement counts from `now_ns` on."""
        self._now_ns = now_ns
        self._segments.clear()

    def command(self, twist: np.ndarray, stamp_ns: int, now_ns: int) -> str:
        """Take a command that arrived.

        Args:
            twist: float [6], m/s and rad/s in the base frame.
            stamp_ns: The command's own stamp, nanoseconds.
            now_ns: When it arrived, on the same clock.

        Returns:
            Why it was dropped (`not_finite`, `stale`, `future`), or '' when it is in force.
        """
        twist = np.asarray(twist, dtype=np.float64)
        if twist.shape != (6,):
            raise ValueError(f'twist has shape {list(twist.shape)}, expected [6]')
        if not np.all(np.isfinite(twist)):
            return 'not_finite'
        if now_ns - stamp_ns > self.stale_ns:
            return 'stale'
        if stamp_ns - now_ns > self.stale_ns:
            return 'future'
        start = max(now_ns, self._now_ns)
        if self._segments:
            begin, end, last = self._segments[-1]
            self._segments[-1] = (begin, min(end, start), last)
        self._segments.append((start, stamp_ns + self.stale_ns, twist))
        return ''

    def displacement(self, now_ns: int) -> np.ndarray:
        """Return the displacement since the last call, float64 [6], metres and radians."""
        total = np.zeros(6)
        for begin, end, twist in self._segments:
            span = min(end, now_ns) - max(begin, self._now_ns)
            if span > 0:
                total += twist * (span * 1e-9)
        self._now_ns = max(now_ns, self._now_ns)
        while self._segments and self._segments[0][1] <= self._now_ns:
            self._segments.popleft()
        return total
