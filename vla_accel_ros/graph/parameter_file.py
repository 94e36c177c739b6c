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
`--table camera` the parameters of that node as Markdown. `--write .` writes that file and the
tables of all nodes into the source tree that it is run in.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
import re
import sys
from textwrap import wrap

from vla_accel_ros.acceleration import method_of
from vla_accel_ros.acceleration.node_parameters import read_pruning_parameters
from vla_accel_ros.engines.wish import EngineWish
from vla_accel_ros.files.whole_files import write_whole
from vla_accel_ros.nodes.arm_command_settings import guard_config
from vla_accel_ros.options import WHEN, Option, as_yaml, table
from vla_accel_ros.remote.settings import RemoteSettings
from vla_accel_ros.ros.common_options import AUTOSTART

# In the order in which an observation becomes motion, then who looks on.
NODES = ('camera', 'scheduler', 'inference', 'arm_command', 'sim_arm', 'markers')

# What a node's values have to fit together for; raises ValueError. What inference is told of
# pruning it checks itself: that takes torch, which a launch does without.
TOGETHER = {
    'scheduler': method_of,
    'inference': lambda settings: (
        read_pruning_parameters(settings['pruning_parameters']),
        EngineWish.of(settings),
        RemoteSettings.of(settings),
    ),
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


def settings_of(name: str) -> tuple[Option, ...]:
    """Return the parameters of the node of that name; needs no ROS.

    Raises:
        ValueError: When there is no such node.
    """
    if name not in NODES:
        raise ValueError(f'there is no node {name!r}, expected one of {NODES}')
    return (*import_module(f'vla_accel_ros.nodes.{name}_settings').SETTINGS, AUTOSTART)


def tables() -> dict[str, dict[str, Option]]:
    """Return the parameters of every node: node -> parameter -> declaration."""
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
            parts += [f'    # {line}\n' for line in wrap(setting.why + '.', 93)]
            parts.append(f'    {setting.name}: {as_yaml(setting.default)}{_facts(setting)}\n')
    return ''.join(parts)


def render_table(name: str) -> str:
    """Return the parameters of one node as a Markdown table."""
    return table(settings_of(name))


def write(tree: Path) -> None:
    """Write the parameter file, and each node's table into its page, into a source tree.

    Raises:
        OSError: When a page cannot be read, or a file not written; the message names the path.
        ValueError: When a page has no such table; nothing is written.
    """
    files = {tree / 'config/arm.yaml': render_file()}
    for name in NODES:
        page = tree / f'docs/{name}.md'
        head, heading, rest = page.read_text(encoding='utf-8').partition('\n## Parameters\n\n')
        old = re.match(r'(\|.*\n)+', rest)
        if old is None:
            raise ValueError(f'{page} has no table of parameters, expected one in ## Parameters')
        files[page] = head + heading + render_table(name) + rest[old.end() :]
    for path, text in files.items():
        write_whole(path, text)


def _facts(setting: Option) -> str:
    late = '' if setting.when == 'live' else WHEN[setting.when]
    facts = '; '.join(filter(None, (setting.bounds, late)))
    return f'  # {facts}' if facts else ''


def main(argv: list[str] | None = None) -> int:
    """Print the file, or a table, or write both where they are kept."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--table', choices=NODES, help='print the table of one node instead')
    parser.add_argument(
        '--write', type=Path, metavar='TREE', help='write the file and all tables into this tree'
    )
    options = parser.parse_args(argv)
    if options.write:
        try:
            write(options.write)
        except (OSError, ValueError) as error:
            parser.error(str(error))
        return 0
    sys.stdout.write(render_table(options.table) if options.table else render_file())
    return 0


if __name__ == '__main__':
    sys.exit(main())
