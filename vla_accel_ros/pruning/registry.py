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


"""The methods by name, found in the folder `methods`, and their parameters as tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib import import_module
from typing import Any

from vla_accel_ros.pruning import methods
from vla_accel_ros.pruning.base import AnyPruner, Pruner
from vla_accel_ros.pruning.interface import Layout
from vla_accel_ros.pruning.parameters import FIXED, Parameters


def load(name: str) -> type[AnyPruner]:
    """Import a method's file and give the pruner in it.

    Raises:
        TypeError: When the file has no pruner whose name is that of the file.
    """
    module = import_module(f'{methods.__name__}.{name}')
    for value in vars(module).values():
        if (
            isinstance(value, type)
            and issubclass(value, Pruner)
            and vars(value).get('name') == name
        ):
            return value
    raise TypeError(f"{module.__file__} has no Pruner with name = '{name}', the file's name")


METHODS: dict[str, type[AnyPruner]] = {name: load(name) for name in methods.NAMES}


@dataclass(frozen=True)
class ParameterInfo:
    """What is to be known of one parameter.

    Attributes:
        name: Its name.
        default: Its default, of its type; a tuple for a list.
        doc: One line that says what it does.
        unit: SI unit, empty for pure numbers.
        low: Smallest allowed number, None if there is none.
        high: Largest allowed number, None if there is none.
        choices: The allowed strings, empty for any.
    """

    name: str
    default: Any
    doc: str
    unit: str
    low: float | None
    high: float | None
    choices: tuple[str, ...]


def method(name: str) -> type[AnyPruner]:
    """Give the method of that name.

    Raises:
        ValueError: When there is none; lists the ones there are.
    """
    if name not in METHODS:
        raise ValueError(f"pruning method is '{name}', expected one of {list(METHODS)}")
    return METHODS[name]


def parameter_table(name: str) -> tuple[ParameterInfo, ...]:
    """Give a method's parameters, those that all have in common first.

    Raises:
        ValueError: When there is no such method.
    """
    return tuple(
        ParameterInfo(name=spec.name, default=spec.default, **spec.metadata)
        for spec in fields(method(name).Parameters)
    )


def make_parameters(name: str, **values: Any) -> Parameters:
    """Build a method's parameters from values by name.

    Raises:
        ValueError: When the method or a parameter is unknown, or a value is out of range.
    """
    kind: type[Parameters] = method(name).Parameters
    known = [spec.name for spec in fields(kind)]
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise ValueError(f'{name} has no parameters {unknown}, expected some of {known}')
    return kind(**values)


def own_values(name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Pick a method's parameters out of values that may hold those of other methods.

    So one set of values serves while methods are exchanged. A keep ratio among them asks a
    method that has a budget of its own for the fixed one, unless they say which.

    Raises:
        ValueError: When the method is unknown, or no method has a parameter of a name.
    """
    own = {info.name for info in parameter_table(name)}
    everyones = {info.name for other in METHODS for info in parameter_table(other)}
    unknown = sorted(map(str, set(values) - everyones))
    if unknown:
        raise ValueError(f'no method has parameters {unknown}, expected of {name}: {sorted(own)}')
    picked = {key: value for key, value in values.items() if key in own}
    if 'keep' in picked and 'budget' in own:
        picked.setdefault('budget', FIXED)
    return picked


def create(name: str, layout: Layout, **values: Any) -> AnyPruner:
    """Build a pruner.

    Args:
        name: One of `METHODS`.
        layout: Where the model's visual tokens come from.
        values: Its parameters, defaults for those left out.

    Raises:
        ValueError: When the method or a parameter is unknown, out of range, or does not fit.
    """
    return method(name)(make_parameters(name, **values), layout)
