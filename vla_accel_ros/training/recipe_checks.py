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

"""How the parts of a recipe are checked: one error, with the value and what was expected."""

from __future__ import annotations

import math


class RecipeError(ValueError):
    """A recipe that cannot be followed, with the name of what is wrong."""


def check(condition: bool, message: str) -> None:
    """Raise a RecipeError with the message unless the condition holds."""
    if not condition:
        raise RecipeError(message)


def short(value: object) -> str:
    """Return a value in at most 120 characters of one line."""
    text = repr(value) if not isinstance(value, str) else ' '.join(value.split())
    return text if len(text) <= 120 else f'{text[:117]}...'


def check_between(name: str, value: float, least: float, most: float = math.inf) -> None:
    """Raise a RecipeError unless a value is from `least` to `most`; NaN is not."""
    wanted = f'at least {least}' if math.isinf(most) else f'{least} to {most}'
    check(least <= value <= most, f'{name} is {value}, expected {wanted}')


def check_distinct(name: str, values: tuple[str, ...]) -> None:
    """Raise a RecipeError when there is no value, or one comes twice."""
    check(bool(values), f'{name} is empty, expected at least one')
    twice = sorted({value for value in values if values.count(value) > 1})
    check(not twice, f'{name} has {twice} more than once')
