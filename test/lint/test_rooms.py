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

"""The rooms of the house: who may import whom."""

import ast
from pathlib import Path
import subprocess
import sys

import pytest

PACKAGE = 'vla_accel_ros'
# Imports run downward: a module imports from its own level and from those below it.
LEVELS = (
    ('cli', 'commands'),
    ('graph',),
    ('nodes', 'tuning', 'bench'),
    ('ros', 'replay'),
    ('evaluation', 'training'),
    ('environments', 'report'),
    ('acceleration', 'remote'),
    ('models',),
    ('engines',),
    ('layers', 'pruning', 'decoding'),
    ('scheduling', 'safety', 'sim', 'deploy'),
    ('inputs', 'cluster'),
    ('actions', 'observations', 'motion', 'options', 'devices', 'workers', 'paths'),
    ('action_space', 'action_columns'),
    ('files', 'stopping', 'extras', 'declared', 'command_table', '__init__'),
)
HEIGHT = {room: -level for level, rooms in enumerate(LEVELS) for room in rooms}
ROS = ('rclpy', 'launch', 'launch_ros', 'rosidl_runtime_py', 'lifecycle_msgs')
# Rooms that know ROS.
WITH_ROS = ('ros', 'nodes', 'graph')
ROS_ENDINGS = ('_msgs', '_srvs', '_interfaces')
WITHOUT_TORCH = (
    'scheduling',
    'safety',
    'actions',
    'action_space',
    'action_columns',
    'observations',
    'motion',
    'options',
    'inputs',
    'files',
    'deploy',
    'cluster',
)
NODES = ('camera', 'scheduler', 'inference', 'arm_command', 'sim_arm', 'markers')
NOT_ON_A_ROBOT = ('evaluation', 'replay', 'tuning', 'bench', 'report', 'training', 'environments')
HEAVY = (
    'torch',
    'mujoco',
    'rclpy',
    'cv2',
    'matplotlib',
    'transformers',
    'gymnasium',
    'PIL',
    'ray',
)


def room_of(file: Path, root: Path) -> str:
    return Path(file.relative_to(root / PACKAGE).parts[0]).stem


def imports(file: Path, root: Path) -> set[str]:
    """List the modules that a file imports anywhere, absolute and dotted."""
    found = set()
    package = file.relative_to(root).with_suffix('').parts[:-1]
    for node in ast.walk(ast.parse(file.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = '.'.join([*above, *([node.module] if node.module else [])])
            found.update({base} | {f'{base}.{alias.name}' for alias in node.names})
    return found


def of_package(sources, root):
    return [file for file in sources if (root / PACKAGE) in file.parents]


def test_imports_run_downward_only(sources, root):
    upward = []
    for file in of_package(sources, root):
        room = room_of(file, root)
        assert room in HEIGHT, f'{file}: a room that the design does not know'
        for module in imports(file, root):
            parts = module.split('.')
            if parts[0] == PACKAGE and len(parts) > 1:
                target = parts[1]
                if HEIGHT.get(target, HEIGHT[room]) > HEIGHT[room]:
                    upward.append(f'{file.relative_to(root)} imports {module}')
    assert not upward


def circles(arrows: dict[str, set[str]]) -> list[list[str]]:
    """List the groups of modules that import one another, directly or by way of others."""
    found, number, lowest, stack = [], {}, {}, []

    def visit(module):
        number[module] = lowest[module] = len(number)
        stack.append(module)
        for target in arrows[module]:
            if target not in number:
                visit(target)
            if target in stack:
                lowest[module] = min(lowest[module], lowest[target])
        if lowest[module] == number[module]:
            group = stack[stack.index(module) :]
            del stack[stack.index(module) :]
            if len(group) > 1:
                found.append(sorted(group))

    for module in arrows:
        if module not in number:
            visit(module)
    return found


def test_circles_are_found():
    assert circles({'a': {'b'}, 'b': {'c'}, 'c': {'b'}, 'd': {'a'}}) == [['b', 'c']]
    assert circles({'a': {'b', 'c'}, 'b': {'c'}, 'c': set()}) == []


def test_no_modules_import_one_another_in_a_circle(sources, root):
    names = {}
    for file in of_package(sources, root):
        parts = file.relative_to(root).with_suffix('').parts
        names['.'.join(parts[:-1] if parts[-1] == '__init__' else parts)] = file
    arrows = {
        name: {each for each in imports(file, root) if each in names and each != name}
        for name, file in names.items()
    }
    # That a module's own package is read before it is no arrow of its own making.
    arrows = {
        name: {each for each in targets if not name.startswith(f'{each}.')}
        for name, targets in arrows.items()
    }
    assert not circles(arrows)


@pytest.mark.parametrize('node', NODES)
def test_a_robots_node_brings_nothing_that_judges_or_trains(node, root):
    code = (
        f'import sys, vla_accel_ros.nodes.{node}\n'
        'from vla_accel_ros.nodes import programs\n'
        'print([name for name in sys.modules if name.startswith("vla_accel_ros.")])'
    )
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, check=True, cwd=root
    )
    rooms = {name.split('.')[1] for name in ast.literal_eval(done.stdout.splitlines()[-1])}
    assert rooms.isdisjoint(NOT_ON_A_ROBOT)
    assert ('sim' in rooms) == (node == 'sim_arm')


def test_starting_a_robot_brings_nothing_that_judges_or_trains(root):
    code = (
        'import sys\nfrom vla_accel_ros.graph.processes import Deployment, processes\n'
        'processes(Deployment(preset="fast", image_topics=("/a/image", "/b/image")))\n'
        'print([name for name in sys.modules if name.startswith("vla_accel_ros.")])'
    )
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, check=True, cwd=root
    )
    rooms = {name.split('.')[1] for name in ast.literal_eval(done.stdout.splitlines()[-1])}
    assert rooms.isdisjoint((*NOT_ON_A_ROBOT, 'sim'))


def test_only_three_rooms_know_ros(sources, root):
    wrong = []
    for file in of_package(sources, root):
        if room_of(file, root) in WITH_ROS:
            continue
        for module in imports(file, root):
            top = module.split('.')[0]
            if top in ROS or top.endswith(ROS_ENDINGS):
                wrong.append(f'{file.relative_to(root)} imports {module}')
    assert not wrong


def test_scheduling_and_safety_know_no_torch(sources, root):
    wrong = [
        f'{file.relative_to(root)} imports {module}'
        for file in of_package(sources, root)
        if room_of(file, root) in WITHOUT_TORCH
        for module in imports(file, root)
        if module.split('.')[0] in ('torch', 'transformers')
    ]
    assert not wrong


def test_packages_and_command_line_import_nothing_heavy(sources, root):
    modules = [
        '.'.join(file.relative_to(root).parent.parts)
        for file in of_package(sources, root)
        if file.name == '__init__.py'
    ]
    code = (
        f'import sys\nfor name in {[*modules, PACKAGE + ".cli"]}: __import__(name)\n'
        f'print([name for name in {HEAVY} if name in sys.modules])'
    )
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, check=True, cwd=root
    )
    assert done.stdout.strip() == '[]'
