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

"""What engines keep on disk: graphs, weights, plans and timings, whole or not at all.

An entry is a folder named for the digest of its key. It is built in a temporary folder beside its
place, under a lock, and moved there when it is complete, so that a process that is killed leaves
nothing that is ever used. Entries may share files by hard links. What was made by other versions
of the code or of a library goes when the same is made anew, if nobody used it for a month.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
import hashlib
import json
import os
from pathlib import Path
import re
import shutil
import tempfile
import time

from vla_accel_ros.engines.entries import Entry, listed, used_ns
from vla_accel_ros.engines.interface import EngineError
from vla_accel_ros.engines.likeness import nearest, supersedes
from vla_accel_ros.engines.manifest import FILE, Manifest
from vla_accel_ros.files.locks import Lock, TakenError
from vla_accel_ros.paths import user_path

VARIABLE = 'VLA_ACCEL_ENGINES'
_BUILDING = '.building-'
_NAME = re.compile(r'[0-9a-f]{32}')
_LEFT = re.compile(rf'{re.escape(_BUILDING)}([0-9a-f]{{32}})-\w+')
# The longest builds that are known take some minutes.
PATIENCE_S = 600.0
UNUSED_DAYS = 30.0
_DAY_NS = 24 * 3600 * 10**9


def default_folder() -> Path:
    """Give the folder of a user's engines.

    It is what the environment variable `VLA_ACCEL_ENGINES` says, else
    `vla_accel_ros/engines` in the user's folder for caches.
    """
    named = os.environ.get(VARIABLE)
    if named:
        return user_path(named)
    caches = os.environ.get('XDG_CACHE_HOME') or '~/.cache'
    return user_path(caches) / 'vla_accel_ros' / 'engines'


def name_of(key: Mapping[str, str]) -> str:
    """Give the name of the folder for a key: 32 hexadecimal digits."""
    return hashlib.sha256(json.dumps(dict(key), sort_keys=True).encode()).hexdigest()[:32]


class Store:
    """Entries in a folder, shared by all processes that use it.

    Args:
        folder: Made when the first entry is built; a user's own when None.
        tell: Called with one line when an entry is built, and why where one was there.

    Attributes:
        folder: As given.
    """

    def __init__(
        self, folder: str | Path | None = None, tell: Callable[[str], None] | None = None
    ) -> None:
        self.folder = default_folder() if folder is None else user_path(folder)
        self._tell = tell if tell is not None else lambda line: None

    def get(
        self,
        key: Mapping[str, str],
        build: Callable[[Path], None],
        waiting: Callable[[str], None] = lambda who: None,
    ) -> Path:
        """Give the folder of an entry, built first where it is not there or is damaged.

        Of several processes that ask at once one builds, and the others wait for it, for
        `PATIENCE_S` at most.

        Args:
            key: All that decides what the entry holds, by name. `kind` says what it is, for
                whoever reads a list.
            build: Writes the files into an empty folder.
            waiting: Told for which process is waited, before that.

        Raises:
            EngineError: When it can be neither found nor built.
        """
        path = self.folder / name_of(key)
        if not self._whole(path, key):
            with self._locked(path.name, key, waiting):
                # Another process may have built it meanwhile.
                if not self._whole(path, key):
                    self._build(path, key, build)
        return path

    def find(self, key: Mapping[str, str]) -> Path | None:
        """Give the folder of a whole entry, None where there is none; nothing is built."""
        path = self.folder / name_of(key)
        return path if self._whole(path, key) else None

    def why(self, key: Mapping[str, str]) -> str:
        """Say why an entry is not there although there was one, or one like it.

        Returns:
            What is damaged, or in what the most similar entry differs; empty where there was none.
        """
        return self._look(self.folder / name_of(key), key) or ''

    def entries(self) -> list[Entry]:
        """List the entries, the oldest first."""
        return listed(self._folders())

    def clean(
        self,
        which: Callable[[Mapping[str, str]], bool] = lambda key: True,
        unused_days: float = 0.0,
    ) -> int:
        """Remove entries, and what builds left behind.

        An entry that is being built stays. A process that has loaded an entry keeps it.

        Args:
            which: Says by its key whether an entry may go.
            unused_days: One that was made or used since then stays; 0 for all.

        Returns:
            How many entries were removed.

        Raises:
            EngineError: When one cannot be removed; the others are.
        """
        since_ns = time.time_ns() - round(unused_days * _DAY_NS) if unused_days else None
        removed, failure = 0, ''
        self._sweep()
        for entry in self.entries():
            if not which(entry.key) or (since_ns is not None and entry.used_ns > since_ns):
                continue
            try:
                removed += self._drop(entry.path, since_ns)
            except EngineError as error:
                failure = failure or f'{entry.path} cannot be removed: {error}'
        if failure:
            raise EngineError(failure)
        return removed

    # -- inside ----------------------------------------------------------------------------------

    def _folders(self) -> list[Path]:
        try:
            return [path for path in self.folder.iterdir() if _NAME.fullmatch(path.name)]
        except OSError:
            return []

    def _keys(self) -> Iterator[Mapping[str, str]]:
        for path in self._folders():
            with suppress(ValueError):
                yield Manifest.read(path).key

    def _whole(self, path: Path, key: Mapping[str, str]) -> bool:
        return self._look(path, key) is None

    def _look(self, path: Path, key: Mapping[str, str]) -> str | None:
        """Note that an entry is used; where there is no whole one, say why."""
        if not os.path.lexists(path):
            return nearest(self._keys(), key)
        try:
            manifest = Manifest.read(path)
        except ValueError as error:
            return str(error)
        if manifest.key != dict(key):
            return f'{FILE} is of another key'
        # Before it is read whole, so that nobody removes it meanwhile.
        manifest.touch(path)
        return manifest.damage(path) or None

    def _build(self, path: Path, key: Mapping[str, str], build: Callable[[Path], None]) -> None:
        what, why = key.get('kind', path.name), self._look(path, key)
        self._tell(f'building {what}' + (f': {why}' if why else ''))
        self._sweep(path.name)
        folder = Path(tempfile.mkdtemp(prefix=f'{_BUILDING}{path.name}-', dir=self.folder))
        try:
            begun = time.perf_counter()
            build(folder)
            seconds = round(time.perf_counter() - begun, 3)
            manifest = Manifest.of(folder, key, time.time_ns(), seconds)
            manifest.write(folder)
            folder.chmod(0o755)
            _remove(path)
            folder.rename(path)
        except EngineError:
            raise
        except OSError as error:
            raise EngineError(
                f'{what} cannot be stored in {self.folder}: {_line(error)}'
            ) from error
        except Exception as error:
            raise EngineError(f'{what} cannot be built: {_line(error)}') from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        self._tell(f'built {what} in {seconds:.1f} s')
        self._drop_superseded(key)

    def _sweep(self, own: str = '') -> None:
        """Remove what killed builds left; `own` is the name whose lock is held."""
        for path in list(self.folder.glob(f'{_BUILDING}*')):
            match = _LEFT.fullmatch(path.name)
            if match is None:
                continue
            if match[1] == own:
                shutil.rmtree(path, ignore_errors=True)
                continue
            with suppress(TakenError, EngineError), self._locked(match[1], {}):
                shutil.rmtree(path, ignore_errors=True)

    def _drop_superseded(self, key: Mapping[str, str]) -> None:
        """Remove what other versions made of the same thing, unless it was used lately."""
        since_ns = time.time_ns() - round(UNUSED_DAYS * _DAY_NS)
        for path in self._folders():
            with suppress(ValueError, OSError, EngineError):
                other = Manifest.read(path)
                old = max(other.made_ns, used_ns(path)) <= since_ns
                # Who may only read what another user made cannot leave a trace of its use.
                own = path.stat().st_uid == os.getuid()
                if old and own and supersedes(key, other.key) and self._drop(path, since_ns):
                    self._tell(f'removed {path.name}, of another version, not used for long')

    def _drop(self, path: Path, since_ns: int | None) -> bool:
        """Remove an entry that was not used since then; say whether it was.

        Raises:
            EngineError: When it cannot be removed.
        """
        with suppress(TakenError), self._locked(path.name, {}):
            if since_ns is None or used_ns(path) <= since_ns:
                _remove(path)
                return True
        return False

    @contextmanager
    def _locked(
        self, name: str, key: Mapping[str, str], waiting: Callable[[str], None] | None = None
    ) -> Iterator[None]:
        """Hold the lock of an entry; waited for where somebody is to be told, else TakenError."""
        lock = Lock(self.folder / f'.{name}.lock', self.folder / name)
        try:
            if waiting is None:
                lock.take()
            else:
                lock.take_when_free(PATIENCE_S, waiting)
        except TakenError as error:
            if waiting is None:
                raise
            raise EngineError(_line(error)) from error
        except OSError as error:
            what = key.get('kind', name)
            raise EngineError(
                f'{what} cannot be stored in {self.folder}: {_line(error)}'
            ) from error
        try:
            yield
        except OSError as error:
            raise EngineError(f'{self.folder} cannot be changed: {_line(error)}') from error
        finally:
            lock.release()


def _remove(path: Path) -> None:
    """Remove what lies in an entry's place."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _line(error: Exception) -> str:
    """Give an error in one line."""
    text = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
    return ' '.join(text.split()) or type(error).__name__
