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

"""What can be read of a damaged SQLite bag: row by row, around the pages that are gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
import sqlite3

from vla_accel_ros.evaluation.replay.bag.raw import Raw, Topic, full_name

# Rows that are skipped, doubling, until one can be read again.
LARGEST_GAP = 1 << 24


class BrokenSqlite:
    """A `.db3` file that was cut short, is damaged, or was left with its journal.

    Args:
        path: The file.
        lost: Told in words what is lost.
    """

    def __init__(self, path: Path, lost: Callable[..., None]) -> None:
        self._path, self._lost = path, lost
        self._names: dict[int, tuple[str, str]] = {}
        try:
            with closing(self._connect()) as connection:
                rows = connection.execute('SELECT id, name, type FROM topics').fetchall()
        except sqlite3.DatabaseError as error:
            lost(f'its list of topics cannot be read ({error})', path.stat().st_size)
            rows = []
        self._names = {number: (name, full_name(kind)) for number, name, kind in rows}
        self.topics = {name: Topic(kind) for name, kind in self._names.values()}
        counts = Counter(topic for _, topic in self._rows('topic_id'))
        for number, count in counts.items():
            if number in self._names:
                self.topics[self._names[number][0]].count += count

    def messages(self, topics: set[str], after_ns: int = -1) -> Iterator[Raw]:
        """Yield the messages of some topics that were recorded after an instant."""
        for _, number, log_ns, data in self._rows('topic_id, timestamp, data'):
            name, kind = self._names.get(number, ('', ''))
            if name in topics and log_ns > after_ns:
                yield Raw(name, kind, log_ns, data)

    def close(self) -> None:
        """Do nothing: the file is open only while it is read."""

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(f'{self._path.resolve().as_uri()}?mode=ro', uri=True)
        # Otherwise a file that is shorter than its header says is refused as a whole.
        connection.execute('PRAGMA writable_schema = ON')
        return connection

    def _rows(self, columns: str) -> Iterator[tuple]:
        """Yield id and columns of each row that can be read, by id."""
        if not self._names:
            return
        query = f'SELECT id, {columns} FROM messages WHERE id > ? ORDER BY id'
        last, gap, gaps = -1, 0, 0
        with closing(self._connect()) as connection:
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
            self._lost(f'rows {where} cannot be read ({fault}{self._missing()})')

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
