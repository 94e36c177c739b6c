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

from math import inf, nan

from hypothesis import given
from hypothesis import strategies as st
import pytest
from rclpy.parameter import Parameter

from vla_accel_ros.nodes.arm_command import ArmCommand
from vla_accel_ros.ros.parameters import Setting

RATE = Setting('rate', 20.0, 'Rate of the stream', unit='Hz', range=(20.0, 100.0))
COUNT = Setting('count', 3, 'How many', range=(1, 9))
MODE = Setting('mode', 'a', 'Which way', choices=('a', 'b'))
BOX = Setting('box', [0.0, 1.0], 'Lower and upper', unit='m', range=(-1.0, 1.0), length=2)
FLAG = Setting('flag', True, 'Whether at all')


@given(st.floats(20.0, 100.0))
def test_values_within_the_range_pass_unchanged(value):
    assert RATE.check(value) == value


@pytest.mark.parametrize('value', [19.999, 100.001, nan, inf, -inf, -20])
def test_values_outside_are_refused_naming_value_range_and_unit(value):
    with pytest.raises(ValueError, match=r'rate = .+ is outside 20.0 \.\. 100.0 Hz'):
        RATE.check(value)


def test_an_integer_is_taken_for_a_float_but_not_the_reverse():
    assert type(RATE.check(25)) is float
    with pytest.raises(ValueError, match=r'count = 3\.0 is of type float, expected int'):
        COUNT.check(3.0)


@pytest.mark.parametrize(
    ('setting', 'value'),
    [(RATE, '25'), (RATE, True), (COUNT, True), (FLAG, 1), (MODE, 1), (BOX, 0.5), (BOX, 'ab')],
)
def test_a_value_of_another_type_is_refused(setting, value):
    with pytest.raises(ValueError, match=f'{setting.name} = '):
        setting.check(value)


def test_choices_are_listed_when_refused():
    with pytest.raises(ValueError, match="mode = 'c', expected one of 'a', 'b'"):
        MODE.check('c')


def test_each_element_of_a_list_is_held_to_the_range():
    assert BOX.check((0, 1)) == [0.0, 1.0]
    with pytest.raises(ValueError, match=r'box = 1\.5 is outside'):
        BOX.check([0.0, 1.5])
    with pytest.raises(ValueError, match='has 3 elements, expected 2'):
        BOX.check([0.0, 0.0, 0.0])


@pytest.mark.parametrize(
    ('options', 'named'),
    [
        ({'default': 1.0}, 'a number wants a range'),
        ({'default': []}, 'empty list'),
        ({'default': 5.0, 'range': (0.0, 1.0)}, 'is outside'),
        ({'default': True, 'when': 'later'}, "when is 'later'"),
    ],
)
def test_a_table_that_is_wrong_fails_at_import(options, named):
    with pytest.raises(ValueError, match=named):
        Setting('x', options.pop('default'), 'Some setting', **options)


def test_the_descriptor_shows_range_unit_and_when_it_takes_effect():
    shown = RATE.descriptor()
    assert shown.description == 'Rate of the stream [Hz]'
    assert shown.additional_constraints == '20.0 .. 100.0 Hz; takes effect at once'
    assert shown.floating_point_range[0].to_value == 100.0 and not shown.read_only
    assert COUNT.descriptor().integer_range[0].to_value == 9
    assert Setting('s', True, 'At start', when='start').descriptor().read_only


def test_a_list_of_integers_is_taken_for_a_list_of_floats_as_in_a_file(graph):
    node = graph.add(ArmCommand, autostart=False)

    def put(name, kind, value):
        return node.set_parameters_atomically([Parameter(name, kind, value)])

    kinds = Parameter.Type
    assert graph.set_parameters(node, **{'workspace.min': [0, -1, 0]}).successful
    assert node.settings['workspace.min'] == [0.0, -1.0, 0.0]
    for kind, value, complaint in (
        (kinds.INTEGER_ARRAY, [0, -1], 'has 2 elements, expected 3'),
        (kinds.INTEGER_ARRAY, [99, 0, 0], 'is outside'),
        # An empty list comes as one of bools or of bytes.
        (kinds.BOOL_ARRAY, [], 'has 0 elements, expected 3'),
        (kinds.BYTE_ARRAY, [], 'has 0 elements, expected 3'),
        (kinds.BOOL_ARRAY, [True, False, True], 'BOOL_ARRAY'),
        (kinds.BYTE_ARRAY, [b'a', b'b', b'c'], 'BYTE_ARRAY'),
        (kinds.STRING_ARRAY, ['0', '0', '0'], 'STRING_ARRAY'),
        (kinds.DOUBLE, 0.0, 'DOUBLE'),
    ):
        result = put('workspace.min', kind, value)
        assert not result.successful and complaint in result.reason
    assert not put('max_rate', kinds.BOOL, True).successful
    assert not put('workspace.enabled', kinds.INTEGER, 1).successful
    assert node.settings['workspace.min'] == [0.0, -1.0, 0.0]
