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

"""LeRobot's folders: what a policy takes and gives, and how its processors scale numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vla_accel_ros.files.kinds import Flag, Object, Several, Whole, Word, at, take
from vla_accel_ros.models.checkpoints.file_names import CONFIG
from vla_accel_ros.models.checkpoints.json_file import CheckpointError, named, read_json
from vla_accel_ros.models.checkpoints.openpi import read_part
from vla_accel_ros.models.checkpoints.weights import read_some
from vla_accel_ros.models.normalisation import IDENTITY, MEAN_STD, MIN_MAX, QUANTILES

PROCESSORS = ('policy_preprocessor.json', 'policy_postprocessor.json')
TRAINED = 'train_config.json'
IMAGES, STATE, ACTION = 'observation.images.', 'observation.state', 'action'
# Names of cameras that no robot has; they keep places in a checkpoint.
EMPTY = 'empty_camera'
MODES = {'MEAN_STD': MEAN_STD, 'QUANTILES': QUANTILES, 'MIN_MAX': MIN_MAX, 'IDENTITY': IDENTITY}
_NORMALISERS = ('normalizer_processor', 'unnormalizer_processor')
# The step that takes the state from actions, by its names of several versions.
_RELATIVE = ('relative_actions_processor', 'delta_actions_processor')
_NAMES = Several(Word(), 0, 256)
_FILE = Word(pattern=r'[^/\\\0]+\.safetensors', example='policy_preprocessor_step_5.safetensors')


@dataclass(frozen=True)
class Features:
    """What a policy takes and gives.

    Attributes:
        cameras: Names of its cameras, in order, without the empty ones.
        state: Numbers of its state; 0 where nothing is said.
        actions: Columns of its actions; 0 where nothing is said.
    """

    cameras: tuple[str, ...] = ()
    state: int = 0
    actions: int = 0


def features_of(values: Mapping) -> Features:
    """Read the features of a `config.json`.

    Raises:
        FieldError: When one is not of the form that LeRobot writes.
    """
    inputs = take(values, 'input_features', Object(), {})
    outputs = take(values, 'output_features', Object(), {})
    cameras = tuple(
        name.removeprefix(IMAGES)
        for name, feature in inputs.items()
        if _kind(feature, at('input_features', name)) == 'VISUAL'
        and not name.removeprefix(IMAGES).startswith(EMPTY)
    )
    return Features(
        cameras,
        _columns(inputs, STATE, 'input_features'),
        _columns(outputs, ACTION, 'output_features'),
    )


def _kind(feature: object, where: str) -> str:
    return take(Object().read(feature, where), 'type', Word(), '', where)


def _columns(features: Mapping, name: str, where: str) -> int:
    feature = take(features, name, Object(), None, where)
    if feature is None:
        return 0
    (columns,) = take(feature, 'shape', Several(Whole(1, 256), 1, 1), None, at(where, name)) or (
        0,
    )
    return columns


def modes_of(values: Mapping, default: str) -> tuple[str, str]:
    """Read how state and actions are scaled, each one of `normalisation.MODES`.

    Args:
        values: What `config.json` holds.
        default: Where it says nothing.

    Raises:
        FieldError: When a way is unknown.
    """
    mapping = take(values, 'normalization_mapping', Object(), {})
    words = (
        take(mapping, part, Word(tuple(MODES)), None, 'normalization_mapping')
        for part in ('STATE', 'ACTION')
    )
    state, action = (default if word is None else MODES[word] for word in words)
    return state, action


def processor_statistics(folder: Path) -> dict[str, dict[str, dict[str, tuple[float, ...]]]]:
    """Read the statistics beside a folder's processors.

    Returns:
        By the name of the data set that was trained on, or the folder's: `action` and `proprio`,
        each with lists of numbers by name. Empty where the processors have none.

    Raises:
        CheckpointError: When a file is missing or corrupt, or a number is NaN.
    """
    found: dict[str, dict] = {}
    for name in PROCESSORS:
        file = folder / name
        if file.exists() or file.is_symlink():
            found |= _of_processor(file)
    if not found:
        return {}
    if ACTION not in found:
        raise CheckpointError(f'{folder / PROCESSORS[1]} has no statistics of {ACTION}')
    parts = {ACTION: found[ACTION]}
    if STATE in found:
        parts['proprio'] = found[STATE]
    return {data_set(folder): parts}


def relative_columns(folder: Path, values: Mapping, width: int) -> tuple[int, ...]:
    """Say which columns of actions are differences from the state.

    The preprocessor's step says it, or `config.json` where the folder has no such step. Columns
    whose name contains a name that is excluded are absolute; all are differences where the
    columns have no names.

    Args:
        folder: The checkpoint's.
        values: What its `config.json` holds.
        width: Columns of an action.

    Raises:
        CheckpointError: When a file does not say what is needed.
    """
    file = folder / PROCESSORS[0]
    steps = _steps(file) if file.exists() or file.is_symlink() else ()
    found = [step for step in steps if step.get('registry_name') in _RELATIVE]
    if found:
        with named(file):
            said = take(found[0], 'config', Object(), {})
            return _differences(said, ('enabled', 'exclude_joints', 'action_names'), width)
    with named(folder / CONFIG):
        names = ('use_relative_actions', 'relative_exclude_joints', 'action_feature_names')
        return _differences(values, names, width)


def _differences(said: Mapping, names: tuple[str, str, str], width: int) -> tuple[int, ...]:
    enabled, excluded, columns = names
    if not take(said, enabled, Flag(), False):
        return ()
    without = [word.lower() for word in take(said, excluded, _NAMES, None) or () if word]
    called = [name.lower() for name in take(said, columns, _NAMES, None) or ()]
    return tuple(
        column
        for column in range(width)
        if column >= len(called) or not any(word in called[column] for word in without)
    )


def data_set(folder: Path) -> str:
    """Give the name of the data set that a folder was trained on, or the folder's."""
    file = folder / TRAINED
    if file.exists():
        values = read_json(file)
        with named(file):
            trained = take(values, 'dataset', Object(), {})
            name = take(trained, 'repo_id', Word(), '', 'dataset')
        if name:
            return name.rsplit('/', 1)[-1]
    return folder.resolve().name


def _steps(file: Path) -> Sequence[Mapping]:
    values = read_json(file)
    with named(file):
        steps: Sequence[Mapping] = take(values, 'steps', Several(Object(), 0, 256), ())
        return steps


def _of_processor(file: Path) -> dict[str, dict[str, tuple[float, ...]]]:
    found: dict[str, dict[str, tuple[float, ...]]] = {}
    steps = _steps(file)
    with named(file):
        files = [
            take(step, 'state_file', _FILE, None, f'steps[{index}]')
            for index, step in enumerate(steps)
            if step.get('registry_name') in _NORMALISERS
        ]
    for name in filter(None, files):
        found |= _lists(file.parent / name)
    return found


def _lists(file: Path) -> dict[str, dict[str, tuple[float, ...]]]:
    from vla_accel_ros.models.checkpoints.safetensors_header import read_header

    if not file.exists():
        raise CheckpointError(f'{file} is missing, which its processor names')
    wanted = (STATE, ACTION)
    names = [name for name in read_header(file) if name.rpartition('.')[0] in wanted]
    parts: dict[str, dict[str, list[float]]] = {}
    for name, tensor in read_some(file, names):
        part, _, statistic = name.rpartition('.')
        if tensor.ndim == 1:
            parts.setdefault(part, {})[statistic] = tensor.double().tolist()
    with named(file):
        return {part: read_part(lists, part) for part, lists in parts.items()}
