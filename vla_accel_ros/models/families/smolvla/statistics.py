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

"""The statistics of a public SmolVLA: beside the weights, or among them in older files.

Newer folders have the files of LeRobot's processors, whose normaliser holds them; older files hold
them as buffers of the model; a plain `stats.json` serves, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from vla_accel_ros.files.kinds import FieldError, Number, Object, Several, Word, take
from vla_accel_ros.models.checkpoints.file_names import CONFIG
from vla_accel_ros.models.checkpoints.json_file import CheckpointError, named, read_json
from vla_accel_ros.models.checkpoints.safetensors_header import read_header
from vla_accel_ros.models.checkpoints.weights import read_some, shards

PLAIN = 'stats.json'
PROCESSORS = ('policy_preprocessor.json', 'policy_postprocessor.json')
STATE, ACTION = 'observation.state', 'action'
# How an older file names the statistics of a feature, and what they scale.
_OLDER = {
    STATE: ('normalize_inputs.buffer_observation_state',),
    ACTION: ('unnormalize_outputs.buffer_action', 'normalize_targets.buffer_action'),
}
MEAN_STD, IDENTITY = 'MEAN_STD', 'IDENTITY'
# The data set's name, for a folder has one.
KEY = 'lerobot'
Columns = dict[str, tuple[float, ...]]


def read_statistics(folder: Path, values: Mapping, widths: Mapping[str, int]) -> dict:
    """Read mean and standard deviation of state and action.

    Args:
        folder: The checkpoint's.
        values: What `config.json` holds.
        widths: Numbers of each of both, by feature.

    Returns:
        As `norm_stats`: `{KEY: {'action': {'mean', 'std'}, 'proprio': {'mean', 'std'}}}`.

    Raises:
        CheckpointError: When there are none, or they are not what they must be.
    """
    with named(folder / CONFIG):
        modes = _modes(values)
    found: dict[str, Columns] = {}
    for feature, width in widths.items():
        if modes[feature] == IDENTITY:
            found[feature] = {'mean': (0.0,) * width, 'std': (1.0,) * width}
    wanted = {feature: width for feature, width in widths.items() if feature not in found}
    for read in (_plain, _processors, _buffers):
        if wanted and (here := read(folder, wanted)):
            found |= here
            break
    lacking = sorted(set(widths) - set(found))
    if lacking:
        raise CheckpointError(
            f'{folder} has no statistics of {", ".join(lacking)}: expected the files of '
            f"LeRobot's processors ({', '.join(PROCESSORS)} and theirs), {PLAIN}, or "
            'normalisation buffers among the weights'
        )
    return {KEY: {'action': found[ACTION], 'proprio': found[STATE]}}


def _modes(values: Mapping) -> dict[str, str]:
    given = take(values, 'normalization_mapping', Object(), {})
    kinds = Word((MEAN_STD, IDENTITY))
    where = 'normalization_mapping'
    return {
        STATE: take(given, 'STATE', kinds, MEAN_STD, where),
        ACTION: take(given, 'ACTION', kinds, MEAN_STD, where),
    }


def _columns(entry: Mapping, width: int, where: str) -> Columns:
    kinds = {'mean': Number(-1e12, 1e12), 'std': Number(0, 1e12)}
    columns: Columns = {}
    for name, kind in kinds.items():
        if entry.get(name) is None:
            raise FieldError(f'{where}.{name} is missing, expected {width} numbers')
        columns[name] = Several(kind, width, width).read(entry[name], f'{where}.{name}')
    return columns


def _plain(folder: Path, widths: Mapping[str, int]) -> dict[str, Columns]:
    file = folder / PLAIN
    if not (file.exists() or file.is_symlink()):
        return {}
    values = read_json(file)
    with named(file):
        return {
            feature: _columns(take(values, feature, Object(), {}), width, feature)
            for feature, width in widths.items()
        }


def _processors(folder: Path, widths: Mapping[str, int]) -> dict[str, Columns]:
    """Read the normaliser of the first processor that has one, and the other's un-normaliser."""
    found: dict[str, Columns] = {}
    for name in PROCESSORS:
        file = folder / name
        if not (file.exists() or file.is_symlink()):
            continue
        values = read_json(file)
        with named(file):
            steps = Several(Object()).read(values.get('steps', []), 'steps')
            states = [
                take(step, 'state_file', Word(pattern=r'[^/\\\0]+\.safetensors'), None, 'steps')
                for step in steps
                if 'normalizer' in take(step, 'registry_name', Word(), '', 'steps')
            ]
        for state in filter(None, states):
            found = _tensors(folder / state, {f: (f,) for f in widths}, widths) | found
    return found


def _buffers(folder: Path, widths: Mapping[str, int]) -> dict[str, Columns]:
    found: dict[str, Columns] = {}
    for file in shards(folder):
        older = {feature: _OLDER[feature] for feature in widths}
        found |= _tensors(file, older, widths)
    return found


def _tensors(
    file: Path, names: Mapping[str, tuple[str, ...]], widths: Mapping[str, int]
) -> dict[str, Columns]:
    """Read statistics that stand as tensors `NAME.mean` and `NAME.std` in a file."""
    stored = read_header(file)
    found: dict[str, Columns] = {}
    for feature, width in widths.items():
        for name in names[feature]:
            whole = next(
                (each for each in (name, f'model.{name}') if f'{each}.mean' in stored), ''
            )
            if whole and feature not in found:
                wanted = [
                    f'{whole}.{part}' for part in ('mean', 'std') if f'{whole}.{part}' in stored
                ]
                entry = {
                    tensor.rpartition('.')[2]: np.atleast_1d(values.double().numpy()).tolist()
                    for tensor, values in read_some(file, wanted)
                }
                with named(file):
                    found[feature] = _columns(entry, width, whole)
    return found
