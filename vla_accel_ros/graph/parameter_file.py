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

"""Write the parameter file, and the tables of the docs, from the nodes' own settings; read one.

Run as a module: without arguments it prints the file that is kept as `config/arm.yaml`, with
`--table camera` the parameters of that node as Markdown.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from importlib import import_module
import sys
from textwrap import wrap

from vla_accel_ros.acceleration import method_of
from vla_accel_ros.acceleration.node_parameters import read_pruning_parameters
from vla_accel_ros.nodes.arm_command_settings import guard_config
from vla_accel_ros.ros.base import AUTOSTART, Node
from vla_accel_ros.ros.parameters import WHEN, Setting

# In the order in which an observation becomes motion.
NODES = ('camera', 'scheduler', 'inference', 'arm_command', 'sim_arm')

# What a node's values have to fit together for; raises ValueError. What inference is told of
# pruning it checks itself: that takes torch, which a launch does without.
TOGETHER = {
    'scheduler': method_of,
    'inference': lambda settings: read_pruning_parameters(settings['pruning_parameters']),
    'arm_command': guard_config,
}

HEAD = """\
# Every parameter of every node, with its default. Before each stands what it is for, behind it
# its range and unit; a new value takes effect at once unless it says otherwise.
# Made by `python -m vla_accel_ros.graph.parameter_file`: copy it, and change the copy.
#
# The names match in any namespace. What differs between deployments only (simulated or real,
# checkpoint, device, topics) are arguments of the launch file, which go before this file.
"""


def settings_of(name: str) -> tuple[Setting, ...]:
    """Return the settings of the node of that name.

    Raises:
        ValueError: When there is no such node.
    """
    if name not in NODES:
        raise ValueError(f'there is no node {name!r}, expected one of {NODES}')
    module = import_module(f'vla_accel_ros.nodes.{name}')
    node = next(
        item
        for item in vars(module).values()
        if isinstance(item, type) and issubclass(item, Node) and item is not Node
    )
    return (*node.SETTINGS, AUTOSTART)


def tables() -> dict[str, dict[str, Setting]]:
    """Return the parameters of every node: node -> parameter -> setting."""
    return {node: {each.name: each for each in settings_of(node)} for node in NODES}


def check_together(node: str, given: Mapping[str, object]) -> None:
    """Check that values of one node fit together; what is not given has its default.

    Raises:
        ValueError: When they do not.
    """
    if node in TOGETHER:
        defaults = {setting.name: setting.default for setting in settings_of(node)}
        TOGETHER[node]({**defaults, **given})


def render_file() -> str:
    """Return the parameter file for all nodes."""
    parts = [HEAD]
    for name in NODES:
        parts.append(f'\n/**/{name}:\n  ros__parameters:\n')
        for setting in settings_of(name):
            parts += [f'    # {line}\n' for line in wrap(setting.description + '.', 93)]
            parts.append(f'    {setting.name}: {_yaml(setting.default)}{_facts(setting)}\n')
    return ''.join(parts)


def render_table(name: str) -> str:
    """Return the parameters of one node as a Markdown table."""
    lines = ['| parameter | default | unit, range | takes effect | what for |', '|---' * 5 + '|']
    for setting in settings_of(name):
        when = WHEN[setting.when].removeprefix('takes effect ')
        lines.append(
            f'| `{setting.name}` | `{_yaml(setting.default)}` | {setting.bounds} | {when} | '
            f'{setting.description} |'
        )
    return '\n'.join(lines) + '\n'


def _facts(setting: Setting) -> str:
    late = '' if setting.when == 'live' else WHEN[setting.when]
    facts = '; '.join(filter(None, (setting.bounds, late)))
    return f'  # {facts}' if facts else ''


def _yaml(value: object) -> str:
    if isinstance(value, list):
        return '[' + ', '.join(map(_yaml, value)) + ']'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value)


def main(argv: list[str] | None = None) -> int:
    """Print the file, or a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--table', choices=NODES, help='print the table of one node instead')
    options = parser.parse_args(argv)
    sys.stdout.write(render_table(options.table) if options.table else render_file())
    return 0


if __name__ == '__main__':
    sys.exit(main())
