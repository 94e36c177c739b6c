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

"""The little language of `--methods`.

A list is separated by commas. A method is `name[+name...][@key=value[,key=value...]]`: named
parts, then parameters by the names that they have in the ROS nodes. A piece with an equals sign
that names no part goes with the method before it, so that `none@keep=0.5,layer=2,hold` are two
methods. In place of the names may stand a preset or the path of one.
"""

from __future__ import annotations

from argparse import ArgumentParser

from vla_accel_ros.acceleration import presets, values
from vla_accel_ros.acceleration.components import COMPONENTS, combine
from vla_accel_ros.acceleration.method import Method
from vla_accel_ros.acceleration.settings import default_of, make, pruning_in

HELP = (
    'methods separated by commas, each name[+name...][@key=value[,key=value...]] or a preset, '
    'compared on the same seeds; the names are below'
)
_KEYS = """\
  keys: parameters of the nodes scheduler and inference and of the pruning method, lists with
  slashes: hold+jacobi@v_min=0.2, specprune@keep=0.5,history_layers=1/3. keep without a pruning
  method is FastV. The path of a preset is one, too."""


def add_argument(parser: ArgumentParser, default: str) -> None:
    """Add `--methods` to a command, and the names to the end of its help."""
    parser.add_argument('--methods', default=default, help=f'{HELP} (%(default)s)')
    parser.epilog = f'{parser.epilog or ""}\n\n{names_text()}'


def names_text() -> str:
    """Return every name there is with what it does."""
    lines = [f'  {name:<18} {part.summary}' for name, part in COMPONENTS.items()]
    lines += [f'  {name:<18} preset: {presets.summary_of(name)}' for name in presets.names()]
    return '\n'.join(['methods:', *lines, '', _KEYS])


def find(text: str) -> tuple[Method, ...]:
    """Return the methods of a list, in its order.

    Raises:
        ValueError: When the list is empty, or a method cannot be read or comes twice.
    """
    chosen = tuple(parse(piece) for piece in split(text))
    if not chosen:
        raise ValueError(f'no method is given, expected some of: {_known()}')
    names = [method.name for method in chosen]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f'methods {text!r} name {twice!r} twice')
    return chosen


def split(text: str) -> list[str]:
    """Split a list into its methods, each with its settings.

    Raises:
        ValueError: When a setting stands before the first method.
    """
    found: list[str] = []
    for piece in filter(None, (piece.strip() for piece in text.split(','))):
        if '=' not in piece.partition('@')[0]:
            found.append(piece)
        elif not found:
            raise ValueError(f"'{piece}' sets something before any method, expected a name first")
        else:
            found[-1] += '' if found[-1].endswith('@') else ',' if '@' in found[-1] else '@'
            found[-1] += piece
    return found


def parse(text: str) -> Method:
    """Read one method.

    Raises:
        ValueError: When it cannot be read; names what is wrong and what was expected.
    """
    head, _, tail = text.partition('@')
    base, summary = _base(head.strip())
    given = [piece.strip() for piece in tail.split(',') if piece.strip()]
    try:
        return make(text, summary, {**base, **_given(given, base)})
    except ValueError as error:
        raise ValueError(f"method '{text}': {error}") from None


def _base(head: str) -> tuple[dict[str, object], str]:
    """Return the settings and the summary of the part before the @."""
    if presets.is_path(head) or head in presets.names():
        preset = presets.read_preset(head)
        return dict(preset.settings), preset.summary
    names = [name.strip() for name in head.split('+')]
    unknown = next((name for name in names if name not in COMPONENTS), None)
    if unknown is not None:
        if unknown in presets.names():
            raise ValueError(
                f"'{head}': the preset {unknown} says everything itself, expected it alone, or "
                f'with changes behind an @'
            )
        raise ValueError(f"method '{unknown}' is unknown, expected some of: {_known()}")
    try:
        return combine(names), '; '.join(COMPONENTS[name].summary for name in names)
    except ValueError as error:
        raise ValueError(f"method '{head}': {error}") from None


def _given(pieces: list[str], base: dict[str, object]) -> dict[str, object]:
    """Read settings; the pruning method among them decides which others there are."""
    pairs: dict[str, str] = {}
    for piece in pieces:
        key, equals, value = (part.strip() for part in piece.partition('='))
        if not equals or not key:
            raise ValueError(f"'{piece}' is no setting, expected key=value")
        if key in pairs:
            raise ValueError(f"'{key}' is set twice")
        pairs[key] = value
    pruning = pruning_in({**base, **pairs})
    return {key: values.read(key, value, default_of(key, pruning)) for key, value in pairs.items()}


def _known() -> str:
    return ', '.join([*COMPONENTS, *presets.names()]) + ', or the path of a preset (.yaml)'
