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

"""The joint states of a bag: which of them are the checkpoint's proprioception."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

import numpy as np

from vla_accel_ros.inputs.joint_states import ProprioBuffer
from vla_accel_ros.replay.moment import Faults

# Farthest that proprioception may be from its observation by stamp.
TOLERANCE_NS = 100_000_000
DEPTH = 64


class States:
    """Takes joint states, counts those that are no good, and gives what was current at a frame.

    Several drivers may publish on one topic. What is about other joints is nobody's fault.

    Args:
        names: Which values the checkpoint wants, in its order; empty takes whole messages.
        fits: Called with the values, raises ValueError where the checkpoint cannot take them.
        faults: Counts what is no good.

    Attributes:
        given: Whether there were values for a frame before.
    """

    def __init__(
        self, names: Sequence[str], fits: Callable[[np.ndarray], object], faults: Faults
    ) -> None:
        self._names, self._fits, self._faults = tuple(names), fits, faults
        self._buffer = ProprioBuffer(names, DEPTH)
        self.given = False
        self._came: deque[tuple[int, bool]] = deque(maxlen=DEPTH)
        # Without names the joints of the first message that fits are those that are meant.
        self._joints: set[str] | None = None
        self._doubtful: list[tuple[set[str], str]] = []

    def take(self, stamp_ns: int, topic: str, message) -> None:
        """Take a JointState."""
        joints, positions = list(message.name), message.position
        if len(positions) == 0 and joints:
            # Of a driver that tells velocities or efforts only.
            return
        if self._names and joints and not set(joints) & set(self._names):
            return
        if not self._names and self._joints and joints and not self._joints & set(joints):
            return
        try:
            if not self._names:
                self._fits(np.array(positions, dtype=np.float64))
            self._buffer.add(stamp_ns, joints, positions)
        except ValueError as error:
            self._came.append((stamp_ns, False))
            what = f'{topic}: {error}; frames that are nearest to it are left out'
            if self._names or self._joints is not None:
                self._faults.add('wrong_proprio', what)
            else:
                self._doubtful.append((set(joints), what))
            return
        self._came.append((stamp_ns, True))
        if self._joints is None:
            self._joints = set(joints)
            self.end()

    def never_came(self) -> list[str]:
        """Return the names that no message gave a value of."""
        return self._buffer.absent()

    def end(self) -> None:
        """Count what came before it was known which joints are meant."""
        for joints, what in self._doubtful:
            if not self._joints or not joints or joints & self._joints:
                self._faults.add('wrong_proprio', what)
        self._doubtful.clear()

    def at(self, stamp_ns: int) -> np.ndarray | None:
        """Return the values nearest to a frame; None where that message was no good.

        Raises:
            ValueError: When there are none near enough.
        """
        nearest = min(
            self._came, key=lambda state: (abs(state[0] - stamp_ns), state[1]), default=None
        )
        if nearest is not None and not nearest[1] and abs(nearest[0] - stamp_ns) <= TOLERANCE_NS:
            return None
        values = self._buffer.nearest(stamp_ns, TOLERANCE_NS)
        self._fits(values)
        self.given = True
        return values
