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

"""What a search leaves behind: a preset and a parameter file of what was chosen."""

from __future__ import annotations

from pathlib import Path
import re

from vla_accel_ros.acceleration import Method
from vla_accel_ros.acceleration.node_parameters import parameters_of
from vla_accel_ros.acceleration.presets import render
from vla_accel_ros.files.output_folder import OutputFolder
from vla_accel_ros.paths import share_file
from vla_accel_ros.tuning.store import PARAMETERS, PRESET

_NODE = re.compile(r'^/\*\*/(\w+):$')
_LINE = re.compile(r'^(    )(\w+): (.*?)(  # .*)?$')


def parameter_file(method: Method, step_s: float, comments: list[str]) -> str:
    """Return `config/arm.yaml` with the parameters of a method in place of its own.

    Args:
        method: What the nodes are to run.
        step_s: Policy step, seconds.
        comments: Lines that say where it comes from.

    Raises:
        ValueError: When the file does not have one of the parameters.
    """
    wanted = {
        node: {**parameters, 'policy_step': step_s}
        for node, parameters in parameters_of(method).items()
    }
    lines = [f'# {line}\n' for line in comments] + ['#\n']
    node = ''
    for line in share_file('config/arm.yaml').read_text(encoding='utf-8').splitlines():
        if found := _NODE.match(line):
            node = found[1]
        found = _LINE.match(line)
        if found and found[2] in wanted.get(node, {}):
            value = _yaml(wanted[node].pop(found[2]))
            line = f'{found[1]}{found[2]}: {value}{found[4] or ""}'
        lines.append(f'{line}\n')
    if missing := [f'{node}.{name}' for node, own in wanted.items() for name in own]:
        raise ValueError(f'config/arm.yaml does not have {", ".join(missing)}')
    return ''.join(lines)


def write_outputs(
    method: Method, step_s: float, files: OutputFolder, comments: list[str]
) -> tuple[Path, Path]:
    """Write the parameter file and the preset of what was chosen; return where they are."""
    return (
        files.write(PARAMETERS, parameter_file(method, step_s, comments)),
        files.write(PRESET, render(method, comments)),
    )


def remove_outputs(files: OutputFolder) -> None:
    """Remove what another choice from the same trials has left."""
    for name in (PARAMETERS, PRESET):
        files.remove(name)


def _yaml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value)
