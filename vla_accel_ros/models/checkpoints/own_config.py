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

"""The configuration as this package writes it: plain values that JSON can hold.

The family's part stands under the family's name, so that what is read says whose it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields

from vla_accel_ros.files.kinds import FieldError, Maybe, Object, Part, at
from vla_accel_ros.layers.shapes import DecoderConfig, TowerConfig
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.families import registry

_PART = 'head'
# Facts of some models only, which stand in a file where they are not the usual ones.
_OF_SOME = (
    *('drop_attention', 'drop_mlp', 'head_size', 'norm_adds_one', 'scaled_embedding', 'logits'),
    *('activation', 'final_norm', 'shuffle', 'scaling'),
)
_SHARED = tuple(field.name for field in fields(VLAConfig) if field.name != _PART)


def write(config: VLAConfig) -> dict:
    """Give the values that `read` takes."""
    values = _shortened(asdict(config), VLAConfig)
    part = values.pop(_PART)
    values['decoder'] = _shortened(values['decoder'], DecoderConfig)
    values['towers'] = [_shortened(tower, TowerConfig) for tower in values['towers']]
    return {**values, registry.of(config).name: _shortened(part, type(config.head))}


def _shortened(values: Mapping, kind: type) -> dict:
    defaults = {field.name: field.default for field in fields(kind)}
    return {
        name: value
        for name, value in values.items()
        if name not in _OF_SOME or value != defaults[name]
    }


def read(values: object, where: str = '') -> VLAConfig:
    """Build a configuration from its values.

    Args:
        values: An object of the shared names and one family's, whose part it is. A family
            without a part may stand there as null; the first family is meant where there is
            none at all.
        where: The object's path, for the message.

    Raises:
        FieldError: When there is an unknown name or a missing one, or a value is not what it may
            be; the message begins with its path.
    """
    values = Object().read(values, where)
    parts = {
        name: Maybe(Part(_family(name, where).config)).read(values[name], at(where, name))
        for name in sorted(set(values) - set(_SHARED))
    }
    given = {name: part for name, part in parts.items() if part is not None}
    if len(given) > 1:
        raise FieldError(f'{at(where, max(given))} is given beside {min(given)}, expected one')
    head = next(iter(given.values()), None) or registry.FIRST.config()
    shared: Mapping = {name: value for name, value in values.items() if name in _SHARED}
    return Part(VLAConfig).read({**shared, _PART: head}, where)


def _family(name: str, where: str) -> registry.Family:
    try:
        return registry.find(name)
    except registry.FamilyError as error:
        known = registry.names()
        if name in known:
            raise FieldError(f'{at(where, name)}: {error}') from error
        raise FieldError(
            f'{at(where, name)} is unknown, expected one of {", ".join([*_SHARED, *known])}'
        ) from error
