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

"""A bag as one stream of messages, counted against what was promised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from vla_accel_ros.files import fingerprints
from vla_accel_ros.replay.bag.contents import CONVERT
from vla_accel_ros.replay.bag.files import find
from vla_accel_ros.replay.bag.metadata import METADATA
from vla_accel_ros.replay.bag.raw import BagError, Counts, Raw, merged, shown, topics_of
from vla_accel_ros.replay.bag.storage import Part

ROS1 = '(ros1)'


class Bag:
    """A rosbag2: mcap or sqlite3, one file or many, compressed or not, sound or not.

    What the files hold counts. The metadata are only compared with it.

    Args:
        path: Folder of the bag, or a bare `.mcap` or `.db3` file.

    Attributes:
        path: As given.
        topics: By name, with the number of messages that the files hold.
        losses: What could not be read or is not as it should be; complete once all was read.

    Raises:
        BagError: When there is no bag, or none of its messages can be read.
    """

    def __init__(self, path: Path | str) -> None:
        found = find(path)
        self.path, self.losses, self._files = found.path, found.losses, found.files
        self._parts = [Part(file, self.losses) for file in found.files]
        self._held: Part | None = None
        counts = _total(self._parts)
        self.topics = topics_of(counts)
        self._promised = Counter({name: topic.count for name, topic in self.topics.items()})
        if not counts.total():
            why = '; '.join(self.losses.reasons)
            raise BagError(f'{shown(path)} holds no messages' + (f': {why}' if why else ''))
        if all(kind.endswith(ROS1) for (_, kind), count in counts.items() if count):
            raise BagError(f'{shown(path)} holds ROS 1 messages: {CONVERT}, from the ROS 1 bag')
        if found.promised is not None:
            self._compare(
                found.promised,
                _total([part for part in self._parts if part.path not in found.unnamed]),
            )

    def first(self, topic: str, limit: int) -> Iterator[Raw]:
        """Yield the first messages of a topic, as many as asked for at most."""
        left = limit
        for part in sorted(self._parts, key=lambda part: part.begins_ns):
            if not any(count for (name, _), count in part.counts.items() if name == topic):
                continue
            self._hold(part)
            for raw in part.messages({topic}):
                yield raw
                left -= 1
                if not left:
                    return

    def messages(self, topics: set[str]) -> Iterator[Raw]:
        """Yield the messages of some topics by their times, all files as one; then count them.

        Raises:
            BagError: When none could be read although there should be some.
        """
        seen: Counter[str] = Counter()
        self._hold(None)
        parts = [(part.begins_ns, partial(part.messages, topics)) for part in self._parts]
        for raw in self._once(merged(parts)):
            seen[raw.topic] += 1
            yield raw
        for name in sorted(topics):
            expected = self._promised[name]
            if seen[name] < expected:
                self.losses.add(
                    self.path, f'{expected - seen[name]} of {expected} messages on {name} are lost'
                )
        if not seen:
            why = '; '.join(self.losses.reasons)
            raise BagError(
                f'{shown(self.path)}: not one message of {sorted(topics)} can be read; {why}'
            )

    def fingerprint(self) -> str:
        """Return what tells this bag from others."""
        return fingerprints.of_files(self._files)

    # -- inside ----------------------------------------------------------------------------------

    def _hold(self, part: Part | None) -> None:
        """Keep one file open for the next look into the bag, in place of the one before."""
        if part is not self._held:
            if self._held is not None:
                self._held.release()
            self._held = part
            if part is not None:
                part.hold()

    def _once(self, messages: Iterator[tuple[int, Raw]]) -> Iterator[Raw]:
        """Leave out messages that another file has given already: a copy, a file twice."""
        now_ns, given, twice = None, {}, 0
        for number, raw in messages:
            if raw.log_ns != now_ns:
                now_ns, given = raw.log_ns, {}
            if given.setdefault((raw.topic, raw.kind, raw.data), number) != number:
                twice += 1
                self._promised[raw.topic] -= 1
                continue
            yield raw
        if twice:
            self.losses.add(
                self.path, f'{twice} messages are in two of its files, they are taken once'
            )

    def _compare(self, promised: Counts, counts: Counts) -> None:
        """Say where the metadata and the files that they name differ; what is not there is lost.

        Args:
            promised: Messages by the metadata.
            counts: Messages of the files.
        """
        for name in sorted({name for name, _ in promised}):
            kinds = {kind for (each, kind), count in promised.items() if each == name}
            count = sum(promised[name, kind] for kind in kinds)
            there = sum(n for (each, _), n in counts.items() if each == name)
            held = {kind for (each, kind), n in counts.items() if each == name and n}
            if count > there:
                # Files that they do not name may hold the rest.
                self._promised[name] = max(self._promised[name], count)
            elif count < there:
                self.losses.add(
                    self.path / METADATA,
                    f'says {count} messages on {shown(name)}, the files hold {there}',
                )
            if held and kinds.isdisjoint(held):
                self.losses.add(
                    self.path / METADATA,
                    f'says that {shown(name)} is of type '
                    f'{", ".join(sorted(kinds))}, the files hold {", ".join(sorted(held))}',
                )
        unnamed = {n for (n, _), count in counts.items() if count} - {n for n, _ in promised}
        if unnamed:
            self.losses.add(
                self.path / METADATA,
                f'does not name {", ".join(sorted(unnamed))}, which the files hold',
            )


def _total(parts: list[Part]) -> Counts:
    """Return the messages of some files together; a Counter's own sum forgets the empty ones."""
    counts: Counts = Counter()
    for part in parts:
        for pair, count in part.counts.items():
            counts[pair] += count
    return counts
