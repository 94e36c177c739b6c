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

"""What a value of a checkpoint's files may be: its type, its range, its length.

A kind reads a value and gives it back, or raises a `FieldError` that begins with the value's
path, such as `vla_accel.towers[0].std[2] is 0, expected a number from 0.001 to 10`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
import math
from numbers import Integral, Real
import re
from typing import Any

LONGEST_SHOWN = 60


class FieldError(ValueError):
    """A value that cannot be what it is; the message begins with its path."""


def shown(value: object) -> str:
    """Give a value as an error message shows it: as JSON writes it, and short."""
    if value is None or isinstance(value, bool):
        return {None: 'null', True: 'true', False: 'false'}[value]
    if isinstance(value, Mapping):
        return 'an object'
    if isinstance(value, list | tuple):
        return f'a list of {len(value)}'
    if isinstance(value, Integral):
        return str(value) if abs(value) < 10**20 else 'a number of more than 20 digits'
    if isinstance(value, Real):
        return {'nan': 'NaN', 'inf': 'Infinity', '-inf': '-Infinity'}.get(
            str(float(value)), str(float(value))
        )
    text = value if isinstance(value, str) else str(value)
    text = ''.join(c if c.isprintable() else repr(c)[1:-1] for c in text[: LONGEST_SHOWN + 1])
    return f"'{text[:LONGEST_SHOWN]}…'" if len(text) > LONGEST_SHOWN else f"'{text}'"


class Kind:
    """What a value may be; `expected` says it in words."""

    expected = 'a value'

    def read(self, value: object, where: str) -> Any:
        """Give the value.

        Args:
            value: As JSON or a caller gave it.
            where: Its path, for the message.

        Raises:
            FieldError: When it is not of this kind.
        """
        raise NotImplementedError

    def refuse(self, value: object, where: str) -> FieldError:
        """Give the error for a value that is not of this kind."""
        return FieldError(f'{where} is {shown(value)}, expected {self.expected}')


@dataclass(frozen=True)
class Whole(Kind):
    """A whole number of a range. 1.0 is none, nor is true."""

    low: int
    high: int

    @property
    def expected(self) -> str:
        """The range, in words."""
        return f'a whole number from {self.low} to {self.high}'

    def read(self, value: object, where: str) -> int:
        """Give the number; see `Kind.read`."""
        whole = isinstance(value, Integral) and not isinstance(value, bool)
        if not (whole and self.low <= value <= self.high):
            raise self.refuse(value, where)
        return int(value)


@dataclass(frozen=True)
class Number(Kind):
    """A finite number, of a range where one is given."""

    low: float = -math.inf
    high: float = math.inf

    @property
    def expected(self) -> str:
        """The range, in words."""
        if math.isinf(self.low) and math.isinf(self.high):
            return 'a finite number'
        most = '' if math.isinf(self.high) else f' to {self.high:g}'
        return f'a number from {self.low:g}{most}'

    def read(self, value: object, where: str) -> float:
        """Give the number; see `Kind.read`."""
        if not isinstance(value, Real) or isinstance(value, bool):
            raise self.refuse(value, where)
        try:
            number = float(value)
        except OverflowError:
            raise self.refuse(value, where) from None
        if not math.isfinite(number):
            raise FieldError(f'{where} is {shown(value)}, expected a finite number')
        if not self.low <= number <= self.high:
            raise self.refuse(value, where)
        return number


@dataclass(frozen=True)
class Flag(Kind):
    """True or false; neither 0 nor a word."""

    expected = 'true or false'

    def read(self, value: object, where: str) -> bool:
        """Give the truth; see `Kind.read`."""
        if not isinstance(value, bool):
            raise self.refuse(value, where)
        return value


@dataclass(frozen=True)
class Word(Kind):
    """A text: one of some, or one of a pattern, or any.

    Attributes:
        choices: The texts allowed; empty for any.
        pattern: What the whole text must match; None for any.
        example: Said of a text that does not match.
    """

    choices: tuple[str, ...] = ()
    pattern: str | None = None
    example: str = ''

    @property
    def expected(self) -> str:
        """The choice, in words."""
        if self.choices:
            return 'one of ' + ', '.join(f"'{choice}'" for choice in self.choices)
        return f"a name such as '{self.example}'" if self.pattern else 'a text'

    def read(self, value: object, where: str) -> str:
        """Give the text; see `Kind.read`."""
        fits = (
            isinstance(value, str)
            and (not self.choices or value in self.choices)
            and (self.pattern is None or re.fullmatch(self.pattern, value) is not None)
        )
        if not fits:
            raise self.refuse(value, where)
        return value


@dataclass(frozen=True)
class Maybe(Kind):
    """A value of a kind, or null."""

    kind: Kind

    @property
    def expected(self) -> str:
        """The kind, in words."""
        return f'{self.kind.expected} or null'

    def read(self, value: object, where: str) -> Any:
        """Give the value or None; see `Kind.read`."""
        return None if value is None else self.kind.read(value, where)


@dataclass(frozen=True)
class Several(Kind):
    """A list of values of one kind."""

    kind: Kind
    least: int = 0
    most: int | None = None

    @property
    def expected(self) -> str:
        """The length, in words."""
        if self.least == self.most:
            return f'a list of {self.least}'
        most = '' if self.most is None else f', at most {self.most}'
        return f'a list of at least {self.least}{most}'

    def read(self, value: object, where: str) -> tuple:
        """Give a tuple of the values; see `Kind.read`."""
        if not isinstance(value, list | tuple) or not (
            self.least <= len(value) <= (len(value) if self.most is None else self.most)
        ):
            raise self.refuse(value, where)
        return tuple(self.kind.read(v, f'{where}[{i}]') for i, v in enumerate(value))


@dataclass(frozen=True)
class Object(Kind):
    """A JSON object; what is in it is for others to read."""

    expected = 'an object'

    def read(self, value: object, where: str) -> Mapping:
        """Give the mapping; see `Kind.read`."""
        if not isinstance(value, Mapping):
            raise self.refuse(value, where)
        return value


@dataclass(frozen=True)
class Part(Kind):
    """An object whose names are the fields of a dataclass, or an instance of that."""

    cls: Callable[..., Any]
    expected = 'an object'

    def read(self, value: object, where: str) -> Any:
        """Give an instance; see `Kind.read`. It refuses names that the class does not have."""
        if isinstance(value, self.cls):
            return value
        if not isinstance(value, Mapping):
            raise self.refuse(value, where)
        needed = {f.name: f for f in fields(self.cls)}
        unknown = sorted(name for name in value if name not in needed)
        if unknown:
            raise FieldError(
                f'{at(where, unknown[0])} is unknown, expected one of {", ".join(needed)}'
            )
        try:
            return self.cls(**value)
        except FieldError as error:
            raise FieldError(at(where, str(error))) from None
        except TypeError as error:
            # A field without a default is not there; values of wrong types are read above.
            missing = re.findall(r"'(\w+)'", str(error))
            name = missing[0] if missing else str(error)
            raise FieldError(f'{at(where, name)} is missing') from error
        except ValueError as error:
            raise FieldError(f'{where}: {error}' if where else str(error)) from error


def at(where: str, name: str) -> str:
    """Give the path of a name below another path."""
    return f'{where}.{name}' if where else name


def take(values: Mapping, name: str, kind: Kind, default: Any = None, where: str = '') -> Any:
    """Read an entry of an object; where it is not there or null, give the default.

    Args:
        values: The object.
        name: The entry's.
        kind: What it may be.
        default: What holds where it is not there.
        where: The object's path.

    Raises:
        FieldError: When it is there and not of the kind.
    """
    value = values.get(name)
    return default if value is None else kind.read(value, at(where, name))


def of(kind: Kind) -> dict[str, Kind]:
    """Give the metadata of a dataclass's field whose value is of a kind."""
    return {'kind': kind}


def kind_of(cls: type, name: str) -> Kind:
    """Give the kind of a dataclass's field."""
    return next(f.metadata['kind'] for f in fields(cls) if f.name == name)


def check_fields(instance: Any) -> None:
    """Read every field of a frozen dataclass by its kind.

    Raises:
        FieldError: When one is not of its kind; the message begins with its name.
    """
    for f in fields(instance):
        if 'kind' in f.metadata:
            value = f.metadata['kind'].read(getattr(instance, f.name), f.name)
            object.__setattr__(instance, f.name, value)
