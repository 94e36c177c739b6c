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

"""Reading an MCAP file, sound or not: what can be read of it is read, what is lost is said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from vla_accel_ros.replay.bag.mcap_blocks import (
    CHANNEL,
    MESSAGE,
    MESSAGE_HEAD,
    SCHEMA,
    Block,
    records,
    unpacked,
    walk,
)
from vla_accel_ros.replay.bag.raw import Counts, Raw, Told, merged

# What SQLite and NumPy can hold; MCAP can say more.
NEWEST_NS = (1 << 63) - 1


class McapFile:
    """An MCAP file: indexed or not, in chunks or without, whole or cut, of whatever recorder.

    Args:
        path: The file.
        lost: Told what cannot be read.

    Attributes:
        counts: As `raw.Storage`.
        begins_ns: Likewise.
    """

    def __init__(self, path: Path, lost: Told) -> None:
        self._path, self._lost = path, lost
        self._layout = walk(path, lost)
        self._bad: dict[int, tuple[int, Exception]] = {}
        blocks = self._layout.blocks
        counted = [block.counts for block in blocks if block.counts is not None]
        said = self._layout.promised
        known = {channel for counts in counted for channel in counts}
        self.counts: Counts = Counter()
        # Where the parts of the file disagree, or do not say, the messages are counted.
        if (
            len(counted) < len(blocks)
            or not known <= self._layout.channels.keys()
            or (said is not None and said != sum(map(sum, map(Counter.values, counted))))
        ):
            self._count()
        for channel in self._layout.channels.values():
            self.counts[channel] += 0
        for block in blocks:
            for number, count in (block.counts or {}).items():
                if number in self._layout.channels:
                    self.counts[self._layout.channels[number]] += count
        found = self.counts.total()
        if said is not None and said > found:
            lost(f'{said - found} of {said} messages are not where its index says')
        self.begins_ns = min((b.begins_ns for b in blocks if b.counts), default=0)

    def messages(self, topics: set[str]) -> Iterator[Raw]:
        """Yield the messages of some topics by the time at which they were recorded."""
        wanted = {n for n, channel in self._layout.channels.items() if channel.topic in topics}
        for _, raw in merged(
            (block.begins_ns, partial(self._of, block, wanted))
            for block in self._layout.blocks
            if wanted & (block.counts or {}).keys()
        ):
            yield raw
        self._tell()

    def close(self) -> None:
        """Do nothing: the file is open only while a block is read."""

    def _of(self, block: Block, wanted: set[int]) -> Iterator[Raw]:
        """Yield the wanted messages of a block by their times."""
        found = []
        for number, log_ns, data in self._messages(block):
            if number in wanted and number in self._layout.channels:
                channel = self._layout.channels[number]
                found.append(Raw(*channel, min(log_ns, NEWEST_NS), data))
        found.sort(key=lambda raw: raw.log_ns)
        yield from found

    def _messages(self, block: Block) -> Iterator[tuple[int, int, bytes]]:
        """Yield channel, time and bytes of each message; learn of channels on the way."""
        try:
            with open(self._path, 'rb') as file:
                data = unpacked(file, block)
            for op, begin, end in records(data):
                if op == MESSAGE:
                    channel, _, log_ns, _ = MESSAGE_HEAD.unpack_from(data, begin)
                    yield channel, log_ns, data[begin + MESSAGE_HEAD.size : end]
                elif op in (SCHEMA, CHANNEL):
                    self._layout.learn(op, data[begin:end])
            if block.chunk and len(data) != block.size:
                raise ValueError(f'{len(data)} of {block.size} bytes are there')
        except GeneratorExit:
            raise
        except Exception as error:
            # Whatever decompression and parsers raise at garbage.
            self._bad[block.begin] = block.length, error

    def _count(self) -> None:
        for block in self._layout.blocks:
            block.counts, times = Counter(), []
            for channel, log_ns, _ in self._messages(block):
                block.counts[channel] += 1
                times.append(log_ns)
            block.begins_ns = min(times, default=block.begins_ns)
        self._tell()

    def _tell(self) -> None:
        if self._bad:
            sizes = sum(size for size, _ in self._bad.values())
            _, first = next(iter(self._bad.values()))
            self._lost(
                f'{len(self._bad)} chunks of {sizes} bytes are corrupt ({first})', sizes, 'chunks'
            )
