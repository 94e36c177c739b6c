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

"""What a checkpoint declares that it wants of a robot; read without its weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from vla_accel_ros.action_space import END_EFFECTOR, ActionSpace
from vla_accel_ros.deploy.wants import ActionsWanted, StateWanted, ViewsWanted, Wants
from vla_accel_ros.models.action_tokens import ActionStatistics, chosen_key
from vla_accel_ros.models.action_units import in_si
from vla_accel_ros.models.checkpoints.config_file import read_config
from vla_accel_ros.models.checkpoints.conventions import (
    CONVENTIONS,
    Conventions,
    known_step,
    read_conventions,
)
from vla_accel_ros.models.checkpoints.json_file import read_json
from vla_accel_ros.models.checkpoints.norm_stats import ranges
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.families import registry

TOKENIZER = 'tokenizer.json'
# Statistics of actions that are scaled by them, where there is no range.
DEVIATION = ('mean', 'std')


def declaration(folder: str | Path, unnorm_key: str | None = None, name: str = '') -> Wants:
    """Read what a checkpoint wants.

    Args:
        folder: The checkpoint's.
        unnorm_key: Data set whose statistics hold; None where there is only one.
        name: What the checkpoint is called; the folder when empty.

    Raises:
        CheckpointError: When a file is missing or does not say what is needed.
        UnnormKeyError: When the key is missing or wrong; the message lists the keys.
    """
    config, conventions = read_config(folder), read_conventions(folder)
    key = chosen_key(config.norm_stats, unnorm_key)
    entry = config.norm_stats[key]
    return Wants(
        checkpoint=name or str(folder),
        key=key,
        keys=len(config.norm_stats),
        actions=_actions(config, conventions, key, entry.get('action') or {}),
        views=ViewsWanted(
            config.cameras,
            config.image_size,
            config.resize,
            conventions.views or (),
            config.centre_crop,
        ),
        state=_state(config, conventions, entry.get('proprio') or {}),
        bins=config.bins if config.head.in_tokens else 0,
        vocabulary=config.tokenizer_vocab,
        tokens=_tokens(Path(folder)) if config.head.in_tokens else 0,
    )


def _actions(
    config: VLAConfig, conventions: Conventions, key: str, stored: Mapping
) -> ActionsWanted:
    space = conventions.actions
    if space is None and config.action_dims == END_EFFECTOR.width:
        # What a checkpoint of 7 columns is taken for, as nothing says it.
        space = END_EFFECTOR
    step_s, source = conventions.step_s, CONVENTIONS
    if step_s is None:
        step_s, source = known_step(key), f"the data set '{key}'"
    said = {
        'extremes': _extremes(stored),
        'step_s': step_s,
        'step_source': source if step_s is not None else '',
        'frame': conventions.frame or '',
        'rows': config.head.chunk,
    }
    statistics = _statistics(config, key, space, stored)
    if space is None or statistics is None or space.width != len(statistics.low):
        names = tuple(f'column {i}' for i in range(config.action_dims))
        return ActionsWanted((), names, **said)
    metres, radians = statistics.largest_step(space)
    return ActionsWanted(
        tuple(kind.value for kind in space.kinds),
        space.names,
        step_m=metres,
        step_rad=radians,
        position_rad=max(
            (
                float(max(abs(statistics.low[i]), abs(statistics.high[i])))
                for i in space.positions
                if space.units[i] == 'rad'
            ),
            default=0.0,
        ),
        **_gripper(config, space, stored),
        **said,
    )


def _statistics(
    config: VLAConfig, key: str, space: ActionSpace | None, stored: Mapping
) -> ActionStatistics | None:
    """Give the range of the actions in m and rad; None where it is not known."""
    if config.action_dims == END_EFFECTOR.width:
        return registry.of(config).reader(config, key).statistics
    if space is None or space.width != config.action_dims:
        return None
    ends = config.head.ends
    if not all(stored.get(name) for name in ends):
        if not all(stored.get(name) for name in DEVIATION):
            return None
        reader = registry.of(config).reader(config, key)
        reader.take(space)
        return reader.statistics
    return in_si(key, ActionStatistics(*ranges(stored, f'{key}.action', ends)), space)


def _gripper(config: VLAConfig, space: ActionSpace, stored: Mapping) -> dict[str, float]:
    """Give the range of the grippers as stored, and how often they were closed."""
    places = space.grippers
    low, high = (
        [np.asarray(stored[name], float)[places] for name in names if stored.get(name)]
        for names in (('min', 'q01'), ('max', 'q99'))
    )
    if not len(places) or not low or not high:
        return {}
    said = {'gripper_low': float(low[0].min()), 'gripper_high': float(high[0].max())}
    span = said['gripper_high'] - said['gripper_low']
    if stored.get('mean') and span > 0:
        mean = float(np.asarray(stored['mean'], float)[places].mean())
        share = (mean - said['gripper_low']) / span
        said['closed'] = 1 - share if config.gripper_open_is_one else share
    return said


def _state(config: VLAConfig, conventions: Conventions, stored: Mapping) -> StateWanted:
    low, high = config.head.ends
    columns = {'low': low, 'high': high, 'mean': 'mean', 'std': 'std'}
    return StateWanted(
        config.proprio,
        conventions.state or (),
        **{name: tuple(stored.get(key) or ()) for name, key in columns.items()},
    )


def _extremes(stored: Mapping) -> bool:
    """Say whether the range is from the smallest to the largest value, in every moving column."""
    if not all(stored.get(name) for name in ('q01', 'q99', 'min', 'max')):
        return False
    low, high, least, most = (np.asarray(stored[n], float) for n in ('q01', 'q99', 'min', 'max'))
    moving = np.asarray(stored.get('mask') or np.ones(len(low)), bool) & (least < most)
    same = (low == least) & (high == most)
    return bool(moving.any() and same[moving].all())


def _tokens(folder: Path) -> int:
    """Count the tokens of a folder's tokeniser; 0 where it does not say them in JSON."""
    if not (folder / TOKENIZER).exists():
        return 0
    values = read_json(folder / TOKENIZER)
    model, added = values.get('model'), values.get('added_tokens')
    vocabulary = model.get('vocab') if isinstance(model, Mapping) else None
    if isinstance(vocabulary, Mapping):
        ids = [each for each in vocabulary.values() if isinstance(each, int)]
    else:
        ids = [len(vocabulary) - 1] if isinstance(vocabulary, list) else []
    for entry in added if isinstance(added, list) else []:
        if isinstance(entry, Mapping) and isinstance(entry.get('id'), int):
            ids.append(entry['id'])
    return max(ids, default=-1) + 1
