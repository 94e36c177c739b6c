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

"""Which family a model is is nobody's business but the families' and the heads'."""

import ast

from vla_accel_ros.models.families.registry import OWN

FAMILIES = 'vla_accel_ros.models.families'
# What everybody may use of them.
OPEN = ('registry', 'interface')
# Rooms of the families.
WITHIN = ('models/families/', 'models/heads/')
# These make models of a named family, or compare one with its original; they ask nothing of a
# model that somebody hands them.
BY_NAME = ('models/presets.py', 'models/parity/', 'commands/verify.py')
BY_NAME += ('training/shapes.py', 'training/flow.py', 'training/diffusion.py')


def elsewhere(sources, root):
    package = root / 'vla_accel_ros'
    for file in sources:
        if package in file.parents:
            name = file.relative_to(package).as_posix()
            if not name.startswith((*WITHIN, *BY_NAME)):
                yield name, ast.parse(file.read_text(encoding='utf-8'))


def family_imports(tree):
    for node in ast.walk(tree):
        modules = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules = [node.module, *(f'{node.module}.{alias.name}' for alias in node.names)]
        for module in modules:
            inner = module.removeprefix(f'{FAMILIES}.').partition('.')[0]
            if module.startswith(f'{FAMILIES}.') and inner not in OPEN:
                yield module


def questions(tree):
    """List where a name of a family, or the attribute that holds one, stands in code."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in (*OWN, 'family'):
            yield f'line {node.lineno}: .{node.attr}'
        elif isinstance(node, ast.Constant) and node.value in OWN:
            yield f'line {node.lineno}: {node.value!r}'
        elif isinstance(node, ast.Name) and node.id in OWN:
            yield f'line {node.lineno}: {node.id}'


def test_the_check_finds_what_it_looks_for():
    tree = ast.parse(
        f'from {FAMILIES}.oft.model import OpenVLAOFT\n'
        f'from {FAMILIES} import registry, openvla\n'
        "a = config.oft\nb = config.head.family == 'oft'\n"
    )
    assert set(family_imports(tree)) == {
        f'{FAMILIES}.oft.model',
        f'{FAMILIES}.oft.model.OpenVLAOFT',
        f'{FAMILIES}.openvla',
    }
    assert len(list(questions(tree))) == 3


def test_families_are_imported_by_the_registry_alone(sources, root):
    found = {name: set(family_imports(tree)) for name, tree in elsewhere(sources, root)}
    assert not {name: modules for name, modules in found.items() if modules}


def test_no_code_asks_which_family_a_model_is(sources, root):
    found = {name: list(questions(tree)) for name, tree in elsewhere(sources, root)}
    assert not {name: lines for name, lines in found.items() if lines}
