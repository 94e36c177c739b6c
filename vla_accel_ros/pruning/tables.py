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


"""Parameter tables for the documentation, so that it cannot say otherwise than the code."""

from __future__ import annotations

from dataclasses import fields

from vla_accel_ros.pruning.parameters import Parameters
from vla_accel_ros.pruning.registry import ParameterInfo, parameter_table

COMMON = tuple(spec.name for spec in fields(Parameters))


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ', '.join(map(_shown, value))
    if isinstance(value, bool):
        return 'true' if value else 'false'
    return f'{value:g}' if isinstance(value, float) else str(value)


def _allowed(info: ParameterInfo) -> str:
    if info.choices:
        return ', '.join(f'`{choice}`' for choice in info.choices)
    if info.low is None:
        return 'true, false'
    return f'{_shown(info.low)} to {_shown(info.high)}'


def table(method: str, common: bool = False) -> str:
    """Give a method's own parameters as a Markdown table, or those that all methods share.

    Raises:
        ValueError: When there is no such method.
    """
    rows = ['| parameter | default | allowed | unit | meaning |', '|---|---|---|---|---|']
    for info in parameter_table(method):
        if (info.name in COMMON) is common:
            rows.append(
                f'| `{info.name}` | {_shown(info.default)} | {_allowed(info)} | {info.unit} '
                f'| {info.doc} |'
            )
    return '\n'.join(rows)
