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

"""One way to declare a parameter: its default, what it may be, its unit, and what it is for.

A field of a dataclass declares itself with `option`, and `check_options` checks all of them. What
a node has beside such fields it declares as an `Option`. The nodes' parameters, the comments of
`config/arm.yaml`, the tables of the docs and the help of the command line are made from these
declarations, so that a default is said once and none of them can disagree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
import math
import sys
from typing import Any

WHEN = {
    'live': 'takes effect at once',
    'configure': 'read at configure',
    'start': 'read when the process starts',
}
KINDS = {bool: 'true or false', int: 'a whole number', float: 'a number', str: 'a text'}


@dataclass(frozen=True)
class Option:
    """A parameter.

    Attributes:
        name: What it is called; empty in the metadata of a field, which has its own name.
        default: bool, int, float, str, or a tuple of one of these that is not empty.
        why: One line that says what it does and why one would change it.
        unit: SI unit, empty for pure numbers.
        range: Smallest and largest value, inclusive; wanted for numbers, and each element of
            a list of numbers is held to it.
        choices: The strings that are allowed, empty for any.
        length: How many elements a list has, None for one or more.
        when: 'live', 'configure' or 'start': when a new value takes effect in a node.

    Raises:
        ValueError: When the declaration itself is wrong; found when its module is imported.
    """

    name: str
    default: Any
    why: str
    unit: str = ''
    range: tuple[float, float] | None = None
    choices: tuple[str, ...] = ()
    length: int | None = None
    when: str = 'live'

    def __post_init__(self) -> None:
        if self.when not in WHEN:
            raise ValueError(f'{self.name}: when is {self.when!r}, expected one of {list(WHEN)}')
        if isinstance(self.default, list | tuple):
            if not self.default:
                raise ValueError(f'{self.name}: the default is an empty list, which has no type')
            object.__setattr__(self, 'default', tuple(self.default))
        if self.kind in (int, float) and self.range is None:
            raise ValueError(f'{self.name}: a number wants a range')
        self.check(self.default)

    @property
    def listed(self) -> bool:
        """Whether the value is a list."""
        return isinstance(self.default, tuple)

    @property
    def kind(self) -> type:
        """The type of the value, or of each element of a list."""
        return type(self.default[0] if self.listed else self.default)

    @property
    def bounds(self) -> str:
        """The allowed values for tables and comments, empty when anything goes."""
        if self.range is not None:
            return f'{self.range[0]} .. {self.range[1]}' + (f' {self.unit}' if self.unit else '')
        return 'one of ' + ', '.join(map(repr, self.choices)) if self.choices else ''

    @property
    def expected(self) -> str:
        """What one value may be, in the words of an error message."""
        if self.range is not None:
            unit = f' {self.unit}' if self.unit else ''
            return f'{KINDS[self.kind]} from {self.range[0]} to {self.range[1]}{unit}'
        return self.bounds or KINDS[self.kind]

    def check(self, value: object) -> Any:
        """Return the value in this option's type: an integer taken for a float, a list a tuple.

        Raises:
            ValueError: Naming the option, the value and what was expected.
        """
        if not self.listed:
            return self._check_one(self.name, value)
        wanted = f'a list of {"at least 1" if self.length is None else self.length}'
        if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
            raise ValueError(f'{self.name} is {value!r}, expected {wanted}')
        values = list(value)
        if not values or self.length not in (None, len(values)):
            raise ValueError(f'{self.name} is {values!r}, expected {wanted}')
        return tuple(self._check_one(f'{self.name}[{i}]', each) for i, each in enumerate(values))

    def read(self, text: str) -> Any:
        """Return the value that a text means; slashes separate the elements of a list.

        Raises:
            ValueError: As `check`.
        """
        if self.listed:
            return self.check([self._read_one(part) for part in text.split('/')])
        return self.check(self._read_one(text))

    def _check_one(self, name: str, value: object) -> Any:
        if self.kind is float and type(value) is int and abs(value) <= sys.float_info.max:
            value = float(value)
        fits = isinstance(value, self.kind) and isinstance(value, bool) is (self.kind is bool)
        if fits and isinstance(value, int | float) and self.range is not None:
            # So written, NaN is refused, and so is a whole number that no float holds.
            fits = self.range[0] <= value <= self.range[1] and math.isfinite(value)
        if not fits or (self.choices and value not in self.choices):
            raise ValueError(f'{name} is {value!r}, expected {self.expected}')
        return value

    def _read_one(self, text: str) -> object:
        try:
            if self.kind is bool:
                return {'true': True, 'false': False}[text.lower()]
            return self.kind(text)
        except (KeyError, ValueError):
            raise ValueError(f'{self.name} is {text!r}, expected {self.expected}') from None


def option(
    default: Any,
    why: str,
    *,
    unit: str = '',
    range: tuple[float, float] | None = None,  # noqa: A002
    choices: tuple[str, ...] = (),
    length: int | None = None,
    when: str = 'live',
) -> Any:
    """Declare a field of a dataclass; see `Option`."""
    return as_field(Option('', default, why, unit, range, choices, length, when))


def as_field(declared: Option) -> Any:
    """Declare a field of a dataclass by an option that several have."""
    return field(default=declared.default, metadata={'option': replace(declared, name='')})


def shared(cls: type, name: str) -> Any:
    """Declare a field as that of another dataclass: the same option, its default said there."""
    return as_field(options_of(cls)[name])


def options_of(cls: Any) -> dict[str, Option]:
    """Return the options that the fields of a dataclass declare, by the fields' names."""
    return {
        each.name: replace(each.metadata['option'], name=each.name)
        for each in fields(cls)
        if 'option' in each.metadata
    }


def check_options(instance: Any) -> None:
    """Check every option of a dataclass's instance and give each its type.

    Raises:
        ValueError: As `Option.check`.
    """
    for name, each in options_of(instance).items():
        object.__setattr__(instance, name, each.check(getattr(instance, name)))


def as_yaml(value: object) -> str:
    """Return a value as the parameter file has it."""
    if isinstance(value, tuple):
        return '[' + ', '.join(map(as_yaml, value)) + ']'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value)


def table(options: Iterable[Option]) -> str:
    """Return options as a Markdown table; when each takes effect is told where they differ."""
    options = list(options)
    late = any(each.when != 'live' for each in options)
    lines = ['| parameter | default | unit, range |' + ' takes effect |' * late + ' what for |']
    lines.append('|---' * (4 + late) + '|')
    for each in options:
        cells = [f'`{each.name}`', f'`{as_yaml(each.default)}`', each.bounds]
        if late:
            cells.append(WHEN[each.when].removeprefix('takes effect '))
        lines.append('| ' + ' | '.join([*cells, each.why]) + ' |')
    return '\n'.join(lines) + '\n'
