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

"""A store that tells of what is built in it, or in which nothing may be built."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
import time
from typing import Any, Protocol

from vla_accel_ros.engines.interface import EngineError

Build = Callable[[Path], None]


class Keeps(Protocol):
    """What is asked of a store; `engines.store.Store` is one."""

    def get(self, key: Mapping[str, str], build: Build, waiting: Callable[[str], None]) -> Path:
        """Give the folder of a key, built where it is not there; see `Store.get`."""

    def find(self, key: Mapping[str, str]) -> Path | None:
        """Give the folder of a key, None where it is not there."""

    def why(self, key: Mapping[str, str]) -> str:
        """Say why it is not there although there was one, or one like it; else nothing."""


def always() -> bool:
    """Say that anything may be built."""
    return True


def never() -> bool:
    """Say that nothing may be built."""
    return False


class NotBuiltError(EngineError):
    """What is asked for is not there, and may not be built."""


@dataclass(frozen=True)
class Built:
    """Something that was built, or is about to be.

    Attributes:
        key: Its key in the store.
        seconds: What it took, None while it is being built.
        bytes: What it takes on the disk beside files that other entries have, too; 0 while it is
            being built.
        why: Why what was there before is of no use; empty where nothing was.
        waiting: The process that builds it, where another one does.
    """

    key: Mapping[str, str]
    seconds: float | None = None
    bytes: int = 0
    why: str = ''
    waiting: str = ''

    @property
    def what(self) -> str:
        """What it is, in few words."""
        words = [self.key[name] for name in ('kind', 'precision') if name in self.key]
        if 'first' in self.key and 'last' in self.key:
            words.append(f'{self.key["first"]} to {self.key["last"]}')
        return ' '.join(words) or 'an entry'

    def __str__(self) -> str:
        if self.waiting:
            does = 'which builds' if self.seconds is None else 'which has built'
            return f'waiting for {self.waiting}, {does} {self.what}'
        if self.seconds is None:
            return f'building {self.what}' + (f': {self.why}' if self.why else '')
        return f'built {self.what} in {self.seconds:.1f} s, {self.bytes / 1e6:.1f} MB'


class WatchedStore:
    """Another store, with a word before and after something is built in it.

    Args:
        store: The store.
        told: Called before and after each build, in the thread that builds.
        may_build: Says whether anything may be built at the time; else what is not there is an
            `EngineError`.
    """

    def __init__(
        self,
        store: Keeps,
        told: Callable[[Built], None] | None = None,
        may_build: Callable[[], bool] = always,
    ) -> None:
        self._store, self._told, self._may_build = store, told, may_build

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def get(self, key: Mapping[str, str], build: Build) -> Path:
        """Give the folder of a key; see `Store.get`.

        Raises:
            EngineError: When it is not there and may not be built, or cannot be.
        """
        if not self._may_build():
            found = self._store.find(key)
            if found is None:
                what, why = Built(key).what, self._store.why(key)
                what += f' is not built ({why})' if why else ' is not built'
                raise NotBuiltError(f'{what}: `vla-accel engine build` does it')
            return found
        begun: float | None = None
        why = ''

        def watched(folder: Path) -> None:
            nonlocal begun, why
            begun, why = time.monotonic(), self._store.why(key)
            self._tell(Built(key, why=why))
            build(folder)

        waited: list[str] = []

        def waiting(who: str) -> None:
            waited.append(who)
            self._tell(Built(key, waiting=who))

        path = self._store.get(key, watched, waiting)
        if begun is not None:
            took, about = time.monotonic() - begun, [each.stat() for each in path.rglob('*')]
            own = [each for each in about if S_ISREG(each.st_mode) and each.st_nlink < 2]
            size = sum(each.st_size for each in own)
            self._tell(Built(key, took, size, why))
        elif waited:
            self._tell(Built(key, 0.0, waiting=waited[0]))
        return path

    def _tell(self, built: Built) -> None:
        if self._told is not None:
            self._told(built)
