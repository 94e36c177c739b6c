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

"""What the adapter must be told of an environment that it does not know: a YAML file."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path

import yaml

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.environments.mapping import OSC_POSE, ActionMapping

NAMED = {'product': ActionMapping(), 'osc_pose': OSC_POSE}
_MAPPING_KEYS = ('columns', 'translation', 'rotation', 'scale', 'gripper', 'binary_gripper')


@dataclass(frozen=True)
class Settings:
    """How an environment of gymnasium is used; the keys of the YAML file.

    Attributes:
        make: Keyword arguments for `gymnasium.make`.
        images: Keys of the observation that hold the views, in the checkpoint's order, with
            dots into nested ones; `render` is the picture of `render()`. Empty takes all uint8
            [h, w, 3] of the observation.
        rotate: Whether the views come upside down and are turned by half a turn.
        proprio: Keys of the observation whose numbers, one after the other, are proprioception.
        instruction: What it asks for; empty asks the environment.
        task_option: Option of `reset` that takes the instruction; empty where there is none.
        actions: How the seven columns become its action; None takes the product's own units.
        step_s: Seconds of a step; None takes `control_dt` or 1 / `render_fps` from it.
        max_steps: Steps of an episode; None takes what is registered, else 1000.
        settle_steps: Steps without motion, gripper open, before the policy's first.
    """

    make: dict = field(default_factory=dict)
    images: tuple[str, ...] = ()
    rotate: bool = False
    proprio: tuple[str, ...] = ()
    instruction: str = ''
    task_option: str = ''
    actions: ActionMapping | None = None
    step_s: float | None = None
    max_steps: int | None = None
    settle_steps: int = 0

    def __post_init__(self) -> None:
        _require(isinstance(self.make, dict), 'make', self.make, 'keyword arguments')
        _require(isinstance(self.rotate, bool), 'rotate', self.rotate, 'true or false')
        for key in ('instruction', 'task_option'):
            _require(isinstance(getattr(self, key), str), key, getattr(self, key), 'text')
        _require(
            self.step_s is None or (_is_number(self.step_s) and self.step_s > 0),
            'step_s',
            self.step_s,
            'seconds above 0',
        )
        _require(
            self.max_steps is None or _is_whole(self.max_steps, 1),
            'max_steps',
            self.max_steps,
            'at least 1',
        )
        _require(_is_whole(self.settle_steps, 0), 'settle_steps', self.settle_steps, 'at least 0')


def read(file: Path) -> Settings:
    """Read settings.

    Raises:
        ValueError: When the file is no such YAML, or a value makes no sense; names both.
        OSError: When there is no such file.
    """
    try:
        values = yaml.safe_load(file.read_text(encoding='utf-8')) or {}
        return from_dict(values)
    except (ValueError, yaml.YAMLError) as error:
        raise ValueError(f'{file}: {error}') from error


def from_dict(values: dict) -> Settings:
    """Check and convert what a YAML file holds.

    Raises:
        ValueError: When a key is unknown or a value makes no sense.
    """
    known = [item.name for item in fields(Settings)]
    _known(values, known, 'settings')
    values = dict(values)
    for key in ('images', 'proprio'):
        if key in values:
            values[key] = _names(values[key], key)
    if values.get('actions') is not None:
        values['actions'] = _mapping(values['actions'])
    return Settings(**values)


def _mapping(values: dict | str) -> ActionMapping:
    if isinstance(values, str):
        if values not in NAMED:
            raise ValueError(f"actions '{values}' is unknown, expected {', '.join(NAMED)}")
        return NAMED[values]
    _known(values, _MAPPING_KEYS, 'actions')
    columns = _names(values.get('columns', list(END_EFFECTOR.names)), 'columns')
    moving = END_EFFECTOR.moving
    metres, radians = (
        _numbers([values.get(key, 1.0)], key, 1)[0] for key in ('translation', 'rotation')
    )
    scale = tuple(END_EFFECTOR.spread(metres, radians, gripper=1.0)[moving].tolist())
    if 'scale' in values:
        scale = _numbers(values['scale'], 'scale', len(moving))
    gripper = _numbers(values.get('gripper', [0.0, 1.0]), 'gripper', 2)
    binary = values.get('binary_gripper', False)
    _require(isinstance(binary, bool), 'binary_gripper', binary, 'true or false')
    return ActionMapping(columns, scale, *gripper, binary)


def _numbers(value, key: str, count: int) -> tuple[float, ...]:
    fits = isinstance(value, list) and len(value) == count and all(map(_is_number, value))
    _require(fits, key, value, f'{count} numbers')
    return tuple(value)


def _names(value, key: str) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    _require(
        isinstance(names, list) and all(isinstance(n, str) for n in names),
        key,
        value,
        'a key or a list of keys',
    )
    return tuple(names)


def _known(values, known, what: str) -> None:
    if not isinstance(values, dict):
        raise ValueError(f'{what} are {values!r}, expected keys of {", ".join(known)}')
    if unknown := set(values) - set(known):
        raise ValueError(
            f"{what} have no '{sorted(map(str, unknown))[0]}', expected {', '.join(known)}"
        )


def _is_number(value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_whole(value, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _require(holds: bool, key: str, value, expected: str) -> None:
    if not holds:
        raise ValueError(f'{key} is {value!r}, expected {expected}')
