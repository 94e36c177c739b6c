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

"""One storage file, by rosbags where it is sound, by what can be saved where it is not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
import tempfile

from vla_accel_ros.evaluation.replay.bag.files import ZSTD, storage_suffix
from vla_accel_ros.evaluation.replay.bag.raw import (
    BagError,
    Losses,
    Raw,
    Storage,
    Topic,
    full_name,
)

# A message that was compressed by itself; no CDR begins so.
ZSTD_MAGIC = b'\x28\xb5\x2f\xfd'
BLOCK = 1 << 20


class SoundStorage:
    """A storage file that rosbags can read.

    Opened by itself, never through the folder's metadata: where their quality of service
    differs from the storage's, a folder yields no message and no error.

    Args:
        path: A `.mcap` or `.db3` file.
    """

    def __init__(self, path: Path) -> None:
        from rosbags.rosbag2 import Reader

        self._reader = Reader(path)
        self._reader.open()
        self.topics: dict[str, Topic] = {}
        for connection in self._reader.connections:
            topic = self.topics.setdefault(
                connection.topic, Topic(full_name(connection.msgtype)))
            topic.count += connection.msgcount

    def messages(self, topics: set[str], after_ns: int = -1) -> Iterator[Raw]:
        """Yield the messages of some topics that were recorded after an instant."""
        wanted = [c for c in self._reader.connections if c.topic in topics]
        if not wanted:
            # For rosbags none means all.
            return
        start = None if after_ns < 0 else after_ns + 1
        for connection, log_ns, data in self._reader.messages(wanted, start):
            yield Raw(connection.topic, full_name(connection.msgtype), log_ns, data)

    def close(self) -> None:
        """Close the file."""
        self._reader.close()


def read(path: Path, topics: set[str], losses: Losses) -> Iterator[Raw]:
    """Yield the messages of some topics of a file, whatever state it is in.

    Args:
        path: A storage file, perhaps compressed as a whole.
        topics: Which.
        losses: Takes note of what could not be read.
    """
    with _plain(path, losses) as plain:
        if plain is None:
            return
        newest_ns = -1
        try:
            storage = _sound(plain)
            try:
                for raw in storage.messages(topics):
                    yield _decompressed(raw, path, losses)
                    newest_ns = raw.log_ns
                return
            finally:
                storage.close()
        except GeneratorExit:
            raise
        except Exception as error:
            # Whatever a parser raises at garbage: struct, index, zstd, SQLite errors, its own.
            losses.add(path, f'is damaged ({_words(error)})')
        storage = _salvaged(plain, path, losses)
        try:
            for raw in storage.messages(topics, newest_ns):
                yield _decompressed(raw, path, losses)
        finally:
            storage.close()


def survey(path: Path, losses: Losses) -> dict[str, Topic]:
    """Return the topics of a file, with the number of messages that can be read."""
    with _plain(path, losses) as plain:
        if plain is None:
            return {}
        try:
            storage = _sound(plain)
        except Exception as error:
            losses.add(path, f'is damaged ({_words(error)})')
            storage = _salvaged(plain, path, losses)
        try:
            return storage.topics
        finally:
            storage.close()


def _sound(path: Path) -> Storage:
    journal = path.with_name(path.name + '-wal')
    if journal.exists() and journal.stat().st_size:
        raise BagError('its recording did not end, part of it is in the journal')
    return SoundStorage(path)


def _salvaged(plain: Path, path: Path, losses: Losses) -> Storage:
    from vla_accel_ros.evaluation.replay.bag.salvage_mcap import BrokenMcap
    from vla_accel_ros.evaluation.replay.bag.salvage_sqlite import BrokenSqlite

    kind = BrokenMcap if plain.suffix == '.mcap' else BrokenSqlite
    return kind(plain, lambda what, lost=0: losses.add(path, what, lost))


@contextmanager
def _plain(path: Path, losses: Losses) -> Iterator[Path | None]:
    """Give the file itself, decompressed beside the others of the machine if need be."""
    if path.stat().st_size == 0:
        losses.add(path, 'is empty')
        yield None
        return
    if path.suffix not in ZSTD:
        yield path
        return
    import zstandard

    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / path.with_suffix('').name
        if storage_suffix(path) != plain.suffix:
            raise BagError(f'{path} has no .mcap or .db3 before its {path.suffix}')
        with open(path, 'rb') as packed, open(plain, 'wb') as unpacked:
            stream = zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True)
            try:
                while block := stream.read(BLOCK):
                    unpacked.write(block)
            except zstandard.ZstdError as error:
                rest = path.stat().st_size - packed.tell()
                losses.add(path, f'cannot be decompressed to its end ({error})', rest)
        yield plain


def _decompressed(raw: Raw, path: Path, losses: Losses) -> Raw:
    if raw.data[:4] != ZSTD_MAGIC:
        return raw
    import zstandard

    try:
        data = zstandard.ZstdDecompressor().decompressobj().decompress(raw.data)
    except zstandard.ZstdError as error:
        losses.add(path, f'has messages that cannot be decompressed ({error})', len(raw.data))
        data = b''
    return raw._replace(data=data)


def _words(error: Exception) -> str:
    return ' '.join(str(error).split())[:200] or type(error).__name__
