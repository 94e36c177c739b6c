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

from vla_accel_ros.files.kinds import Object, take
from vla_accel_ros.models.checkpoints.json_file import CheckpointError, named, read_json
from vla_accel_ros.models.checkpoints.lerobot import (
    ACTION,
    PROCESSORS,
    STATE,
    data_set,
    processor_statistics,
)
from vla_accel_ros.models.checkpoints.openpi import read_part
from vla_accel_ros.models.checkpoints.safetensors_header import read_header
from vla_accel_ros.models.checkpoints.weights import read_some, shards
from vla_accel_ros.models.normalisation import IDENTITY

PLAIN = 'stats.json'
# By part of the statistics the feature, and how an older file names its buffers.
_PARTS = {'proprio': STATE, 'action': ACTION}
_OLDER = {
    'proprio': ('normalize_inputs.buffer_observation_state',),
    'action': ('unnormalize_outputs.buffer_action', 'normalize_targets.buffer_action'),
}
Parts = dict[str, dict[str, tuple[float, ...]]]


def read_statistics(
    folder: Path, widths: Mapping[str, int], modes: Mapping[str, str]
) -> dict[str, Parts]:
    """Read the statistics of state and action.

    Args:
        folder: The checkpoint's.
        widths: Columns of `proprio` and `action`.
        modes: How each is scaled, one of `normalisation.MODES`.

    Returns:
        As `norm_stats`, of one data set.

    Raises:
        CheckpointError: When there are none, or they are not what they must be.
    """
    found = processor_statistics(folder)
    key, parts = next(iter(found.items()), (data_set(folder), {}))
    parts = _buffers(folder) | _plain(folder) | parts
    for part, width in widths.items():
        if part not in parts and modes[part] == IDENTITY:
            parts[part] = {'mean': (0.0,) * width}
        if part not in parts:
            raise CheckpointError(
                f"{folder} has no statistics of {_PARTS[part]}: expected those of LeRobot's "
                f'processors beside {PROCESSORS[0]}, {PLAIN}, or normalisation buffers among the '
                'weights'
            )
        for name, values in parts[part].items():
            if len(values) != width:
                raise CheckpointError(
                    f'{folder}: {_PARTS[part]}.{name} has {len(values)} numbers, config.json says '
                    f'{width}'
                )
    return {key: parts}


def _plain(folder: Path) -> Parts:
    file = folder / PLAIN
    if not (file.exists() or file.is_symlink()):
        return {}
    values = read_json(file)
    with named(file):
        entries = {part: take(values, feature, Object(), None) for part, feature in _PARTS.items()}
        return {
            part: read_part(entry, _PARTS[part])
            for part, entry in entries.items()
            if entry is not None
        }


def _buffers(folder: Path) -> Parts:
    """Read statistics that stand as tensors `NAME.mean` among the weights."""
    found: Parts = {}
    for file in shards(folder):
        stored = read_header(file)
        for part, names in _OLDER.items():
            prefixes = [f'{before}{name}.' for name in names for before in ('', 'model.')]
            prefix = next((each for each in prefixes if f'{each}mean' in stored), None)
            if prefix is None or part in found:
                continue
            wanted = [name for name in stored if name.startswith(prefix)]
            lists = {
                name.removeprefix(prefix): tensor.double().flatten().tolist()
                for name, tensor in read_some(file, wanted)
            }
            with named(file):
                found[part] = read_part(lists, prefix.rstrip('.'))
    return found
