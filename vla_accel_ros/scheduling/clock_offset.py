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

"""How far another host's clock is from ours, from questions and answers over a slow link."""

from __future__ import annotations

from collections import deque

from vla_accel_ros.options import Option

# Exchanges that are kept: some seconds, in which no clock of a computer drifts by a millisecond.
KEPT = 16
# What a stamp of ROS can say, nanoseconds.
LARGEST_NS = 2**63
BOUND = Option(
    'max_clock_offset',
    0.1,
    "How far the clock of inference's host may surely be from ours: beyond it the arm is not "
    'enabled, and no answer is used',
    unit='s',
    range=(0.001, 10.0),
)

# Of a number that is none of a clock, in errors.
DIGITS = 30


class ClockOffset:
    """Bounds of an offset, from exchanges of four stamps (NTP's, RFC 5905, section 8).

    A message takes no less than no time. So the offset is at most what the other clock said
    when it got the question, less our clock when we asked; and at least what it said when it
    answered, less our clock when the answer came. Both hold however uneven the two ways are.
    Of several exchanges the narrowest bounds count.
    """

    def __init__(self) -> None:
        self._bounds: deque[tuple[int, int]] = deque(maxlen=KEPT)

    def clear(self) -> None:
        """Forget all exchanges."""
        self._bounds.clear()

    def add(self, asked_ns: int, got_ns: int, answered_ns: int, came_ns: int) -> None:
        """Take an exchange in.

        Args:
            asked_ns: Our clock when the question left.
            got_ns: The other clock when it arrived.
            answered_ns: The other clock when the answer left.
            came_ns: Our clock when that arrived.

        Raises:
            ValueError: When one of the clocks went backwards meanwhile, or the other says what no
                clock says.
        """
        if max(abs(got_ns), abs(answered_ns)) >= LARGEST_NS:
            raise ValueError(
                f'the other clock says {_short(got_ns)} and {_short(answered_ns)} ns, expected '
                f'less than {LARGEST_NS}'
            )
        low, high = answered_ns - came_ns, got_ns - asked_ns
        if low > high:
            raise ValueError(
                f'a clock went back by {(low - high) / 1e9:.3f} s between question and answer'
            )
        if self._bounds and (low > self._high or high < self._low):
            # One of the clocks was set: what was before it does not count.
            self._bounds.clear()
        self._bounds.append((low, high))

    @property
    def _low(self) -> int:
        return max(low for low, _ in self._bounds)

    @property
    def _high(self) -> int:
        return min(high for _, high in self._bounds)

    @property
    def bounds_s(self) -> tuple[float, float] | None:
        """The least and the largest that the other clock is ahead of ours, s; None if unknown."""
        return (self._low / 1e9, self._high / 1e9) if self._bounds else None

    @property
    def surely_s(self) -> float:
        """What the other clock is ahead of ours at least, s; negative where it is behind."""
        if not self._bounds:
            return 0.0
        return max(self._low, 0) / 1e9 + min(self._high, 0) / 1e9


def _short(number: int) -> str:
    text = str(number)
    return text if len(text) <= DIGITS else f'{text[:DIGITS]}... ({len(text)} digits)'
