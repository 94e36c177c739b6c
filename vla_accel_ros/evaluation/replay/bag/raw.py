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

from collections.abc import Iterator
from dataclasses import dataclass, field
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
        kind: Its type, as `sensor_msgs/msg/Image`.
        count: How many messages there are.
    """

    kind: str
    count: int = 0


@dataclass
class Losses:
    """What of a bag could not be read, in words, and how much of it.

    Attributes:
        reasons: One line a fault.
        lost_bytes: Bytes of the files that could not be read.
        total_bytes: Bytes of all its files.
    """

    reasons: list[str] = field(default_factory=list)
    lost_bytes: int = 0
    total_bytes: int = 0

    def add(self, file: Path, what: str, lost_bytes: int = 0) -> None:
        """Take note of a loss in a file, once."""
        line = f'{file.name}: {what}'
        if line not in self.reasons:
            self.reasons.append(line)
            self.lost_bytes += lost_bytes


class Storage(Protocol):
    """An open storage file."""

    topics: dict[str, Topic]

    def messages(self, topics: set[str], after_ns: int) -> Iterator[Raw]:
        """Yield the messages of some topics that were recorded after an instant."""

    def close(self) -> None:
        """Close the file."""


def full_name(kind: str) -> str:
    """Return `sensor_msgs/msg/Image` for that and for `sensor_msgs/Image`."""
    package, _, name = kind.rpartition('/')
    return kind if package.endswith('/msg') or not package else f'{package}/msg/{name}'
