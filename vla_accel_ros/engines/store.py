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
nothing that is ever used. Entries may share files by hard links. What nobody used for a month goes
when something else is built.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
import hashlib
import json
import os
from pathlib import Path
import re
import shutil
import tempfile
import time

from vla_accel_ros.engines.interface import EngineError
from vla_accel_ros.engines.likeness import nearest
from vla_accel_ros.engines.manifest import FILE, Manifest
from vla_accel_ros.files.locks import Lock, TakenError
from vla_accel_ros.paths import user_path

VARIABLE = 'VLA_ACCEL_ENGINES'
_BUILDING = '.building-'
_NAME = re.compile(r'[0-9a-f]{32}')
_LEFT = re.compile(rf'{re.escape(_BUILDING)}([0-9a-f]{{32}})-\w+')
# The longest builds that are known take some minutes.
PATIENCE_S = 600.0
# Each version of the package and of its libraries builds anew, and nobody asks for the old again.
UNUSED_DAYS = 30.0
_DAY_NS = 24 * 3600 * 10**9
DAMAGED = 'damaged'


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


@dataclass(frozen=True)
class Entry:
    """One entry, as a list shows it.

    Attributes:
        path: Its folder.
        key: What it was built for.
        size: Bytes that it takes; a file that several entries share counts for the oldest one.
        made_ns: When it was built, ns since 1970.
        used_ns: When it was used last, ns since 1970.
        seconds: What building it took.
    """

    path: Path
    key: Mapping[str, str]
    size: int
    made_ns: int
    used_ns: int
    seconds: float


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
        self._old_forgotten = False

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
        found = self._whole(path, key)
        if found is None:
            with self._locked(path.name, key, waiting):
                # Another process may have built it meanwhile.
                found = self._whole(path, key)
                if found is None:
                    found = self._build(path, key, build)
        found.touch(path)
        return path

    def find(self, key: Mapping[str, str]) -> Path | None:
        """Give the folder of a whole entry, None where there is none; nothing is built."""
        path = self.folder / name_of(key)
        found = self._whole(path, key)
        if found is None:
            return None
        found.touch(path)
        return path

    def why(self, key: Mapping[str, str]) -> str:
        """Say why an entry is not there although there was one, or one like it.

        Returns:
            What is damaged, or in what the most similar entry differs; empty where there was none.
        """
        return (
            found if isinstance(found := self._look(self.folder / name_of(key), key), str) else ''
        )

    def entries(self) -> list[Entry]:
        """List the entries, the oldest first; the kind of one that cannot be read is `DAMAGED`."""
        found = []
        for path in self._folders():
            with suppress(OSError):
                try:
                    manifest = Manifest.read(path)
                    used_ns = (path / FILE).stat().st_mtime_ns
                except ValueError:
                    used_ns = path.lstat().st_mtime_ns
                    manifest = Manifest({'kind': DAMAGED}, {}, used_ns, 0.0)
                found.append((manifest.made_ns, path, manifest, used_ns))
        counted: set[tuple[int, int]] = set()
        result = []
        for made_ns, path, manifest, used_ns in sorted(found, key=lambda each: each[:2]):
            size = 0
            for file in path.rglob('*'):
                with suppress(OSError):
                    about = file.lstat()
                    if (about.st_dev, about.st_ino) not in counted and not file.is_dir():
                        counted.add((about.st_dev, about.st_ino))
                        size += about.st_size
            result.append(Entry(path, manifest.key, size, made_ns, used_ns, manifest.seconds))
        return result

    def clean(
        self,
        most_bytes: int = 0,
        which: Callable[[Mapping[str, str]], bool] = lambda key: True,
        unused_days: float = 0.0,
    ) -> int:
        """Remove entries, those that were not used for longest first, and what builds left behind.

        An entry that is being built stays. A process that has loaded an entry keeps it.

        Args:
            most_bytes: The entries that `which` takes may keep so many bytes.
            which: Says by its key whether an entry may go.
            unused_days: One that was used since then stays.

        Returns:
            How many entries were removed.

        Raises:
            EngineError: When the folder cannot be written.
        """
        since_ns = time.time_ns() - round(unused_days * _DAY_NS)
        chosen = [each for each in self.entries() if each.used_ns <= since_ns and which(each.key)]
        total, removed = sum(entry.size for entry in chosen), 0
        self._sweep()
        for entry in sorted(chosen, key=lambda entry: entry.used_ns):
            if total <= most_bytes:
                break
            with suppress(TakenError), self._locked(entry.path.name, entry.key):
                _remove(entry.path)
                total, removed = total - entry.size, removed + 1
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

    def _whole(self, path: Path, key: Mapping[str, str]) -> Manifest | None:
        return None if isinstance(found := self._look(path, key), str) else found

    def _look(self, path: Path, key: Mapping[str, str]) -> Manifest | str:
        """Give the manifest of a whole entry, or why there is none."""
        if not os.path.lexists(path):
            return nearest(self._keys(), key)
        try:
            manifest = Manifest.read(path)
        except ValueError as error:
            return str(error)
        if manifest.key != dict(key):
            return f'{FILE} is of another key'
        return manifest.damage(path) or manifest

    def _build(
        self, path: Path, key: Mapping[str, str], build: Callable[[Path], None]
    ) -> Manifest:
        what, why = key.get('kind', path.name), self._look(path, key)
        self._tell(f'building {what}' + (f': {why}' if why else ''))
        self._sweep(path.name)
        self._forget_old()
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
        return manifest

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

    def _forget_old(self) -> None:
        """Make room, once for each process that builds."""
        if self._old_forgotten:
            return
        self._old_forgotten = True
        with suppress(EngineError):
            removed = self.clean(unused_days=UNUSED_DAYS)
            if removed:
                self._tell(f'removed {removed} entries, not used for {UNUSED_DAYS:.0f} days')

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
