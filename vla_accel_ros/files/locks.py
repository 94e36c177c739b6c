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

"""Keeping a second run out of what a first one writes to."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
import fcntl
import os
from pathlib import Path
import stat
import time

ENDING = '.lock'
LOOK_S = 0.1


class TakenError(ValueError):
    """Another run writes to the same place, or the lock's file is somebody else's."""


class HeldError(TakenError):
    """Another process holds the lock.

    Attributes:
        process: Its number; empty where it is not known.
    """

    def __init__(self, text: str, process: str) -> None:
        super().__init__(text)
        self.process = process


class Lock:
    """A file beside an output that is locked while a run writes to it.

    It holds the process's number for the message to others, and goes when the run ends. The system
    lets go of the lock itself when the process dies, so that a file left behind locks nobody out.

    Args:
        path: Of the lock's file.
        what: The output, for the message.
    """

    def __init__(self, path: Path, what: Path) -> None:
        self._path, self._what, self._handle = path, what, None

    @classmethod
    def beside(cls, output: Path) -> Lock:
        """Return the lock of a file, the same for all links that lead to it."""
        target = Path(os.path.realpath(output))
        # A name as long as can be leaves no room for more.
        name = os.fsdecode(os.fsencode(target.name)[:200])
        return cls(target.with_name(f'.vla-accel-{name}{ENDING}'), output)

    def take(self) -> Lock:
        """Take the lock; its folder is made.

        Raises:
            HeldError: When another process holds it.
            TakenError: When its file is somebody else's.
            OSError: When the folder cannot be written.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            handle = self._open()
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                other = os.read(handle, 32).decode('ascii', 'replace').strip()
                os.close(handle)
                raise HeldError(
                    f'another run{f", process {other}," if other else ""} is writing to '
                    f'{self._what}: wait for it, or choose another name',
                    other,
                ) from None
            except OSError:
                # A file system that has no locks; one run at a time is then up to its user.
                pass
            # The one before may have removed the file between our opening and our locking it.
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(handle), os.stat(self._path)):
                    break
            os.close(handle)
        os.ftruncate(handle, 0)
        os.write(handle, str(os.getpid()).encode())
        self._handle = handle
        return self

    def take_when_free(
        self, patience_s: float, waiting: Callable[[str], None] = lambda who: None
    ) -> Lock:
        """Take the lock as soon as its holder lets go.

        Args:
            patience_s: How long it is waited for.
            waiting: Told once for which process, before waiting.

        Raises:
            TakenError: When the holder keeps it for longer, or the file is somebody else's.
            OSError: When the folder cannot be written.
        """
        begun, told = time.monotonic(), False
        while True:
            try:
                return self.take()
            except HeldError as error:
                who = f'process {error.process}' if error.process else 'another process'
                if time.monotonic() - begun >= patience_s:
                    raise TakenError(
                        f'waited for {self._what} for {patience_s:.0f} s in vain; {who} writes to '
                        'it'
                    ) from None
            if not told:
                waiting(who)
                told = True
            time.sleep(LOOK_S)

    def _open(self) -> int:
        # It is emptied and removed later, so it must be a lock: not a link, nor a text of others.
        if not self._path.is_symlink():
            handle = os.open(
                self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666
            )
            if stat.S_ISREG(os.fstat(handle).st_mode):
                held = os.pread(handle, 32, 0)
                if not held or held.isdigit():
                    return handle
            os.close(handle)
        raise TakenError(
            f'{self._path} is no lock of a run, and {self._what} needs one there: move it away, '
            'or choose another name'
        )

    def release(self) -> None:
        """Let go and remove the file; nothing where it is not held."""
        if self._handle is not None:
            self._path.unlink(missing_ok=True)
            os.close(self._handle)
            self._handle = None

    def probe(self) -> None:
        """Refuse at once what `take` would refuse; nothing is made.

        Raises:
            TakenError: When another process holds it.
        """
        if os.path.lexists(self._path):
            with suppress(PermissionError):
                self.take().release()

    def __enter__(self) -> Lock:
        return self.take()

    def __exit__(self, *_) -> None:
        self.release()
