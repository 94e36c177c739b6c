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

"""Reading a SQLite bag, sound or not: row by row around the pages that are gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
import shutil
import sqlite3
from tempfile import TemporaryDirectory

from vla_accel_ros.replay.bag.raw import Counts, Raw, Told, full_name

# Rows that are skipped, doubling, until one can be read again.
LARGEST_GAP = 1 << 24
# What is left of a recording that did not end: changes that are not in the database yet, and
# changes in it that are to be taken back.
JOURNALS = ('-wal', '-journal')
TOPICS = 'SELECT id, CAST(name AS BLOB), CAST(type AS BLOB){} FROM topics'
ENCODING = ', CAST(serialization_format AS BLOB)'
ROW = 'id, topic_id, timestamp, CAST(data AS BLOB)'


class SqliteFile:
    """A `.db3` file: whole, cut short, damaged, or left with its journal.

    Args:
        path: The file.
        lost: Told what cannot be read.

    Attributes:
        counts: As `raw.Storage`.
        begins_ns: Likewise.
    """

    def __init__(self, path: Path, lost: Told) -> None:
        self._path, self._lost = path, lost
        self.counts: Counts = Counter()
        self.begins_ns = 0
        self._copy: TemporaryDirectory | None = None
        if left := self._left():
            lost('its recording did not end, part of it is in the journal')
            self._copy = TemporaryDirectory(prefix='vla_accel_bag_')
            for each in (path, *left):
                shutil.copyfile(each, Path(self._copy.name) / each.name)
        try:
            with self._connection() as connection:
                self._names = _names(connection)
        except sqlite3.DatabaseError as error:
            lost(f'is damaged, its list of topics cannot be read ({error})', path.stat().st_size)
            self._names = {}
            return
        for pair in self._names.values():
            self.counts[pair] += 0
        self._count()

    def messages(self, topics: set[str]) -> Iterator[Raw]:
        """Yield the messages of some topics by the time at which they were recorded."""
        topic_ids = [n for n, (name, _) in self._names.items() if name in topics]
        expected = sum(count for (name, _), count in self.counts.items() if name in topics)
        given: set[int] = set()
        marks = ','.join('?' * len(topic_ids))
        query = f'SELECT {ROW} FROM messages WHERE topic_id IN ({marks}) ORDER BY timestamp, id'
        try:
            with self._connection() as connection:
                for row in connection.execute(query, topic_ids):
                    given.add(row[0])
                    yield from self._raw(row)
        except sqlite3.DatabaseError:
            pass
        # An index that is damaged hides rows without an error.
        if len(given) < expected:
            for row in self._rows():
                if row[1] in topic_ids and row[0] not in given:
                    yield from self._raw(row)

    def close(self) -> None:
        """Remove the copy, where there is one; the file is open only while it is read."""
        if self._copy is not None:
            self._copy.cleanup()

    # -- inside ----------------------------------------------------------------------------------

    def _raw(self, row: tuple) -> Iterator[Raw]:
        """Yield the message of a row, nothing where the row has no time."""
        _, number, log_ns, data = row
        if number not in self._names or not isinstance(log_ns, int):
            return
        name, kind = self._names[number]
        yield Raw(name, kind, log_ns, data or b'')

    def _count(self) -> None:
        query = 'SELECT topic_id, COUNT(*), MIN(timestamp) FROM messages GROUP BY topic_id'
        try:
            with self._connection() as connection:
                rows = connection.execute(query).fetchall()
        except sqlite3.DatabaseError:
            found: Counter = Counter()
            first: dict = {}
            for _, number, log_ns, _ in self._rows('id, topic_id, timestamp, NULL'):
                found[number] += 1
                # A damaged row may have no time, or a text.
                if isinstance(log_ns, int):
                    first[number] = min(first.get(number, log_ns), log_ns)
            rows = [(number, count, first.get(number)) for number, count in found.items()]
        begins = []
        for number, count, first_ns in rows:
            if number in self._names:
                self.counts[self._names[number]] += count
                begins += [first_ns] if isinstance(first_ns, int) else []
            else:
                self._lost(f'{count} messages are of a topic {number} that it does not list')
        self.begins_ns = min(begins, default=0)

    def _rows(self, columns: str = ROW) -> Iterator[tuple]:
        """Yield each row that can be read, by id, which is its first column."""
        query = f'SELECT {columns} FROM messages WHERE id > ? ORDER BY id'
        last, gap, gaps = -1, 0, 0
        with self._connection() as connection:
            while gap <= LARGEST_GAP:
                try:
                    for row in connection.execute(query, (last + gap,)):
                        last, gap = row[0], 0
                        yield row
                    break
                except sqlite3.DatabaseError as error:
                    gaps += gap == 0
                    fault = error
                    gap = gap * 2 or 1
        if gaps:
            where = f'after row {last}' if gap else 'in between'
            self._lost(
                f'is damaged, rows {where} cannot be read ({fault}{self._missing()})', about='rows'
            )

    def _missing(self) -> str:
        """Say how much shorter the file is than its header says, in words."""
        with open(self._path, 'rb') as file:
            header = file.read(32)
        page = int.from_bytes(header[16:18], 'big')
        # A size of 1 stands for 65536, which two bytes do not hold.
        page = 65536 if page == 1 else page
        pages = int.from_bytes(header[28:32], 'big')
        there = self._path.stat().st_size // max(page, 1)
        return f'; {pages - there} of {pages} pages are missing' if there < pages else ''

    def _left(self) -> list[Path]:
        """Return the journals that lie beside it."""
        beside = [self._path.with_name(self._path.name + end) for end in JOURNALS]
        return [path for path in beside if path.is_file() and path.stat().st_size]

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """Open the file; its copy where there is a journal, for SQLite writes to such a file."""
        where, how = self._path, 'immutable=1'
        if self._copy is not None:
            where, how = Path(self._copy.name) / self._path.name, 'mode=rw'
        with closing(_connect(where, how)) as connection:
            yield connection


def _connect(path: Path, how: str) -> sqlite3.Connection:
    connection = sqlite3.connect(f'{path.resolve().as_uri()}?{how}', uri=True)
    try:
        # Otherwise a file that is shorter than its header says is refused as a whole.
        connection.execute('PRAGMA writable_schema = ON')
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection


def _names(connection: sqlite3.Connection) -> dict[int, tuple[str, str]]:
    """Return topic and type by the number of the topic."""
    try:
        rows = connection.execute(TOPICS.format(ENCODING)).fetchall()
    except sqlite3.OperationalError:
        rows = [(*row, b'cdr') for row in connection.execute(TOPICS.format('')).fetchall()]
    found = {}
    for number, *texts in rows:
        name, kind, encoding = (
            (text or b'').decode('utf-8', 'backslashreplace') for text in texts
        )
        kind = full_name(kind)
        found[number] = name, kind if encoding in ('cdr', '') else f'{kind} ({encoding})'
    return found
