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


"""Proprioception: the values that were current when the cameras looked, by name."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np


class ProprioBuffer:
    """Keeps the newest joint states and gives the one nearest to an observation.

    Args:
        names: Which values, in the order wanted; none takes them all, as they come.
        depth: How many states are kept.
    """

    def __init__(self, names: Sequence[str] = (), depth: int = 64) -> None:
        self._names = tuple(names)
        self._states: deque[tuple[int, np.ndarray]] = deque(maxlen=depth)

    def clear(self) -> None:
        """Forget every state."""
        self._states.clear()

    def add(self, stamp_ns: int, names: Sequence[str], values: Sequence[float]) -> None:
        """Take a state.

        Args:
            stamp_ns: When it was, nanoseconds.
            names: One a value, or none.
            values: The values.

        Raises:
            ValueError: When a wanted name is not there or has no value.
        """
        if self._names:
            known = dict(zip(names, values, strict=False))
            missing = [name for name in self._names if name not in known]
            if missing:
                raise ValueError(f'has no value for {", ".join(missing)}, only {list(known)}')
            values = [known[name] for name in self._names]
        self._states.append((stamp_ns, np.array(values, dtype=np.float64)))

    def nearest(self, stamp_ns: int, tolerance_ns: int) -> np.ndarray:
        """Return the state nearest to an instant, float64 [n].

        Raises:
            ValueError: When none is within the tolerance; says how far the nearest is.
        """
        if not self._states:
            raise ValueError('nothing came on proprio yet')
        stamp, values = min(self._states, key=lambda state: abs(state[0] - stamp_ns))
        if abs(stamp - stamp_ns) > tolerance_ns:
            raise ValueError(
                f'the nearest proprioception is {abs(stamp - stamp_ns) / 1e9:.3f} s from the '
                f'observation, at most {tolerance_ns / 1e9:.3f} s')
        return values
