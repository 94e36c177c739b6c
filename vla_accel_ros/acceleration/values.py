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

"""Values of parameters: from text, and of the type that their default has."""

from __future__ import annotations


def read(name: str, text: str, default: object) -> object:
    """Read a parameter's value from the command line.

    Args:
        name: The parameter's, for the message.
        text: The value; elements of a list are separated by slashes.
        default: Its default, a tuple for a list.

    Raises:
        ValueError: When the text is no value of the default's type.
    """
    kind = _kind(default)
    if kind is bool:
        known = {'true': True, 'false': False}
        if text.lower() not in known:
            raise ValueError(f"{name} is '{text}', expected true or false")
        return known[text.lower()]
    try:
        values = tuple(kind(part) for part in text.split('/'))
    except ValueError:
        raise ValueError(f"{name} is '{text}', expected {kind.__name__}") from None
    return values if isinstance(default, tuple) else kind(text)


def typed(name: str, value: object, default: object) -> object:
    """Return a value in its default's type: an integer for a float, a list for a tuple.

    Raises:
        ValueError: When it has another type.
    """
    kind = _kind(default)
    if isinstance(default, tuple):
        if not isinstance(value, list | tuple):
            raise ValueError(f'{name} is {value!r}, expected a list')
        return tuple(typed(name, element, default[0]) for element in value)
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise ValueError(f'{name} is {value!r}, expected {kind.__name__}')
    return value


def _kind(default: object) -> type:
    return type(default[0] if isinstance(default, tuple) else default)
