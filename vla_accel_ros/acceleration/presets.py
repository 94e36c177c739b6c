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

"""Presets: tuned settings in files that the ROS nodes read as they are.

A preset is a parameter file with the nodes scheduler and inference, so that what was judged here
is what `arm.launch.py preset:=...` runs. It says how to schedule, prune and decode; what is left
out has the nodes' defaults, or what the robot's parameter file says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
import os
from pathlib import Path
from typing import Any

from vla_accel_ros.acceleration.method import Method
from vla_accel_ros.acceleration.node_parameters import (
    NODES,
    parameters_of,
    read_pruning_parameters,
)
from vla_accel_ros.acceleration.settings import OPTIONS, OTHERS, UNACCELERATED, option_of
from vla_accel_ros.files.own_outputs import write_whole
from vla_accel_ros.files.parameter_text import read_file
from vla_accel_ros.files.parameter_yaml import Section, parse
from vla_accel_ros.paths import share_file, share_files, user_path

FOLDER = 'config/presets'
# Where the unaccelerated policy is not what the nodes come up with, a preset must say it.
EXPLICIT = tuple(UNACCELERATED)


@dataclass(frozen=True)
class Preset:
    """What a file says.

    Attributes:
        summary: Its first comment line.
        settings: Parameters by name, the pruning method's among them.
    """

    summary: str
    settings: Mapping[str, object]


def names() -> tuple[str, ...]:
    """Return the presets that come with the package."""
    return tuple(path.stem for path in share_files(FOLDER, '*.yaml'))


def is_path(text: str) -> bool:
    """Return whether a word on the command line is a path rather than a name."""
    return os.sep in text or text.endswith(('.yaml', '.yml'))


def read_preset(name: str) -> Preset:
    """Read a preset by name or path.

    Raises:
        FileNotFoundError: When there is none.
        ValueError: When the file is no parameter file of the two nodes, has parameters that are
            unknown or of another type, or leaves out what it must say.
    """
    return Preset(summary_of(name), _read(name)[1])


def summary_of(name: str) -> str:
    """Return the first comment line of a preset, by name or path; the rest is not looked at.

    Raises:
        FileNotFoundError: When there is none.
    """
    first = _text(name).partition('\n')[0]
    return first.removeprefix('#').strip() if first.startswith('#') else ''


def node_parameters(name: str) -> dict[str, dict[str, object]]:
    """Return what a preset, by name or path, sets of each node: node -> parameter -> value.

    Parameters of a pruning method are always among it, empty where the preset gives none: those
    of a parameter file below it may be another method's.

    Raises:
        FileNotFoundError: When there is none.
        ValueError: As `read_preset`.
    """
    nodes = _read(name)[0]
    inference = {'pruning_parameters': '', **nodes.get('inference', {})}
    return nodes | {'inference': inference}


def _text(name: str) -> str:
    if not is_path(name) and name not in names():
        raise FileNotFoundError(
            f"there is no preset '{name}', expected a file or one of {', '.join(names())}"
        )
    path = user_path(name) if is_path(name) else share_file(f'{FOLDER}/{name}.yaml')
    return read_file(path, _title(name))


def _title(name: str) -> str:
    return f"preset '{name}'"


def _read(name: str) -> tuple[dict[str, dict[str, Any]], dict[str, object]]:
    """Return the parameters of each node in a preset, and all of them by name, checked."""
    title = _title(name)
    sections = parse(_text(name), title)
    try:
        nodes = _nodes(sections)
        return nodes, _settings(nodes)
    except ValueError as error:
        raise ValueError(f'{title}: {error}') from None


def _settings(nodes: dict[str, dict[str, Any]]) -> dict[str, object]:
    given: dict[str, object] = {}
    for node, own in nodes.items():
        for key, value in own.items():
            if (key in (*OTHERS, 'pruning_parameters')) != (node == 'inference'):
                raise ValueError(f"'{key}' is no parameter of {node} that a preset may hold")
            given[key] = value
    nested = read_pruning_parameters(given.pop('pruning_parameters', ''))
    if missing := [key for key in EXPLICIT if key not in given]:
        raise ValueError(f'it does not say {", ".join(missing)}')
    pruning = OPTIONS['pruning'].check(given['pruning'])
    return {
        key: option_of(key, pruning).check(value) for key, value in {**given, **nested}.items()
    }


def _nodes(sections: Iterable[Section]) -> dict[str, dict[str, Any]]:
    """Return the parameters of each node in the file."""
    found: dict[str, dict[str, Any]] = {}
    for section in sections:
        node = section.key.rpartition('/')[2]
        if node not in NODES:
            raise ValueError(
                f"line {section.line}: node '{section.key}' is none of "
                f'/**/{" and /**/".join(NODES)}'
            )
        found.setdefault(node, {}).update({each.name: each.value for each in section.given})
    return found


def render(method: Method, comments: list[str]) -> str:
    """Return a method as a preset.

    Args:
        method: What it is to say.
        comments: Lines at its head, the first of which sums it up.
    """
    import yaml

    defaults: dict[str, object] = {name: each.default for name, each in OPTIONS.items()}
    defaults['pruning_parameters'] = ''
    parts = [f'# {line}\n' for line in comments]
    for node, parameters in parameters_of(method).items():
        own = {
            key: value
            for key, value in parameters.items()
            if key in EXPLICIT or value != defaults[key]
        }
        inside = yaml.safe_dump({f'/**/{node}': {'ros__parameters': own}}, sort_keys=False)
        parts.append('\n' + inside)
    return ''.join(parts)


def write_preset(method: Method, path: Path, comments: list[str]) -> None:
    """Write a method as a preset, whole or not at all; see `render`."""
    write_whole(path, render(method, comments))
