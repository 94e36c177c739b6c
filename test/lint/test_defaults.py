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

"""No default is said twice, and what the nodes come up with is the preset fast."""

import ast
from dataclasses import fields, is_dataclass
from importlib import import_module
import pkgutil
import subprocess
import sys

import pytest

import vla_accel_ros
from vla_accel_ros.acceleration import find
from vla_accel_ros.acceleration.components import COMPONENTS
from vla_accel_ros.acceleration.method import Method
from vla_accel_ros.acceleration.presets import node_parameters
from vla_accel_ros.acceleration.settings import UNACCELERATED, make
from vla_accel_ros.decoding.registry import DECODERS
from vla_accel_ros.graph.parameter_file import NODES, tables
from vla_accel_ros.models.heads.drafts import SOURCES
from vla_accel_ros.options import options_of
from vla_accel_ros.pruning.registry import METHODS, parameters_of
from vla_accel_ros.safety.guard_config import GuardConfig
from vla_accel_ros.safety.limits import Limits
from vla_accel_ros.scheduling.config import SchedulerConfig
from vla_accel_ros.scheduling.predictors import RidgePredictor, Validity
from vla_accel_ros.scheduling.rules.interface import RULES

# The same word for different things: how old a frame, an observation, an action may be; the side
# of a view and of the simulated camera's picture.
OF_EACH_NODE = {'max_age', 'image_size'}


def same(one, other):
    return (one.default, one.unit, one.choices) == (other.default, other.unit, other.choices)


def test_a_parameter_of_several_nodes_has_one_default():
    seen = {}
    for node, known in tables().items():
        for name, each in known.items():
            if name not in OF_EACH_NODE:
                assert same(seen.setdefault(name, each), each), f'{name} of {node}'


@pytest.mark.parametrize('cls', [SchedulerConfig, GuardConfig, Limits, Method])
def test_a_node_has_the_defaults_of_the_fields_that_it_makes(cls):
    known = {name: each for own in tables().values() for name, each in own.items()}
    ends = ('', '_s', '_hz')
    for field_name, each in options_of(cls).items():
        named = [
            other
            for name, other in known.items()
            if name.replace('.', '_') in {field_name.removesuffix(end) for end in ends}
            or name in {f'limits.{field_name.removesuffix(end)}' for end in ends}
            or (field_name, name) == ('grace_s', 'watchdog_grace')
        ]
        assert any(same(each, other) for other in named), field_name


def test_the_parts_of_the_scheduler_have_its_defaults():
    config = SchedulerConfig()
    for name in RULES:
        assert config._make_rule(name) == RULES[name]()
    assert Validity() == Validity(
        config.max_translation_step, config.max_rotation_step, config.change, config.min_actions
    )
    ridge = RidgePredictor(Validity())
    assert (ridge.penalty, ridge.fit) == (config.ridge_penalty, config.fit)


def test_pruning_methods_share_what_has_the_same_name():
    node = tables()['inference']
    for method in METHODS:
        for name, each in parameters_of(method).items():
            if name in ('keep', 'budget'):
                assert same(each, node[name])


# Arguments and fields that have the name of a parameter, and mean something else or what is
# neutral where nobody passes them.
NEUTRAL = {
    ('controller.py', 'margin'),
    ('decision.py', 'angular_speed'),
    ('images.py', 'frame_id'),
    ('timing.py', 'real_time'),
    ('timing.py', 'window'),
    ('worker.py', 'nice'),
}
ROOMS = ('scheduling', 'safety', 'decoding', 'pruning', 'acceleration', 'ros', 'nodes')


