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

"""A folder that runs write into, and the list of what they made there.

The list, `.vla-accel`, has the tool in its first line, then a name a line, each written before the
file itself. What is not on the list is never replaced and never removed, whatever it is called;
nor is a text that somebody has changed since.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
import hashlib
import json
import os
from pathlib import Path

from vla_accel_ros.files.locks import Lock
from vla_accel_ros.files.outputs import Ours, OutputError, check_place
from vla_accel_ros.files.whole_files import naming, write_whole

LIST, LOCK = '.vla-accel', '.vla-accel.lock'


class OutputFolder:
    """The folder of one run.

    It is entered for the time of the run, and locked meanwhile. A folder that was made for a run
    which leaves nothing goes again.

    Args:
        path: The folder; made when it is entered.
        tool: Who writes there, such as 'replay'.
        names: All that the tool may write at the top of it.
        before: Whether the tool made a folder that has no list.
    """

    def __init__(
        self, path: Path, tool: str, names: Iterable[str], before: Ours = lambda _: False
    ) -> None:
        self.path, self._tool, self._names, self._before = path, tool, tuple(names), before
        self._lock = Lock(path / LOCK, path)
        # What is known of each name: digests of what was written; none where that was no text.
        self._listed: dict[str, set[str]] = {}
        self._made: list[str] = []
        self._made_folders: list[Path] = []

    def check(self) -> bool:
        """Refuse the folder before any work is done; nothing is made.

        Returns:
            Whether an earlier run of the tool has left something.

        Raises:
            OutputError: When something that others made has one of the names, or the place is no
                folder or cannot be written.
            TakenError: When another run is writing to it.
        """
        if self.path.is_symlink() and not self.path.exists():
            raise OutputError(f'--out is {self.path}, a link that leads nowhere')
        if self.path.exists() and not self.path.is_dir():
            raise OutputError(f'--out is {self.path}, expected a folder')
        check_place(self.path, '--out', folder=True)
        self._lock.probe()
        self._read()
        for name in self._names:
            self._check(name)
        return self._there()

    def __enter__(self) -> OutputFolder:
        folder = self.path
        while not folder.exists():
            self._made_folders.append(folder)
            folder = folder.parent
        self.path.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.take()
            # Others may have come since the first look.
            self._read()
            self._mend()
            for name in self._names:
                self._check(name)
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(self, *_) -> None:
        if not self._there():
            (self.path / LIST).unlink(missing_ok=True)
        self._leave()

    def note(self, name: str, kept: bool = False, digest: str = '') -> Path:
        """Put a file or a folder on the list, before it is made.

        Args:
            name: Relative to the folder.
            kept: Whether it stays when the run has nothing else to show, such as a log.
            digest: Of what will be written, where that is known.

        Returns:
            Its path.

        Raises:
            OutputError: When others have put something there.
        """
        self._check(name)
        if name not in self._listed or digest not in {'', *self._listed[name]}:
            self._append(name, digest)
        if not kept and not os.path.lexists(self.path / name):
            self._made.append(name)
        return self.path / name

    def folder(self, name: str, kept: bool = False) -> Path:
        """Make a folder within, put it on the list and return its path."""
        path = self.note(name, kept)
        path.mkdir(exist_ok=True)
        return path

    def write(self, name: str, text: str) -> Path:
        """Write a text, whole or not at all, and return its path.

        Raises:
            OutputError: When others have put something there, or have changed it.
            OSError: When it cannot be written.
        """
        path = self.note(name, digest=_digest(text.encode('utf-8', 'backslashreplace')))
        write_whole(path, text)
        return path

    def remove(self, name: str) -> None:
        """Remove one file that this run or an earlier one made; others' stays."""
        self._remove([name] if name in self._listed else [])

    def clear(self) -> None:
        """Remove what this run made."""
        self._remove(self._made)
        self._made = []

    def clear_earlier(self) -> None:
        """Remove what earlier runs made; what others have put within stays.

        Raises:
            OutputError: When a folder of theirs is a link, so that its files are of elsewhere.
        """
        for name in self._listed:
            path = self.path / name
            if path.is_symlink() and path.is_dir():
                raise OutputError(
                    f'{path} is a link, and what it leads to is not removed: remove the link, or '
                    'choose another --out'
                )
        self._remove(list(self._listed))

    # -- inside ----------------------------------------------------------------------------------

    def _read(self) -> None:
        file, self._listed = self.path / LIST, {}
        if not os.path.lexists(file):
            if self.path.is_dir() and self._before(self.path):
                self._listed = {
                    name: set() for name in self._names if os.path.lexists(self.path / name)
                }
            return
        try:
            if file.is_symlink() or not file.is_file():
                raise ValueError
            # A line that a crash cut off was of a file that was not made yet.
            whole = [
                line for line in file.read_text('utf-8').splitlines(True) if line.endswith('\n')
            ]
            first, *rest = [json.loads(line) for line in whole] or [{'tool': self._tool}]
            tool, lines = first['tool'], [(str(name), str(digest)) for name, digest in rest]
        except (ValueError, KeyError, TypeError):
            raise OutputError(
                f'{file} is no list of what a run made: choose another --out'
            ) from None
        if tool != self._tool:
            raise OutputError(
                f'{self.path} holds what vla-accel {tool} made: choose another --out'
            )
        for name, digest in lines:
            # What is on the list may be removed: nothing that lies elsewhere.
            top, *below = name.split('/')
            if top not in self._names or {'', '.', '..'} & {*below} or '\0' in name:
                raise OutputError(
                    f'{file} lists {name!a}, which vla-accel {self._tool} does not make '
                    'there: choose another --out'
                )
            self._listed.setdefault(name, set()).update([digest] if digest else [])

    def _mend(self) -> None:
        # What is added would go on a line that a crash has cut off.
        file = self.path / LIST
        if file.is_file():
            with naming(file), file.open('r+b') as opened:
                opened.truncate(opened.read().rfind(b'\n') + 1)

    def _append(self, name: str, digest: str) -> None:
        file = self.path / LIST
        self.path.mkdir(parents=True, exist_ok=True)
        with naming(file), file.open('a', encoding='utf-8') as opened:
            if not opened.tell():
                opened.write(json.dumps({'tool': self._tool}) + '\n')
                for known in self._listed:
                    opened.write(json.dumps([known, '']) + '\n')
            opened.write(json.dumps([name, digest]) + '\n')
        self._listed.setdefault(name, set()).update([digest] if digest else [])

    def _check(self, name: str) -> None:
        if not os.path.lexists(self.path / name):
            return
        if name not in self._listed:
            raise OutputError(
                f'{self.path / name} is there, and vla-accel {self._tool} did not make it: move '
                'it away, or choose another --out'
            )
        if self._changed(name):
            raise OutputError(
                f'{self.path / name} was changed since vla-accel {self._tool} wrote it: move it '
                'away, or choose another --out'
            )

    def _changed(self, name: str) -> bool:
        digests, path = self._listed[name], self.path / name
        return bool(digests) and path.is_file() and _digest(path.read_bytes()) not in digests

    def _there(self) -> bool:
        return any(os.path.lexists(self.path / name) for name in self._listed)

    def _remove(self, names: Iterable[str]) -> None:
        # What lies in a folder goes before the folder.
        for name in sorted(set(names), key=lambda name: (-name.count('/'), name)):
            path = self.path / name
            if path.is_dir() and not path.is_symlink():
                with suppress(OSError):
                    path.rmdir()
            elif not self._changed(name):
                path.unlink(missing_ok=True)
            if not os.path.lexists(path):
                # Whoever puts something there from now on is somebody else.
                self._listed.pop(name)
        lines = [
            [name, digest]
            for name, known in self._listed.items()
            for digest in sorted(known) or ['']
        ]
        write_whole(
            self.path / LIST,
            ''.join(json.dumps(line) + '\n' for line in [{'tool': self._tool}, *lines]),
        )

    def _leave(self) -> None:
        self._lock.release()
        for folder in self._made_folders:
            with suppress(OSError):
                folder.rmdir()
        self._made_folders = []


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]
