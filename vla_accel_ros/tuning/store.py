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

The journal survives being cut off: a last line that is not whole is left out, and a lock that was
left behind is removed. One command at a time works in a folder.
"""

from __future__ import annotations

import json
from pathlib import Path

from vla_accel_ros.files.output_folder import OutputFolder
from vla_accel_ros.files.outputs import json_with

SEARCH, TRIALS = 'search.json', 'trials.log'
# Optuna's own, beside its journal while a line is written.
TRIALS_LOCK = f'{TRIALS}.lock'
RESULTS, PICTURE = 'results.json', 'pareto.png'
PARAMETERS, PRESET, PRESETS = 'arm.yaml', 'preset.yaml', 'presets'
NAMES = (SEARCH, TRIALS, TRIALS_LOCK, RESULTS, PICTURE, PARAMETERS, PRESET, PRESETS)


def files_of(path: Path) -> OutputFolder:
    """Return the outputs of a search in a folder."""
    described = json_with('identity', 'baseline')
    return OutputFolder(path, 'tune', NAMES, lambda folder: described(folder / SEARCH))


class Folder:
    """What a search keeps between commands.

    Args:
        files: The folder, which is there.
        identity: What the search is of, as plain values.

    Attributes:
        path: The folder.
        prefix, heart, salt: As those of `Shared`; none, for nobody else works here.

    Raises:
        ValueError: When the folder is of another search.
        OSError: When it cannot be written.
    """

    prefix, heart, salt = '', None, 0

    def __init__(self, files: OutputFolder, identity: dict) -> None:
        self._files, self.path = files, files.path
        wanted = json.loads(json.dumps(identity))
        file = self.path / SEARCH
        if file.is_file():
            try:
                self._held = json.loads(file.read_text(encoding='utf-8'))
                there = self._held['identity']
            except (ValueError, KeyError, TypeError):
                raise ValueError(f'{file} is no description of a search') from None
            check_same(str(self.path), there, wanted, '--out')
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
        """Return Optuna's storage in this folder.

        Raises:
            ValueError: When the journal is none, with the line that is not.
        """
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend

        # The lock is a link to the journal's path, whose age Optuna reads: that path leads
        # somewhere from everywhere.
        file = self._files.note(TRIALS).resolve()
        # Nobody else works here, so that a lock which is there is of a command that was killed.
        self._files.note(TRIALS_LOCK)
        file.with_name(TRIALS_LOCK).unlink(missing_ok=True)
        if file.is_file():
            mend(file)
        return JournalStorage(JournalFileBackend(str(file)))

    def _write(self) -> None:
        self._files.write(SEARCH, json.dumps(self._held, indent=1) + '\n')


def check_same(place: str, there: dict, wanted: dict, option: str) -> None:
    """Refuse to mix two searches.

    Args:
        place: What holds a search.
        there: What that is of.
        wanted: What this one is of.
        option: What leads elsewhere.

    Raises:
        ValueError: When they differ, with the first difference.
    """
    for key in [*wanted, *(key for key in there if key not in wanted)]:
        if there.get(key) != wanted.get(key):
            raise ValueError(
                f'{place} holds another search: its {key} is {_short(there.get(key))}, here it '
                f'is {_short(wanted.get(key))}; choose another {option}'
            )


def mend(file: Path) -> None:
    """Cut off a last line that a crash has left unfinished.

    Raises:
        ValueError: When another line is no JSON.
    """
    data = file.read_bytes()
    lines, whole = data.splitlines(keepends=True), 0
    for number, line in enumerate(lines, 1):
        try:
            if not isinstance(json.loads(line), dict) or not line.endswith(b'\n'):
                raise ValueError
        except ValueError:
            if number < len(lines):
                raise ValueError(
                    f'{file} line {number} is no line of a journal of trials; choose another --out'
                ) from None
            break
        whole += len(line)
    if whole < len(data):
        with file.open('r+b') as opened:
            opened.truncate(whole)


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + '...'