def repeated(tree, names):
    """Yield arguments and fields of those names whose default is written as a literal."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            positional = [*node.args.posonlyargs, *node.args.args]
            ending = positional[len(positional) - len(node.args.defaults) :]
            known = [each.arg for each in (*ending, *node.args.kwonlyargs)]
            defaults = [*node.args.defaults, *node.args.kw_defaults]
        elif isinstance(node, ast.ClassDef):
            declared = [each for each in node.body if isinstance(each, ast.AnnAssign)]
            known = [each.target.id for each in declared]
            defaults = [each.value for each in declared]
        else:
            continue
        for name, default in zip(known, defaults, strict=True):
            literal = isinstance(default, ast.Constant) and default.value not in (None, ...)
            if literal and name in names:
                yield name


def test_a_default_that_is_said_twice_is_found():
    names = {'keep', 'tau', 'v_min'}
    function = ast.parse('def f(keep, a=1, tau=0.5, *, keep_all=None, v_min=0): 0')
    assert list(repeated(function, names)) == ['tau', 'v_min']
    of_class = ast.parse('class C:\n    keep: int = 3\n    tau: int = g(1)')
    assert list(repeated(of_class, names)) == ['keep']


def test_no_argument_or_field_repeats_the_default_of_a_parameter(root):
    names = {name for own in tables().values() for name in own}
    names |= {name for cls in (SchedulerConfig, GuardConfig, Limits) for name in options_of(cls)}
    names |= {name for method in METHODS for name in parameters_of(method)}
    found = {
        (file.name, name)
        for room in ROOMS
        for file in (root / 'vla_accel_ros' / room).rglob('*.py')
        for name in repeated(ast.parse(file.read_text(encoding='utf-8')), names)
    }
    assert found == NEUTRAL


def test_a_node_declares_no_parameter_anew_that_is_a_field(root):
    names = {
        name
        for cls in (SchedulerConfig, Method)
        for each in options_of(cls)
        for name in (each, each.removesuffix('_s'))
    }
    for node in NODES:
        tree = ast.parse((root / f'vla_accel_ros/nodes/{node}_settings.py').read_text())
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and getattr(call.func, 'id', '') == 'Option':
                assert call.args[0].value not in names


def test_names_that_are_said_without_their_registry_are_the_registrys():
    declared = options_of(Method)
    assert set(declared['pruning'].choices) == set(METHODS)
    assert declared['decoder'].choices == tuple(DECODERS)
    assert declared['draft'].choices == SOURCES


def test_every_field_of_a_class_that_declares_options_is_declared_or_a_part():
    parts = {
        'Limits': {'workspace_min', 'workspace_max'},
        'GuardConfig': {'limits', 'joints'},
        'Method': {'name', 'summary', 'scheduler', 'pruning_parameters'},
        'RidgePredictor': {'validity'},
        'Trust': {'_budget'},
    }
    found = {}
    for module in pkgutil.walk_packages(vla_accel_ros.__path__, 'vla_accel_ros.'):
        if module.name.split('.')[1] in ('scheduling', 'safety', 'pruning', 'acceleration'):
            for item in vars(import_module(module.name)).values():
                if is_dataclass(item) and isinstance(item, type) and options_of(item):
                    found[item.__name__] = {f.name for f in fields(item)} - set(options_of(item))
    assert {name: rest for name, rest in found.items() if rest} == parts
    assert len(found) > 10


# -- the default is what serves best -------------------------------------------------------------


def test_the_nodes_come_up_with_what_the_preset_fast_is():
    known = tables()
    for node, values in node_parameters('fast').items():
        for name, value in values.items():
            assert known[node][name].default == known[node][name].check(value), name


def test_fast_says_all_in_which_the_defaults_are_not_the_unaccelerated_policy():
    said = {name for own in node_parameters('fast').values() for name in own}
    assert set(UNACCELERATED) <= said
    known = {**tables()['scheduler'], **tables()['inference']}
    differing = {name for name, value in UNACCELERATED.items() if known[name].default != value}
    assert differing == set(UNACCELERATED) - {'pruning', 'replan_on_fine'}


def test_the_paper_is_a_preset_and_a_part_by_the_same_name_with_one_meaning():
    part = make('sp_vla', COMPONENTS['sp_vla'].summary, COMPONENTS['sp_vla'].settings)
    assert find('sp_vla') == (part,)


# -- what it costs to know the parameters --------------------------------------------------------


def test_the_parameters_of_every_node_are_read_without_ros_torch_or_simulation():
    code = (
        'import sys\nfrom vla_accel_ros.graph.parameter_file import tables\ntables()\n'
        'print([name for name in sys.modules if name.startswith("vla_accel_ros.sim.")\n'
        'or name in ("rclpy", "torch", "mujoco")])'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == '[]'
