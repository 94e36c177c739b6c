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

"""Recipes from YAML: one file a model, read strictly, errors that name the place."""

from __future__ import annotations

from dataclasses import MISSING, fields
import math
from pathlib import Path

from vla_accel_ros.training.disturbance import Disturbance
from vla_accel_ros.training.recipe import Recipe
from vla_accel_ros.training.recipe_checks import RecipeError, check, short
from vla_accel_ros.training.recipe_parts import FramesRecipe, ModelRecipe, Stage

_NESTED = {'model': ModelRecipe, 'disturbance': Disturbance}


def _build(kind: type, values, where: str):
    # A file of another kind may hold anything, and much of it.
    found = short(values) if where else 'no mapping'
    check(isinstance(values, dict), f'{where or "recipe"} is {found}, expected names: values')
    _check_names(values, where or 'recipe')
    known = {f.name: f for f in fields(kind)}
    unknown = sorted(set(values) - set(known))
    check(not unknown, f'{where or "recipe"}: unknown {unknown}, expected some of {list(known)}')
    missing = [
        n
        for n, f in known.items()
        if n not in values and f.default is MISSING and f.default_factory is MISSING
    ]
    check(not missing, f'{where or "recipe"}: missing {missing}')
    given = {}
    for name, value in values.items():
        inside = f'{where}.{name}' if where else name
        if name in _NESTED:
            value = _build(_NESTED[name], value, inside)
        elif name == 'data':
            check(isinstance(value, dict), f'{inside} is {value!r}, expected sets by name')
            _check_names(value, inside)
            value = {k: _build(FramesRecipe, v, f'{inside}.{k}') for k, v in value.items()}
        elif name == 'stages':
            check(isinstance(value, list), f'{inside} is {value!r}, expected a list')
            value = tuple(_build(Stage, v, f'{inside}[{i}]') for i, v in enumerate(value))
        else:
            value = _value(value, known[name].type, inside)
        given[name] = value
    try:
        return kind(**given)
    except RecipeError as error:
        raise RecipeError(f'{where}: {error}' if where else str(error)) from None


def _check_names(values: dict, where: str) -> None:
    odd = [name for name in values if not isinstance(name, str)]
    check(not odd, f'{where}: {odd} are no words, expected names: values')


def _value(value, kind: str, where: str):
    if kind == 'float':
        # YAML reads 1e-3 as a word.
        try:
            number = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        check(math.isfinite(number), f'{where} is {value!r}, expected a finite number')
        return number
    if kind == 'int':
        whole = isinstance(value, int) and not isinstance(value, bool)
        check(whole, f'{where} is {value!r}, expected a whole number')
    if kind == 'bool':
        check(isinstance(value, bool), f'{where} is {value!r}, expected true or false')
    if kind == 'str':
        check(isinstance(value, str), f'{where} is {value!r}, expected words')
    if kind.startswith('tuple'):
        check(isinstance(value, (list, tuple)), f'{where} is {value!r}, expected a list')
        (inner,) = [name for name in ('int', 'str') if f'[{name}, ...]' in kind]
        return tuple(_value(v, inner, f'{where}[{i}]') for i, v in enumerate(value))
    if kind == 'dict':
        check(isinstance(value, dict), f'{where} is {value!r}, expected names: numbers')
        _check_names(value, where)
        return {k: _value(v, 'float', f'{where}.{k}') for k, v in value.items()}
    return value


def from_dict(values: dict) -> Recipe:
    """Build a recipe from plain values.

    Raises:
        RecipeError: When a name is unknown or missing, or a value is not what it must be.
    """
    return _build(Recipe, values, '')


def load(path: str | Path) -> Recipe:
    """Read a recipe.

    Raises:
        RecipeError: When the file cannot be read or followed; the message names the place.
    """
    import yaml

    try:
        values = yaml.safe_load(Path(path).read_text(encoding='utf-8'))
    except (OSError, ValueError, yaml.YAMLError) as error:
        # A YAML error quotes the text over many lines.
        raise RecipeError(f'{path} cannot be read as YAML: {short(str(error))}') from error
    try:
        return from_dict(values)
    except RecipeError as error:
        raise RecipeError(f'{path}: {error}') from None
