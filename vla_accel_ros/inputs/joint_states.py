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
from collections.abc import Mapping, Sequence

import numpy as np

# Names that came but are not wanted are only for the message that says what is missing.
SHOWN = 20
# Nothing that an arm measures is larger, in m, rad or N.
LARGEST = 1e9


class ProprioBuffer:
    """Keeps the newest joint states and gives the values nearest to an observation.

    A robot may have several drivers, each with a message of its own: of each name the nearest
    value counts, whatever message it came in.

    Args:
        names: Which values, in the order wanted, one of them perhaps several times; none takes
            whole messages, as they come.
        depth: How many values of a name are kept, or messages.
        topic: Where they come from, for messages.
    """

    def __init__(self, names: Sequence[str] = (), depth: int = 64, topic: str = 'proprio') -> None:
        self._names, self._depth, self._topic = tuple(names), depth, topic
        self.clear()

    def clear(self) -> None:
        """Forget every state."""
        self._whole: deque[tuple[int, np.ndarray]] = deque(maxlen=self._depth)
        self._values: dict[str, deque[tuple[int, float]]] = {
            name: deque(maxlen=self._depth) for name in self._names
        }
        self._others: dict[str, None] = {}

    def add(self, stamp_ns: int, names: Sequence[str], values: Sequence[float]) -> None:
        """Take a state; one that has none of the wanted names changes nothing.

        Args:
            stamp_ns: When it was, nanoseconds.
            names: One a value, or none.
            values: The values; none for a driver that tells no positions.

        Raises:
            ValueError: When names and values do not go together, a wanted name comes twice, or
                a value is not finite or cannot be. Other values of wanted names are taken all
                the same.
        """
        names = list(names)
        if len(values) == 0:
            return
        if names and len(names) != len(values):
            raise ValueError(f'has {len(values)} values for {len(names)} names')
        if not self._names:
            _check_possible(dict(zip(names or range(len(values)), values, strict=True)))
            self._whole.append((stamp_ns, np.array(values, dtype=np.float64)))
            return
        if not names:
            raise ValueError(f'has no names, expected {", ".join(self._names)} among them')
        wanted = [name for name in names if name in self._values]
        if len(set(wanted)) < len(wanted):
            twice = sorted({name for name in wanted if wanted.count(name) > 1})
            raise ValueError(f'names {", ".join(twice)} twice')
        known = dict(zip(names, map(float, values), strict=True))
        for name in wanted:
            if _possible(known[name]):
                self._values[name].append((stamp_ns, known[name]))
        if len(self._others) < SHOWN:
            self._others.update((name, None) for name in names if name not in self._values)
        _check_possible({name: known[name] for name in wanted})

    def absent(self) -> list[str]:
        """Return the wanted names that no state gave a value of."""
        return [name for name, values in self._values.items() if not values]

    def nearest(self, stamp_ns: int, tolerance_ns: int) -> np.ndarray:
        """Return the values nearest to an instant, float64 [n]; another thread may add meanwhile.

        Raises:
            ValueError: When one is not within the tolerance; says how far the nearest is.
        """
        nothing = f'nothing came on {self._topic} yet'
        if not self._names:
            if not self._whole:
                raise ValueError(nothing)
            return _nearest(self._whole, stamp_ns, tolerance_ns, 'proprioception')
        absent = self.absent()
        if absent and len(absent) == len(self._names) and not self._others:
            raise ValueError(nothing)
        if absent:
            there = [name for name in self._names if name not in absent] + list(self._others)
            raise ValueError(
                f'no value for {", ".join(absent)} yet, only for {", ".join(there[:SHOWN])}'
            )
        found = {
            name: _nearest(values, stamp_ns, tolerance_ns, name)
            for name, values in self._values.items()
        }
        return np.array([found[name] for name in self._names])


def _nearest(states: deque, stamp_ns: int, tolerance_ns: int, what: str):
    stamp, value = min(tuple(states), key=lambda state: abs(state[0] - stamp_ns))
    if abs(stamp - stamp_ns) > tolerance_ns:
        raise ValueError(
            f'the nearest {what} is {abs(stamp - stamp_ns) / 1e9:.3f} s from the '
            f'observation, at most {tolerance_ns / 1e9:.3f} s'
        )
    return value


def _possible(value: float) -> bool:
    # NaN compares as false.
    return abs(value) <= LARGEST


def _check_possible(values: Mapping[object, float]) -> None:
    wrong = [f'{name} is {value}' for name, value in values.items() if not _possible(value)]
    if wrong:
        raise ValueError(f'{", ".join(wrong)}, expected finite values of at most {LARGEST:g}')
