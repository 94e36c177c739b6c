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

"""What can be read of an MCAP file without its index: from the start, chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from vla_accel_ros.evaluation.replay.bag.raw import Raw, Topic, full_name

# A forged length must not claim the machine's memory.
LARGEST_RECORD = 1 << 30


class BrokenMcap:
    """An MCAP file that ends early or holds chunks that are no good.

    Args:
        path: The file.
        lost: Told in words what is lost, and how many bytes.
    """

    def __init__(self, path: Path, lost: Callable[..., None]) -> None:
        self._path, self._lost = path, lost
        self._channels: dict[int, tuple[str, str]] = {}
        self.topics: dict[str, Topic] = {}
        for message in self._scan():
            name, kind = self._channels[message.channel_id]
            self.topics.setdefault(name, Topic(kind)).count += 1

    def messages(self, topics: set[str], after_ns: int = -1) -> Iterator[Raw]:
        """Yield the messages of some topics that were recorded after an instant."""
        for message in self._scan():
            name, kind = self._channels[message.channel_id]
            if name in topics and message.log_time > after_ns:
                yield Raw(name, kind, message.log_time, message.data)

    def close(self) -> None:
        """Do nothing: the file is open only while it is read."""

    def _scan(self) -> Iterator:
        """Yield every message of a known channel."""
        from mcap.records import Channel, Message, Schema

        kinds: dict[int, str] = {}
        for record in self._records():
            if isinstance(record, Schema):
                kinds[record.id] = full_name(record.name)
            elif isinstance(record, Channel):
                self._channels[record.id] = record.topic, kinds.get(record.schema_id, '')
            elif isinstance(record, Message) and record.channel_id in self._channels:
                yield record

    def _records(self) -> Iterator:
        from mcap.records import Chunk
        from mcap.stream_reader import StreamReader, breakup_chunk

        size = self._path.stat().st_size
        bad = bad_bytes = good_to = 0
        with open(self._path, 'rb') as file:
            stream = StreamReader(file, emit_chunks=True, record_size_limit=LARGEST_RECORD)
            try:
                for record in stream.records:
                    good_to = file.tell()
                    if not isinstance(record, Chunk):
                        yield record
                        continue
                    try:
                        records = breakup_chunk(record, validate_crc=True)
                    except Exception:
                        bad, bad_bytes = bad + 1, bad_bytes + len(record.data)
                        continue
                    yield from records
            except GeneratorExit:
                raise
            except Exception as error:
                what = type(error).__name__
                self._lost(
                    f'ends at {good_to} of {size} bytes ({what})'
                    if good_to + 64 > size else
                    f'cannot be read from byte {good_to} of {size} on ({what})', size - good_to)
        if bad:
            self._lost(f'{bad} chunks of {bad_bytes} bytes are corrupt', bad_bytes)
