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

"""Episodes on disk as they end, so that an evaluation can be gone on with.

One line of JSON a piece: first what was asked for, then an episode a line. A line that was cut
off by a crash does not count.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import asdict
from itertools import count
import json
from pathlib import Path
import zlib

import numpy as np

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.evaluation.episode import EpisodeResult
from vla_accel_ros.evaluation.records import Call, StepRecord
from vla_accel_ros.files.whole_files import naming

_BEGINS = b'{"settings": '


class Journal:
    """The episodes of one evaluation.

    Args:
        path: Its file.
        settings: What decides the results, as plain values; an evaluation goes on only under the
            same.
        resume: Whether what the file holds is gone on with; otherwise it begins anew, and
            episodes that were there are kept in a file whose name ends in `.old`, or `.old.2`
            and so on where there is one.

    Attributes:
        results: The episodes that were there.

    Raises:
        ValueError: When the file is of other settings, naming them, or is no journal: what it
            holds is somebody else's.
        OSError: When it cannot be written.
    """

    def __init__(self, path: Path, settings: Mapping[str, object], resume: bool) -> None:
        # As it will be read back.
        self._settings = json.loads(json.dumps(settings))
        self.results: list[EpisodeResult] = []
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        check_journal(path)
        lines = path.read_bytes().count(b'\n') if path.is_file() else 0
        with naming(path):
            if resume and lines:
                self._read(path)
                self._file = path.open('a', encoding='utf-8')
            else:
                if lines > 1:
                    path.replace(_free(path))
                self._file = path.open('w', encoding='utf-8')
                self._write({'settings': self._settings})

    def add(self, result: EpisodeResult) -> None:
        """Add an episode."""
        self._write(to_json(result))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, value: dict) -> None:
        with naming(self._path):
            self._file.write(json.dumps(value) + '\n')
            self._file.flush()

    def _read(self, path: Path) -> None:
        lines = path.read_bytes().splitlines(keepends=True)
        held, whole = {}, 0
        for number, line in enumerate(lines, 1):
            # What a crash has left of the last line may be anything.
            if 1 < number == len(lines) and not _is_json(line):
                break
            try:
                value = json.loads(line)
                if number == 1:
                    held = value['settings']
                else:
                    self.results.append(from_json(value))
            except (ValueError, KeyError, TypeError, zlib.error):
                raise ValueError(
                    f'{path} is no journal of an evaluation, line {number}: leave --resume out '
                    'to begin anew, or choose another --out'
                ) from None
            whole += len(line)
        other = _differences(held, self._settings)
        if other:
            raise ValueError(
                f'{path} is of another evaluation, it cannot be gone on with: {"; ".join(other)}'
            )
        if whole < path.stat().st_size:
            with path.open('r+b') as file:
                file.truncate(whole)


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line.decode())
    except ValueError:
        return False
    return line.endswith(b'\n')


def check_journal(path: Path) -> None:
    """Refuse a file that is there and that no evaluation has begun.

    Raises:
        ValueError: When it is none, or no file at all.
    """
    if not path.exists():
        return
    head = b''
    if path.is_file():
        with path.open('rb') as file:
            head = file.read(len(_BEGINS))
    if not path.is_file() or not _BEGINS.startswith(head):
        raise ValueError(
            f'{path} is no journal of an evaluation, and the episodes would go there: choose '
            'another --out'
        )


def _free(path: Path) -> Path:
    """Return the first name for what was there that nothing has yet."""
    for number in count(1):
        old = path.with_name(f'{path.name}.old' + (f'.{number}' if number > 1 else ''))
        if not old.exists():
            return old


def _differences(held: dict, asked: dict, at: str = '') -> list[str]:
    """Name the settings that differ, and how."""
    found = []
    for key in [*held, *(key for key in asked if key not in held)]:
        mine, other = held.get(key), asked.get(key)
        if isinstance(mine, dict) and isinstance(other, dict):
            found += _differences(mine, other, f'{at}{key}.')
        elif mine != other:
            found.append(f'{at}{key} was {mine!r}, is {other!r}')
    return found


def to_json(result: EpisodeResult) -> dict:
    """Return an episode as plain values: its outcome in the open, its steps packed."""
    rest = json.dumps(
        {
            'records': [_record(record) for record in result.records],
            'actions': result.actions.tolist(),
            'jerk': result.jerk.tolist(),
        }
    )
    return {
        'method': result.method,
        'seed': result.seed,
        'instruction': result.instruction,
        'success': result.success,
        'at_end': result.at_end,
        'steps': result.steps,
        'packed': base64.b64encode(zlib.compress(rest.encode())).decode('ascii'),
    }


def from_json(values: Mapping) -> EpisodeResult:
    """Return the episode that `to_json` gave.

    Raises:
        ValueError, KeyError, TypeError, zlib.error: When it is none.
    """
    rest = json.loads(zlib.decompress(base64.b64decode(values['packed'])))
    return EpisodeResult(
        values['method'],
        values['seed'],
        values['instruction'],
        values['success'],
        tuple(_to_record(record) for record in rest['records']),
        np.array(rest['actions']).reshape(-1, END_EFFECTOR.width),
        np.array(rest['jerk']),
        values['at_end'],
    )


def _record(record: StepRecord) -> dict:
    plain = {key: value for key, value in asdict(record).items() if value is not None}
    if 'action' in plain:
        plain['action'] = plain['action'].tolist()
    if 'call' in plain:
        plain['call']['kept_ids'] = plain['call']['kept_ids'].tolist()
    return plain


def _to_record(plain: dict) -> StepRecord:
    if 'action' in plain:
        plain['action'] = np.array(plain['action'])
    if 'call' in plain:
        call = plain['call']
        plain['call'] = Call(**{**call, 'kept_ids': np.array(call['kept_ids'], dtype=np.int64)})
    return StepRecord(**plain)
