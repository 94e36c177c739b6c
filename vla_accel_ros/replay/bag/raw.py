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

"""What comes out of a storage file: messages as bytes, topics, and what was lost."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
import heapq
from pathlib import Path
from typing import NamedTuple, Protocol


class BagError(ValueError):
    """A bag cannot be used; the message says why and what to do."""


class Raw(NamedTuple):
    """A message as it lies in a bag.

    Attributes:
        topic: Its topic.
        kind: Its type, as `sensor_msgs/msg/Image`.
        log_ns: When it was recorded, nanoseconds.
        data: CDR.
    """

    topic: str
    kind: str
    log_ns: int
    data: bytes


@dataclass
class Topic:
    """What is known of a topic.

    Attributes:
        kind: Its type, as `sensor_msgs/msg/Image`; of several the one with most messages.
        count: How many messages there are, of all its types.
        others: Number of messages by other types that were recorded under the same name.
    """

    kind: str
    count: int = 0
    others: dict[str, int] = field(default_factory=dict)

    @property
    def kinds(self) -> dict[str, int]:
        """How many messages there are of each type, the main one first."""
        return {self.kind: self.count - sum(self.others.values()), **self.others}

    @classmethod
    def of(cls, kinds: Mapping[str, int]) -> Topic:
        """Make a topic of the number of messages by type."""
        main = max(kinds, key=lambda kind: kinds[kind])
        others = {kind: count for kind, count in kinds.items() if count and kind != main}
        return cls(main, sum(kinds.values()), others)


# How many messages there are by topic and type; a pair without messages is known, and empty.
Counts = Counter[tuple[str, str]]


def topics_of(counts: Counts) -> dict[str, Topic]:
    """Return the topics of what was counted."""
    kinds: dict[str, dict[str, int]] = {}
    for (name, kind), count in counts.items():
        kinds.setdefault(name, {})[kind] = count
    return {name: Topic.of(found) for name, found in kinds.items()}


@dataclass
class Losses:
    """What of a bag could not be read or is not as it should be, in words, and how much of it.

    Attributes:
        total_bytes: Bytes of all its files.
    """

    total_bytes: int = 0
    _found: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)

    @property
    def reasons(self) -> list[str]:
        """One line a fault, in the order in which they were found."""
        return [line for line, _ in self._found.values()]

    @property
    def lost_bytes(self) -> int:
        """Bytes of the files that could not be read."""
        return sum(lost for _, lost in self._found.values())

    def add(self, file: Path, what: str, lost_bytes: int = 0, about: str = '') -> None:
        """Take note of a loss in a file, once.

        Args:
            file: Which.
            what: In words.
            lost_bytes: How much.
            about: A file is read several times, and not each time as far. Of losses about the
                same only the largest counts.
        """
        key = (file.name, about or what)
        if key not in self._found or lost_bytes > self._found[key][1]:
            self._found[key] = (f'{shown(file.name)}: {what}', lost_bytes)


class Told(Protocol):
    """Called with what is lost of a file: see `Losses.add`."""

    def __call__(self, what: str, lost_bytes: int = 0, about: str = '') -> None:
        """Take note of it."""


class Storage(Protocol):
    """An open storage file.

    Attributes:
        counts: Its messages by topic and type.
        begins_ns: When its first message was recorded.
    """

    counts: Counts
    begins_ns: int

    def messages(self, topics: set[str]) -> Iterator[Raw]:
        """Yield the messages of some topics by the time at which they were recorded."""

    def close(self) -> None:
        """Close the file."""


def merged(parts: Iterable[tuple[int, Callable[[], Iterator[Raw]]]]) -> Iterator[tuple[int, Raw]]:
    """Yield the messages of several sources in the order of their times.

    Args:
        parts: Of each source when it begins, and what opens it. It is opened when that time is
            reached and closed when it is exhausted: what does not overlap is not open together.

    Yields:
        The number of the source, by its beginning, and the message.
    """
    waiting = deque(sorted(parts, key=lambda part: part[0]))
    heap: list[tuple[int, int, Raw, Iterator[Raw]]] = []
    opened = 0

    def push(number: int, source: Iterator[Raw]) -> None:
        raw = next(source, None)
        if raw is not None:
            heapq.heappush(heap, (raw.log_ns, number, raw, source))

    try:
        while waiting or heap:
            while waiting and (not heap or waiting[0][0] <= heap[0][0]):
                push(opened, waiting.popleft()[1]())
                opened += 1
            if heap:
                _, number, raw, source = heapq.heappop(heap)
                yield number, raw
                push(number, source)
    finally:
        for *_, source in heap:
            source.close()


def shown(text: object) -> str:
    r"""Return a name so that it can be printed, what is no UTF-8 in it as `\udce4`."""
    return str(text).encode('utf-8', 'backslashreplace').decode()


def full_name(kind: str) -> str:
    """Return `sensor_msgs/msg/Image` for that and for `sensor_msgs/Image`."""
    package, _, name = kind.rpartition('/')
    return kind if package.endswith('/msg') or not package else f'{package}/msg/{name}'
