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

"""How messages of a topic come, by their stamps: rate, age, and how far two topics lie apart."""

from __future__ import annotations

from collections import deque
from statistics import median

from vla_accel_ros.deploy.robot import Stream

NS = 1_000_000_000
# Fewer messages say nothing, more react late to a driver that was set anew.
WINDOW = 20
LEAST = 5


class Meter:
    """Measures the messages of one topic."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget every message."""
        self._stamps_ns: deque[int] = deque(maxlen=WINDOW + 1)
        self._ages_s: deque[float] = deque(maxlen=WINDOW)
        self._unstamped = 0

    @property
    def newest_ns(self) -> int | None:
        """Stamp of the newest message, nanoseconds; None before one came."""
        return self._stamps_ns[-1] if self._stamps_ns else None

    def add(self, stamp_ns: int, now_ns: int) -> None:
        """Take note of a message.

        Args:
            stamp_ns: Its stamp, nanoseconds; 0 is none.
            now_ns: The present on the same clock.
        """
        if stamp_ns <= 0:
            self._unstamped += 1
            return
        # A driver that stamps again is a new one.
        self._unstamped = 0
        if self._stamps_ns and stamp_ns < self._stamps_ns[-1]:
            # A clock that began anew, or a message out of order.
            self._stamps_ns.clear()
            self._ages_s.clear()
        self._stamps_ns.append(stamp_ns)
        self._ages_s.append((now_ns - stamp_ns) / NS)

    def stream(self) -> Stream:
        """Return what was measured; the age is the median of the newest messages."""
        stamps = self._stamps_ns
        span_ns = stamps[-1] - stamps[0] if len(stamps) >= LEAST else 0
        return Stream(
            NS * (len(stamps) - 1) / span_ns if span_ns else None,
            median(self._ages_s) if self._ages_s else None,
            self._unstamped,
        )


class SkewMeter:
    """Measures how far the stamps of several topics lie apart, where they are nearest.

    Args:
        topics: How many there are.
    """

    def __init__(self, topics: int) -> None:
        self._topics = topics
        self.clear()

    def clear(self) -> None:
        """Forget every message."""
        self._newest_ns: list[int | None] = [None] * self._topics
        self._apart_ns: deque[int] = deque(maxlen=WINDOW)

    def add(self, topic: int, stamp_ns: int) -> None:
        """Take note of a message of a topic, by its place and stamp in nanoseconds."""
        if stamp_ns <= 0:
            return
        self._newest_ns[topic] = stamp_ns
        known = [stamp for stamp in self._newest_ns if stamp is not None]
        if len(known) == self._topics:
            self._apart_ns.append(max(known) - min(known))

    @property
    def skew_s(self) -> float | None:
        """The least difference of late, s; None before several messages of each came."""
        if len(self._apart_ns) < LEAST * min(self._topics, WINDOW // LEAST):
            return None
        return min(self._apart_ns) / NS
