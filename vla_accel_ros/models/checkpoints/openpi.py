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

"""Statistics of openpi's folders: `norm_stats.json`, one an asset."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from vla_accel_ros.files.kinds import FieldError, Number, Object, Several, at, take
from vla_accel_ros.models.checkpoints.json_file import named, read_json

FILE, ASSETS = 'norm_stats.json', 'assets'
NAMES = ('mean', 'std', 'q01', 'q99')
# openpi's names of the two parts, and this package's.
PARTS = {'actions': 'action', 'state': 'proprio'}
_COLUMN = Several(Number(-1e12, 1e12), 1, 256)


def asset_statistics(folder: Path) -> dict[str, dict[str, dict[str, tuple[float, ...]]]]:
    """Read the statistics of all assets of a folder.

    They stand in `assets/OWNER/NAME/norm_stats.json`, with or without an owner, or in the folder
    itself.

    Returns:
        By the asset's name without its owner, or the folder's name: `action` and `proprio`, each
        with some of `NAMES`. Empty where there is no file.

    Raises:
        CheckpointError: When a file does not say what is needed.
    """
    files = sorted((folder / ASSETS).rglob(FILE))
    found = {file.parent.name: file for file in files} if files else {}
    if not found and (folder / FILE).exists():
        found = {folder.resolve().name: folder / FILE}
    return {key: _read(file) for key, file in found.items()}


def _read(file: Path) -> dict[str, dict[str, tuple[float, ...]]]:
    values = read_json(file)
    with named(file):
        stats = take(values, 'norm_stats', Object(), values)
        result = {}
        for theirs, ours in PARTS.items():
            part = take(stats, theirs, Object(), None, 'norm_stats')
            if part is not None:
                result[ours] = read_part(part, at('norm_stats', theirs))
        if 'action' not in result:
            raise FieldError('norm_stats.actions is missing, expected an object with mean and std')
        return result


def read_part(part: Mapping, where: str) -> dict[str, tuple[float, ...]]:
    """Read the lists of one part, which have one length and no NaN.

    Raises:
        FieldError: When they have not, or none is there.
    """
    lists: dict[str, tuple[float, ...]] = {}
    for name in (*NAMES, 'min', 'max'):
        values = take(part, name, _COLUMN, None, where)
        if values is None:
            continue
        lists[name] = tuple(values)
        first = next(iter(lists))
        if len(values) != len(lists[first]):
            raise FieldError(
                f'{at(where, name)} is a list of {len(values)}, expected {len(lists[first])} as '
                f'{first} has'
            )
    if not lists:
        raise FieldError(f'{where} has no statistics, expected some of {", ".join(NAMES)}')
    return lists
