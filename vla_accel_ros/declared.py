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

"""What other packages declare as entry points, `NAME = module:object` in a group of ours."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib.metadata import entry_points
from typing import Any


def names(group: str, own: Iterable[str]) -> list[str]:
    """List the names of a group, those of this package first."""
    return [*own, *sorted(set(entry_points(group=group).names) - set(own))]


def load(
    group: str,
    name: str,
    what: str,
    kind: type,
    error: type[Exception],
    known: Iterable[str],
    read: Callable[[Any], Any] = lambda declared: declared,
) -> Any:
    """Load what is declared by a name.

    Args:
        group: The group of entry points.
        name: The name; what is loaded has the attribute `name`, which must be the same.
        what: What it is, for errors.
        kind: Its class.
        error: Raised where something is wrong.
        known: The names that there are.
        read: Makes it of the object that is declared.

    Raises:
        Exception: `error`, when nothing is declared by the name, it cannot be loaded, or is of
            another class or name.
    """
    point = next(iter(entry_points(group=group, name=name)), None)
    if point is None:
        raise error(f"{what} '{name}' is not there, expected one of {', '.join(known)}")
    where = f"{what} '{name}', declared as {point.value}"
    try:
        found = read(point.load())
    except Exception as reason:  # the other package's code may fail in any way
        raise error(f'{where}, cannot be loaded: {reason}') from reason
    if not isinstance(found, kind):
        article = 'an' if kind.__name__[0] in 'AEIOU' else 'a'
        raise error(f'{where}, is a {type(found).__name__}, expected {article} {kind.__name__}')
    if found.name != name:
        raise error(f"{where}, calls itself '{found.name}', expected the same name")
    return found
