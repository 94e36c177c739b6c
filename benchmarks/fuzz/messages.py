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

"""Action messages as nobody should send them, and a few as one should."""

from __future__ import annotations

from dataclasses import dataclass
import math
import random

EDGES = (
    *(0.0, -0.0, 5e-324, -5e-324, 2.2250738585072014e-308, 1e-30, 1e30, 1.7976931348623157e308),
    *(math.nan, math.inf, -math.inf, 3.4028235e38, -1e308),
)
# Around every limit: just within, at, just beyond.
LIMITS = (0.05, 0.3, 0.0375, 0.175, 0.75, 3.5, 1.0)
AGES_NS = (
    *(0, 1, -1, 500_000_000, 500_000_001, 499_999_999, -50_000_000, -50_000_001, 10**9, -(10**9)),
    *(2**31 * 10**9, -(2**31) * 10**9, 2**62, -(2**62)),
)
STEPS_S = (0.0, -1.0, 0.01, 0.009999, 0.5, 0.500001, 0.7, 1e9, 1e-9, math.nan, math.inf, -math.inf)


@dataclass(frozen=True)
class Message:
    """A message: columns, its stamp (ns), its policy step (s)."""

    row: list[float]
    stamp_ns: int
    step_s: float


class Sender:
    """Makes messages of a tool: good ones, changed ones, reordered and repeated ones.

    Args:
        dice: Random numbers.
        limits: Numbers to go to the edge of.
        changed: Share of the messages that are changed or repeated.
    """

    def __init__(
        self, dice: random.Random, limits: tuple[float, ...] = LIMITS, changed: float = 0.5
    ) -> None:
        self._dice, self._limits, self._changed = dice, limits, changed
        self._sent: list[Message] = []

    def next(self, clock_ns: int) -> Message:
        """Return the next message, at a time of the stamps' clock."""
        dice = self._dice
        kind = dice.random()
        if kind < 0.1 and self._sent:
            # Again, or out of its order.
            return dice.choice(self._sent)
        message = self._good(clock_ns)
        if kind < self._changed:
            message = changed(message, clock_ns, dice, self._limits)
        self._sent = [*self._sent[-20:], message]
        return message

    def _good(self, clock_ns: int) -> Message:
        dice = self._dice
        row = [dice.uniform(-0.006, 0.006) for _ in range(6)] + [float(dice.random() < 0.5)]
        return Message(row, clock_ns - dice.randrange(40_000_000), 0.05)


def changed(
    good: Message, clock_ns: int, dice: random.Random, limits: tuple[float, ...]
) -> Message:
    """Return a message that differs from a good one in a few places.

    Args:
        good: The message.
        clock_ns: Time of the stamps' clock.
        dice: Random numbers.
        limits: Numbers to go to the edge of.
    """
    row, stamp_ns, step_s = list(good.row), good.stamp_ns, good.step_s
    for _ in range(dice.choice((1, 1, 2, 4))):
        what = dice.randrange(5)
        if what == 0:
            row[dice.randrange(len(row))] = dice.choice(EDGES)
        elif what == 1:
            edge = dice.choice(limits) * dice.choice((1, -1))
            row[dice.randrange(len(row))] = edge * dice.choice((1, 0.999999, 1.000002, 1.1))
        elif what == 2:
            row[dice.randrange(len(row))] = dice.uniform(-1, 1) * 10 ** dice.uniform(-12, 12)
        elif what == 3:
            stamp_ns = clock_ns - dice.choice(AGES_NS)
        else:
            step_s = dice.choice((*STEPS_S, dice.uniform(0, 0.6)))
    return Message(row, stamp_ns, step_s)
