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

"""Where the messages of an MCAP file lie: found by walking over its records, not by its index.

An index is a promise. It is asked only where the walk meets garbage, for where to go on, and for
the names of the channels. The format is https://mcap.dev/spec.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
import struct
from typing import BinaryIO, NamedTuple
from zlib import crc32

from vla_accel_ros.replay.bag.raw import Told, full_name
from vla_accel_ros.replay.bag.unpacking import decompress

MAGIC = b'\x89MCAP0\r\n'
HEADER, FOOTER, SCHEMA, CHANNEL, MESSAGE, CHUNK = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
INDEX, CHUNK_INDEX, STATISTICS, LAST = 0x07, 0x08, 0x0B, 0x0F
HEAD = struct.Struct('<BQ')
MESSAGE_HEAD = struct.Struct('<HIQQ')
CHUNK_HEAD = struct.Struct('<QQQI')
# Messages outside of chunks are read by so many bytes at a time.
RUN = 4 << 20
# A forged length must not claim the machine's memory.
LARGEST = 1 << 30


class Channel(NamedTuple):
    """A channel.

    Attributes:
        topic: Its topic.
        kind: Type of its messages, with the encoding where that is not CDR.
    """

    topic: str
    kind: str


@dataclass
class Block:
    """Records that are read at once: those of a chunk, or a run of records outside of chunks.

    Attributes:
        begin: Where the bytes begin in the file.
        length: How many there are.
        chunk: Whether it is a chunk.
        compression: Of the bytes: zstd, lz4 or ''.
        size: Bytes when decompressed, of a chunk.
        crc: Of the decompressed bytes; 0 where there is none.
        begins_ns: Time of the first message.
        counts: Messages by channel; None where they are not known before it is read.
    """

    begin: int
    length: int
    chunk: bool = False
    compression: str = ''
    size: int = 0
    crc: int = 0
    begins_ns: int = 0
    counts: Counter[int] | None = None


@dataclass
class Layout:
    """What the walk over a file found.

    Attributes:
        blocks: In the order of the file.
        channels: By their numbers.
        promised: How many messages the file says that it holds; None where it does not say.
        profile: As `ros2`.
    """

    blocks: list[Block] = field(default_factory=list)
    channels: dict[int, Channel] = field(default_factory=dict)
    promised: int | None = None
    profile: str = ''
    schemas: dict[int, str] = field(default_factory=dict)

    def learn(self, op: int, data: bytes) -> None:
        """Take a schema, a channel, the header or the statistics.

        Raises:
            struct.error: When the record ends too early; IndexError likewise.
        """
        if op == HEADER:
            self.profile, _ = _text(data, 0)
        elif op == SCHEMA:
            self.schemas[_number(data, 0)] = full_name(_text(data, 2)[0])
        elif op == CHANNEL:
            topic, at = _text(data, 4)
            encoding, _ = _text(data, at)
            kind = self.schemas.get(_number(data, 2), '')
            if encoding not in ('cdr', ''):
                kind = f'{kind} ({encoding})'
            self.channels.setdefault(_number(data, 0), Channel(topic, kind))
        elif op == STATISTICS:
            (self.promised,) = struct.unpack_from('<Q', data)


def walk(path: Path, lost: Told) -> Layout:
    """Find the blocks of a file by its records, one after the other.

    Args:
        path: The file.
        lost: Told what is not as it should be.
    """
    layout, size = Layout(), path.stat().st_size
    with open(path, 'rb') as file:
        if file.read(len(MAGIC)) != MAGIC:
            lost('does not begin as an MCAP file')
        at, ended = len(MAGIC), False
        while at < size and not ended:
            try:
                at, ended = _step(file, at, size, layout)
            except (ValueError, IndexError, struct.error) as error:
                # Garbage in between: where to go on is in the index of chunks at the end.
                behind = [start for start in _indexed(file, size) if start > at]
                if not behind:
                    lost(
                        f'ends at {at} of {size} bytes ({error})'
                        if at + 64 > size
                        else f'cannot be read from byte {at} of {size} on ({error})',
                        size - at,
                    )
                    return layout
                lost(
                    f'cannot be read from byte {at} to {min(behind)} of {size} ({error})',
                    min(behind) - at,
                )
                at = min(behind)
        if not ended:
            lost(f'ends at {at} of {size} bytes (its recording did not end)')
        elif at < size:
            # What `cat one.mcap another.mcap` makes.
            lost(f'{size - at} bytes behind its end are not read', size - at)
    return layout


def unpacked(file: BinaryIO, block: Block) -> bytes:
    """Return the records of a block.

    Raises:
        ValueError: When they are not what the file says; libraries raise errors of their own.
    """
    file.seek(block.begin)
    data = file.read(block.length)
    if len(data) < block.length:
        raise ValueError(f'{len(data)} of {block.length} bytes are there')
    if block.compression == 'zstd':
        data = decompress(data, several=True)
    elif block.compression == 'lz4':
        from mcap.records import Chunk
        from mcap.stream_reader import get_chunk_data_stream

        stream, length = get_chunk_data_stream(
            Chunk(
                compression='lz4',
                data=data,
                message_start_time=0,
                message_end_time=0,
                uncompressed_crc=0,
                uncompressed_size=block.size,
            )
        )
        data = stream.read(length)
    elif block.compression:
        raise ValueError(f'compression is {block.compression!r}, expected zstd, lz4 or none')
    if block.crc and crc32(data) != block.crc:
        raise ValueError('the checksum differs')
    return data


def records(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield opcode, begin and end of each record of a block.

    Raises:
        ValueError: When one reaches over the end, after those before it.
    """
    at = 0
    while at < len(data):
        if at + HEAD.size > len(data):
            raise ValueError(f'a record is cut at byte {at} of {len(data)}')
        op, length = HEAD.unpack_from(data, at)
        at += HEAD.size
        if not _known(op) or at + length > len(data):
            raise ValueError(f'no record at byte {at - HEAD.size} of {len(data)}')
        yield op, at, at + length
        at += length


