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

"""What a declaration of a parameter allows, and that no default is said twice."""

import ast
from dataclasses import dataclass, field, fields, is_dataclass
from importlib import import_module
from math import inf, nan
from pathlib import Path
import pkgutil
import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st
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
from vla_accel_ros.options import Option, check_options, option, options_of, shared, table
from vla_accel_ros.pruning.registry import METHODS, parameters_of
from vla_accel_ros.safety.guard_config import GuardConfig
from vla_accel_ros.safety.limits import Limits
from vla_accel_ros.scheduling.config import SchedulerConfig
from vla_accel_ros.scheduling.predictors import RidgePredictor, Validity
from vla_accel_ros.scheduling.rules.interface import RULES

RATE = Option('rate', 20.0, 'Rate of the stream', unit='Hz', range=(20.0, 100.0))
COUNT = Option('count', 3, 'How many', range=(1, 9))
MODE = Option('mode', 'a', 'Which way', choices=('a', 'b'))
BOX = Option('box', [0.0, 1.0], 'Lower and upper', unit='m', range=(-1.0, 1.0), length=2)
FLAG = Option('flag', True, 'Whether at all')
NAMES = Option('names', ('a',), 'Of what')


@dataclass(frozen=True)
class Band:
    low: float = option(0.5, 'Lower end', unit='m/s', range=(0.0, 1.0))
    kinds: tuple[str, ...] = option(('a',), 'Of which', choices=('a', 'b'))
    plain: int = 7

    def __post_init__(self):
        check_options(self)


@dataclass(frozen=True)
class Wider:
    band_low: float = shared(Band, 'low')
    parts: list = field(default_factory=list)


@given(st.floats(20.0, 100.0))
def test_values_within_the_range_pass_unchanged(value):
    assert RATE.check(value) == value


@pytest.mark.parametrize('value', [19.999, 100.001, nan, inf, -inf, -20])
def test_values_outside_are_refused_naming_value_range_and_unit(value):
    with pytest.raises(ValueError, match=r'rate is .+, expected a number from 20.0 to 100.0 Hz'):
        RATE.check(value)


def test_an_integer_is_taken_for_a_float_but_not_the_reverse():
    assert type(RATE.check(25)) is float
    with pytest.raises(ValueError, match=r'count is 3\.0, expected a whole number from 1 to 9'):
        COUNT.check(3.0)


@pytest.mark.parametrize(
    ('declared', 'value'),
    [
        (RATE, '25'),
        (RATE, True),
        (COUNT, True),
        (FLAG, 1),
        (MODE, 1),
        (BOX, 0.5),
        (BOX, 'ab'),
        (NAMES, {'a': 1}),
        (NAMES, [b'a']),
    ],
)
def test_a_value_of_another_type_is_refused(declared, value):
    with pytest.raises(ValueError, match=rf'{declared.name}(\[0\])? is .*, expected '):
        declared.check(value)


def test_choices_are_listed_when_refused():
    with pytest.raises(ValueError, match="mode is 'c', expected one of 'a', 'b'"):
        MODE.check('c')


def test_each_element_of_a_list_is_held_to_the_range():
    assert BOX.check([0, 1]) == (0.0, 1.0)
    with pytest.raises(ValueError, match=r'box\[1\] is 1\.5, expected a number from -1.0'):
        BOX.check([0.0, 1.5])
    with pytest.raises(ValueError, match=r'box is \[0.0, 0.0, 0.0\], expected a list of 2'):
        BOX.check([0.0, 0.0, 0.0])
    with pytest.raises(ValueError, match=r'names is \[\], expected a list of at least 1'):
        NAMES.check([])


@pytest.mark.parametrize(
    ('declared', 'text', 'value'),
    [
        (RATE, '25', 25.0),
        (COUNT, '4', 4),
        (FLAG, 'False', False),
        (MODE, 'b', 'b'),
        (BOX, '0/0.5', (0.0, 0.5)),
    ],
)
def test_a_text_is_read_as_a_value(declared, text, value):
    found = declared.read(text)
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(
    ('declared', 'text'), [(RATE, 'fast'), (COUNT, '2.0'), (FLAG, '1'), (BOX, '0'), (MODE, '')]
)
def test_a_text_that_is_none_of_its_values_is_refused(declared, text):
    with pytest.raises(ValueError, match=f'{declared.name} is .*, expected '):
        declared.read(text)


@pytest.mark.parametrize(
    ('options', 'named'),
    [
        ({'default': 1.0}, 'a number wants a range'),
        ({'default': []}, 'empty list'),
        ({'default': 5.0, 'range': (0.0, 1.0)}, 'x is 5.0, expected'),
        ({'default': True, 'when': 'later'}, "when is 'later'"),
    ],
)
def test_a_declaration_that_is_wrong_fails_at_import(options, named):
    with pytest.raises(ValueError, match=named):
        Option('x', options.pop('default'), 'Some option', **options)


def test_fields_are_checked_and_given_their_type():
    assert Band(low=1, kinds=['b', 'a']) == Band(1.0, ('b', 'a'))
    with pytest.raises(ValueError, match=r'low is 2\.0, expected a number from 0\.0 to 1\.0 m/s'):
        Band(low=2)
    with pytest.raises(ValueError, match=r"kinds\[0\] is 'c', expected one of 'a', 'b'"):
        Band(kinds=('c',))


def test_a_shared_field_has_a_name_of_its_own_and_the_same_default():
    assert Wider().band_low == 0.5
    assert options_of(Wider)['band_low'].name == 'band_low'
    assert list(options_of(Band)) == ['low', 'kinds']


def test_a_table_tells_when_only_where_it_differs():
    assert '| `low` | `0.5` | 0.0 .. 1.0 m/s | Lower end |' in table(options_of(Band).values())
    late = table([FLAG, Option('s', 1, 'At start', range=(0, 1), when='start')])
    assert '| `flag` | `true` |  | at once | Whether at all |' in late
    assert '| `s` | `1` | 0 .. 1 | read when the process starts | At start |' in late


# -- what is declared ----------------------------------------------------------------------------

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


def test_names_that_are_said_without_their_registry_are_the_registrys():
    declared = options_of(Method)
    assert set(declared['pruning'].choices) == set(METHODS)
    assert declared['decoder'].choices == tuple(DECODERS)
    assert declared['draft'].choices == SOURCES


def test_every_field_of_a_class_that_declares_options_is_declared_or_a_part():
    parts = {
        'Limits': {'workspace_min', 'workspace_max'},
        'GuardConfig': {'limits'},
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


def test_the_settings_of_a_node_repeat_no_default_of_another_file():
    folder = Path(vla_accel_ros.__file__).parent / 'nodes'
    fields_of = {
        name
        for cls in (SchedulerConfig, Method)
        for each in options_of(cls)
        for name in (each, each.removesuffix('_s'))
    }
    for node in NODES:
        tree = ast.parse((folder / f'{node}_settings.py').read_text())
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and getattr(call.func, 'id', '') == 'Option':
                assert call.args[0].value not in fields_of
