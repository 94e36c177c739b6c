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

"""One storage file, whatever its form and state."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
import tempfile

from vla_accel_ros.replay.bag.contents import MCAP, PACKED, SQLITE, ZSTD, foreign, kind_of
from vla_accel_ros.replay.bag.mcap_file import McapFile
from vla_accel_ros.replay.bag.raw import Counts, Losses, Raw, Storage
from vla_accel_ros.replay.bag.sqlite_file import SqliteFile
from vla_accel_ros.replay.bag.unpacking import decompress

# A message that was compressed by itself; no CDR begins so.
ZSTD_MAGIC = b'\x28\xb5\x2f\xfd'
BLOCK = 1 << 20
READERS = {MCAP: McapFile, SQLITE: SqliteFile}


class Part:
    """A file of a bag. It is looked through once; what is compressed as a whole each time.

    Args:
        path: The file.
        losses: Takes note of what cannot be read.

    Attributes:
        path: The file.
        counts: Its messages by topic and type.
        begins_ns: When its first message was recorded.
    """

    def __init__(self, path: Path, losses: Losses) -> None:
        self.path, self._losses = path, losses
        self.counts: Counts = Counts()
        self.begins_ns = 0
        self._storage: Storage | None = None
        self._held = ExitStack()
        try:
            if kind_of(path) in READERS and path.stat().st_size:
                # Its reader remembers where the messages are.
                self._storage = self._open(path)
            with self._opened() as storage:
                if storage is not None:
                    self.counts, self.begins_ns = storage.counts, storage.begins_ns
        except OSError as error:
            losses.add(path, f'cannot be read ({error})')

    def messages(self, topics: set[str]) -> Iterator[Raw]:
        """Yield the messages of some topics by the time at which they were recorded."""
        with self._opened() as storage:
            if storage is not None:
                for raw in storage.messages(topics):
                    yield self._decompressed(raw)

    def hold(self) -> None:
        """Keep a file that is compressed as a whole open: it is decompressed once, not each time.

        Raises:
            OSError: When there is no room for it.
        """
        if self._storage is None:
            self._storage = self._held.enter_context(self._opened())

    def release(self) -> None:
        """Close what `hold` keeps open."""
        with self._held:
            if kind_of(self.path) == ZSTD:
                self._storage = None

    @contextmanager
    def _opened(self) -> Iterator[Storage | None]:
        if self._storage is not None:
            yield self._storage
            return
        with _plain(self.path, self._losses) as plain:
            storage = None if plain is None else self._open(plain)
            try:
                yield storage
            finally:
                if storage is not None:
                    storage.close()

    def _open(self, plain: Path) -> Storage | None:
        if what := foreign(plain):
            self._losses.add(self.path, what)
            return None
        reader = READERS.get(kind_of(plain))
        if reader is None:
            self._losses.add(self.path, 'is neither an MCAP nor a SQLite file')
            return None
        return reader(plain, partial(self._losses.add, self.path))

    def _decompressed(self, raw: Raw) -> Raw:
        if raw.data[:4] != ZSTD_MAGIC:
            return raw
        import zstandard

        try:
            data = decompress(raw.data)
        except (zstandard.ZstdError, ValueError) as error:
            self._losses.add(
                self.path, f'has messages that cannot be decompressed ({error})', len(raw.data)
            )
            data = b''
        return raw._replace(data=data)


@contextmanager
def _plain(path: Path, losses: Losses) -> Iterator[Path | None]:
    """Give the file itself, decompressed into a temporary folder if need be."""
    if path.stat().st_size == 0:
        losses.add(path, 'is empty')
        yield None
        return
    if kind_of(path) != ZSTD:
        yield path
        return
    import zstandard

    with tempfile.TemporaryDirectory(prefix='vla_accel_bag_') as folder:
        name = path.with_suffix('').name if path.suffix in PACKED else path.name
        plain = Path(folder) / name
        with open(path, 'rb') as packed, open(plain, 'wb') as unpacked:
            stream = zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True)
            try:
                while block := stream.read(BLOCK):
                    unpacked.write(block)
            except zstandard.ZstdError as error:
                rest = path.stat().st_size - packed.tell()
                losses.add(path, f'cannot be decompressed to its end ({error})', rest)
        yield plain
