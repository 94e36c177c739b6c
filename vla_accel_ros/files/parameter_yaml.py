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


"""ROS 2 parameter files, read without ROS: every value with its line.

What rcl's parser (`rcl_yaml_param_parser`) cannot read, reads differently from what it looks like,
or drops without a word, is refused here with file and line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
import re

import yaml

from vla_accel_ros.files.parameter_text import ParameterFileError, scalar

PARAMETERS = 'ros__parameters'
# libyaml, as rcl has, where PyYAML was built with it.
LOADER = getattr(yaml, 'CLoader', yaml.Loader)
DEEPEST = 20
TEXT_TAG = 'tag:yaml.org,2002:str'
_TOKEN = re.compile(r'\*\*?|[A-Za-z_][A-Za-z0-9_]*')


@dataclass(frozen=True)
class Given:
    """One value in a parameter file.

    Attributes:
        name: The parameter's, with dots: 'limits.linear_speed'.
        value: bool, int, float, str, or a list of one of these.
        line: Where it stands, from 1 on.
        text: As it is written, for messages; empty for a list.
    """

    name: str
    value: object
    line: int
    text: str = ''


@dataclass(frozen=True)
class Section:
    """What a file says of the nodes that a key matches.

    Attributes:
        key: The nodes, beginning with a slash: '/arm_command', '/**/arm_command', '/left/*'.
        written: The key as it is written, the one above `ros__parameters` last.
        line: Where that stands.
        given: Its values in the file's order.
    """

    key: str
    written: str
    line: int
    given: tuple[Given, ...]


@lru_cache(maxsize=16)
def parse(text: str, title: str) -> tuple[Section, ...]:
    """Read a parameter file's text.

    Args:
        text: The file's.
        title: How messages name the file.

    Returns:
        Its sections in the file's order, at least one; no two have the same key.

    Raises:
        ParameterFileError: When it is no parameter file; names the line.
    """
    reader = _Reader(title)
    try:
        # What is no YAML at all is found before what is no parameter file.
        return reader.sections(iter(list(yaml.parse(text, Loader=LOADER))))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise reader.error(mark.line + 1 if mark else 1, _why(text, mark, error)) from None
    except yaml.reader.ReaderError as error:
        # Beside the position it knows no line.
        line = text.count('\n', 0, error.position if isinstance(error.position, int) else 0) + 1
        raise reader.error(line, f'is no YAML: {error.reason}') from None


class _Reader:
    """Walks the events of a file; `_at` is the line of the newest key."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._found: list[Section] = []
        self._at = 1

    def error(self, line: int, text: str) -> ParameterFileError:
        return ParameterFileError(f'{self._title} line {line}: {text}')

    def _next(self):
        event = next(self._events)
        if isinstance(event, yaml.AliasEvent):
            raise self.error(
                _line(event),
                f'*{event.anchor} is a YAML alias, which ROS does not read: write the value out',
            )
        tag = getattr(event, 'tag', None)
        if tag not in (None, '!', TEXT_TAG):
            shown = tag.replace('tag:yaml.org,2002:', '!!')
            raise self.error(_line(event), f'ROS ignores the YAML tag {shown}: leave it out')
        return event

    def sections(self, events: Iterator) -> tuple[Section, ...]:
        self._events = events
        self._next()
        event = self._next()
        if isinstance(event, yaml.StreamEndEvent):
            raise ParameterFileError(
                f"{self._title} is empty, expected a node's name and {PARAMETERS} below it"
            )
        event = self._next()
        if not isinstance(event, yaml.MappingStartEvent):
            raise self.error(
                _line(event),
                f"{_what(event)}, expected a mapping: a node's name and {PARAMETERS} below it",
            )
        self._nodes('', 1)
        if not self._found:
            raise ParameterFileError(
                f"{self._title} is empty, expected a node's name and {PARAMETERS} below it"
            )
        self._next()
        event = self._next()
        if not isinstance(event, yaml.StreamEndEvent):
            raise self.error(_line(event), 'a second YAML document begins, expected one')
        return tuple(self._found)

    def _nodes(self, above: str, above_line: int) -> None:
        """Read a mapping of node names and namespaces, or the one with `ros__parameters`."""
        self._check_depth(above.count('/'))
        seen: dict[str, int] = {}
        for key, line in self._keys(seen):
            event = self._next()
            if key == PARAMETERS:
                self._section(above, above_line, line, event)
                continue
            if get_close_matches(key, [PARAMETERS], cutoff=0.75):
                raise self.error(line, f'{key!r} is misspelt: write {PARAMETERS}')
            if PARAMETERS in seen:
                raise self.error(
                    line,
                    f'{key!r} stands beside {PARAMETERS} of {above!r}, expected it on a '
                    'level of its own',
                )
            if not isinstance(event, yaml.MappingStartEvent):
                named = above or key
                found = f', found {key!r}' if above else f', found {_what(event)}'
                raise self.error(line, f'expected {PARAMETERS} below {named!r}{found}')
            self._nodes(f'{above}/{key}' if above else key, line)
        if above and not seen:
            raise self.error(self._at, f'{above!r} is empty, expected {PARAMETERS} below it')
        if PARAMETERS in seen and len(seen) > 1:
            raise self.error(
                seen[PARAMETERS],
                f'{PARAMETERS} of {above!r} stands beside '
                f'{next(key for key in seen if key != PARAMETERS)!r}, expected it on a level of '
                'its own',
            )

    def _section(self, above: str, above_line: int, line: int, event) -> None:
        if not above:
            raise self.error(line, f"{PARAMETERS} stands alone, expected a node's name above it")
        if not isinstance(event, yaml.MappingStartEvent):
            raise self.error(
                line,
                f'{PARAMETERS} of {above!r}: {_what(event)}, expected a mapping of parameters',
            )
        tokens = above.removeprefix('/').split('/')
        for token in tokens:
            if not _TOKEN.fullmatch(token):
                raise self.error(
                    above_line,
                    f'{above!r} is no name of a node: {token!r} in it, expected '
                    'letters, digits and underscores, * or **',
                )
        key = '/' + '/'.join(tokens)
        for other in self._found:
            if other.key == key:
                raise self.error(
                    above_line, f'{above!r} is there twice, first in line {other.line}'
                )
        given: list[Given] = []
        self._parameters('', given)
        self._found.append(Section(key, above, above_line, tuple(given)))

    def _parameters(self, above: str, given: list[Given]) -> None:
        self._check_depth(above.count('.'))
        for key, line in self._keys({}):
            name, event = above + key, self._next()
            earlier = next((one for one in given if one.name == name), None)
            if earlier is not None:
                raise self.error(
                    line, f'{name} is set a second time, first in line {earlier.line}'
                )
            if isinstance(event, yaml.MappingStartEvent):
                before = len(given)
                self._parameters(f'{name}.', given)
                if len(given) == before:
                    raise self.error(line, f'{name} is an empty mapping, expected a value')
            elif isinstance(event, yaml.SequenceStartEvent):
                given.append(Given(name, self._list(name), line))
            else:
                given.append(Given(name, self._value(name, event), line, event.value))

    def _check_depth(self, depth: int) -> None:
        if depth > DEEPEST:
            raise self.error(self._at, f'mappings within more than {DEEPEST} mappings')

    def _list(self, name: str) -> list:
        values = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise self.error(
                    _line(event), f'{name}: {_what(event)} within a list, which ROS does not read'
                )
            values.append(self._value(name, event))
            if type(values[-1]) is not type(values[0]):
                whole = {type(values[-1]), type(values[0])} == {int, float}
                raise self.error(
                    _line(event),
                    f'{name} mixes {_kind(values[0])} and {_kind(values[-1])}, '
                    'which ROS does not read: '
                    + (
                        'write every number with a point (0.0)'
                        if whole
                        else 'write every element in one way'
                    ),
                )
        return values

    def _value(self, name: str, event) -> object:
        text, quoted = event.value, event.style in ("'", '"') or event.tag == TEXT_TAG
        if not quoted and not text.strip():
            raise self.error(_line(event), f'{name} has no value')
        if not quoted and text in ('null', 'Null', 'NULL', '~'):
            raise self.error(
                _line(event),
                f'{name} is {text}, which is no value in ROS: leave '
                'the line out to have the default',
            )
        if not quoted and re.fullmatch('[+-]?0[0-9]+', text):
            raise self.error(
                _line(event),
                f'{name} is {text}, which ROS may read as an octal '
                'number: leave out the leading zero',
            )
        return scalar(text, quoted)

    def _keys(self, seen: dict[str, int]) -> Iterator[tuple[str, int]]:
        """Yield the keys of the mapping that has begun, until its end."""
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            line = _line(event)
            if not isinstance(event, yaml.ScalarEvent) or not event.value:
                raise self.error(line, f'{_what(event)} as a key, expected a name')
            if event.value in seen:
                raise self.error(
                    line, f'{event.value!r} is there twice, first in line {seen[event.value]}'
                )
            seen[event.value] = self._at = line
            yield event.value, line
        self._at = _line(event)


def _line(event) -> int:
    return event.start_mark.line + 1


def _kind(value: object) -> str:
    return {bool: 'a bool', int: 'an integer', float: 'a float', str: 'a text'}[type(value)]


def _what(event) -> str:
    if isinstance(event, yaml.SequenceStartEvent):
        return 'a list'
    if isinstance(event, yaml.MappingStartEvent):
        return 'a mapping'
    return repr(event.value) if event.value else 'nothing'


def _why(text: str, mark, error: yaml.MarkedYAMLError) -> str:
    lines = text.splitlines()
    if mark is not None and mark.line < len(lines) and re.match(r' *\t', lines[mark.line]):
        return 'a tab, which YAML does not take for indentation: write spaces'
    parts = (error.context, error.problem)
    return 'is no YAML: ' + ', '.join(' '.join(part.split()) for part in parts if part)