def _step(file: BinaryIO, at: int, size: int, layout: Layout) -> tuple[int, bool]:
    """Take note of the record at a place; return where the next one is, and if it was the last."""
    file.seek(at)
    head = file.read(HEAD.size)
    if len(head) < HEAD.size:
        raise ValueError('a record is cut')
    op, length = HEAD.unpack(head)
    begin, end = at + HEAD.size, at + HEAD.size + length
    if not _known(op):
        raise ValueError(f'no record has opcode {op}')
    if end > size:
        raise ValueError(f'a record of {length} bytes is cut')
    if op in (HEADER, SCHEMA, CHANNEL, STATISTICS) and length < LARGEST:
        layout.learn(op, file.read(length))
    elif op == MESSAGE:
        channel, _, log_ns, _ = MESSAGE_HEAD.unpack(file.read(MESSAGE_HEAD.size))
        _loose(layout, at, end, channel, log_ns)
    elif op == CHUNK:
        layout.blocks.append(_chunk(file, begin, end))
    elif op == INDEX and layout.blocks and layout.blocks[-1].chunk:
        channel, bytes_of_entries = struct.unpack('<HI', file.read(6))
        block = layout.blocks[-1]
        block.counts = Counter() if block.counts is None else block.counts
        block.counts[channel] += bytes_of_entries // 16
    elif op == FOOTER:
        if file.seek(end) + len(MAGIC) > size or file.read(len(MAGIC)) != MAGIC:
            raise ValueError('its end is cut')
        return end + len(MAGIC), True
    return end, False


def _chunk(file: BinaryIO, begin: int, end: int) -> Block:
    begins_ns, _, unpacked_size, crc = CHUNK_HEAD.unpack(file.read(CHUNK_HEAD.size))
    (length,) = struct.unpack('<I', file.read(4))
    if length > 64:
        raise ValueError(f'the name of a compression has {length} bytes')
    compression = file.read(length).decode('utf-8', 'backslashreplace')
    (packed,) = struct.unpack('<Q', file.read(8))
    data = begin + CHUNK_HEAD.size + 4 + length + 8
    if data + packed > end or max(packed, unpacked_size) > LARGEST:
        raise ValueError(f'a chunk of {packed} bytes is forged')
    return Block(data, packed, True, compression, unpacked_size, crc, begins_ns)


def _loose(layout: Layout, at: int, end: int, channel: int, log_ns: int) -> None:
    """Add a message outside of chunks to the run before it, or begin another."""
    run = layout.blocks[-1] if layout.blocks else None
    if run is None or run.chunk or run.length > RUN or run.begin + run.length != at:
        run = Block(at, 0, begins_ns=log_ns, counts=Counter())
        layout.blocks.append(run)
    run.length = end - run.begin
    run.begins_ns = min(run.begins_ns, log_ns)
    run.counts[channel] += 1


def _indexed(file: BinaryIO, size: int) -> list[int]:
    """Return where chunks begin by the index at the end; nothing where there is none."""
    places = []
    try:
        file.seek(size - len(MAGIC) - 20)
        (start,) = struct.unpack('<Q', file.read(8))
        if not 0 < start < size:
            return places
        file.seek(start)
        data = file.read(min(size - start, LARGEST))
        for op, begin, _ in records(data[: -len(MAGIC)]):
            if op == CHUNK_INDEX:
                places.append(struct.unpack_from('<Q', data, begin + 16)[0])
    except (OSError, ValueError, struct.error):
        pass
    return [place for place in places if place < size]


def _known(op: int) -> bool:
    """Say whether a record can have such an opcode; those from 0x80 on are anybody's own."""
    return 0 < op <= LAST or op >= 0x80


def _number(data: bytes, at: int) -> int:
    return struct.unpack_from('<H', data, at)[0]


def _text(data: bytes, at: int) -> tuple[str, int]:
    """Return a string and where it ends; what is no UTF-8 in it is escaped."""
    (length,) = struct.unpack_from('<I', data, at)
    end = at + 4 + length
    if end > len(data):
        raise ValueError(f'a name of {length} bytes is cut')
    return data[at + 4 : end].decode('utf-8', 'backslashreplace'), end
