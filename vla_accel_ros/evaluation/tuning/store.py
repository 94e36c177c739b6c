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

"""The folder of a search: what it is of, and its trials, by Optuna's journal.

The journal takes trials of several processes and survives being cut off. One command at a time
works in a folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import fcntl
import json
from pathlib import Path

from vla_accel_ros.evaluation.files import write_whole

SEARCH, TRIALS, LOCK = 'search.json', 'trials.log', '.lock'


class Folder:
    """What a search keeps between commands.

    Args:
        path: The folder; made where it is not there.
        identity: What the search is of, as plain values.

    Attributes:
        path: The folder.

    Raises:
        ValueError: When the folder is of another search, or of none and not empty of its files.
        OSError: When it cannot be written.
    """

    def __init__(self, path: Path, identity: dict) -> None:
        self.path = path
        wanted = json.loads(json.dumps(identity))
        path.mkdir(parents=True, exist_ok=True)
        file = path / SEARCH
        if file.is_file():
            try:
                self._held = json.loads(file.read_text(encoding='utf-8'))
                there = self._held['identity']
            except (ValueError, KeyError, TypeError):
                raise ValueError(f'{file} is no description of a search') from None
            for key in [*wanted, *(key for key in there if key not in wanted)]:
                if there.get(key) != wanted.get(key):
                    raise ValueError(
                        f'{path} holds another search: its {key} is {_short(there.get(key))}, '
                        f'here it is {_short(wanted.get(key))}; choose another --out')
        elif (path / TRIALS).exists():
            raise ValueError(f'{path} holds trials without {SEARCH}; choose another --out')
        else:
            self._held = {'identity': wanted, 'baseline': None}
            self._write()

    @property
    def baseline(self) -> dict | None:
        """How the unaccelerated policy does, None where it is not known yet."""
        return self._held['baseline']

    @baseline.setter
    def baseline(self, value: dict) -> None:
        self._held['baseline'] = value
        self._write()

    def storage(self):
        """Return Optuna's storage in this folder."""
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend

        return JournalStorage(JournalFileBackend(str(self.path / TRIALS)))

    def _write(self) -> None:
        write_whole(self.path / SEARCH, json.dumps(self._held, indent=1) + '\n')


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Keep others out of a folder meanwhile.

    Raises:
        ValueError: When another command works in it.
    """
    path.mkdir(parents=True, exist_ok=True)
    with (path / LOCK).open('w') as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ValueError(
                f'another vla-accel tune works in {path}; use its --workers, or another --out'
            ) from None
        yield


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + '...'
