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

"""What a bag says, moment by moment, and what was wrong with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from vla_accel_ros.observations import Observation

# Characters of the first instance of a fault.
LONGEST = 500


@dataclass(frozen=True, eq=False)
class Sample:
    """Something that was said between two observations.

    Attributes:
        role: 'action' or 'gripper'.
        stamp_ns: When, nanoseconds.
        value: As `recorded.Recorded` wants it.
        gripper: Which gripper's it is, from 0.
    """

    role: str
    stamp_ns: int
    value: object
    gripper: int = 0


@dataclass(frozen=True, eq=False)
class Moment:
    """An observation, and what was said since the one before.

    Attributes:
        observation: None at the end of the bag, and where it was replayed already.
        stamp_ns: Its stamp, nanoseconds.
        samples: In the order of the bag.
        number: How many observations the bag held up to it, unusable ones included.
        faults: Faults up to it, by name: how many, and the first in words.
        instruction: In force.
    """

    observation: Observation | None
    stamp_ns: int
    samples: tuple[Sample, ...]
    number: int
    faults: Mapping[str, tuple[int, str]]
    instruction: str


@dataclass
class Faults:
    """What was wrong with the messages of a bag, by name, with the first instance in words."""

    counts: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, what: str, count: int = 1) -> None:
        """Count a fault; of what messages say in it, no more is kept than a line."""
        if count:
            self.counts[name] += count
            self.first.setdefault(name, what if len(what) <= LONGEST else f'{what[:LONGEST]} ...')

    def facts(self) -> dict[str, tuple[int, str]]:
        """Return by name how many there were, and the first in words."""
        return {name: (count, self.first[name]) for name, count in self.counts.items()}

    def lines(self) -> list[str]:
        """Return a line each."""
        return [f'{count} x {name}: {self.first[name]}' for name, count in self.counts.items()]


def joined(
    some: Mapping[str, tuple[int, str]], more: Mapping[str, tuple[int, str]]
) -> dict[str, tuple[int, str]]:
    """Return the faults of two sources together."""
    return {
        **some,
        **{
            name: (count + some.get(name, (0, ''))[0], some.get(name, (0, first))[1])
            for name, (count, first) in more.items()
        },
    }
