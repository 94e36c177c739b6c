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


"""Parameter files: what they say with its line, and what is refused before ROS sees it."""

from hypothesis import given
from hypothesis import strategies as st
import pytest

from vla_accel_ros.files.parameter_text import ParameterFileError
from vla_accel_ros.files.parameter_yaml import parse


def values(text):
    return {
        section.key: {each.name: each.value for each in section.given}
        for section in parse(text, 'a.yaml')
    }


def test_sections_have_their_values_with_lines():
    first, second = parse(
        '/**/scheduler:\n  ros__parameters:\n    rule: trust\n    v_min: 1e-1\n'
        'left:\n  arm_command:\n    ros__parameters:\n      limits:\n'
        '        linear_speed: 0.1\n      workspace.min: [0, -1, 0]\n',
        'a.yaml',
    )
    assert (first.key, first.line) == ('/**/scheduler', 1)
    assert [(each.name, each.value, each.line) for each in first.given] == [
        ('rule', 'trust', 3),
        ('v_min', 0.1, 4),
    ]
    assert (second.key, second.line) == ('/left/arm_command', 6)
    assert second.written == 'left/arm_command'
    assert [(each.name, each.value, each.line) for each in second.given] == [
        ('limits.linear_speed', 0.1, 9),
        ('workspace.min', [0, -1, 0], 10),
    ]


def test_several_nodes_share_a_namespace():
    assert values('left: {a: {ros__parameters: {x: 1}}, sub: {b: {ros__parameters: {y: 2}}}}') == {
        '/left/a': {'x': 1},
        '/left/sub/b': {'y': 2},
    }


@pytest.mark.parametrize(
    ('text', 'complaint'),
    [
        ('', 'is empty'),
        ('# nothing\n', 'is empty'),
        ('{}', 'is empty'),
        ('---\n', 'nothing, expected'),
        ('a', "line 1: 'a', expected a mapping"),
        ('- a: 1', 'line 1: a list'),
        ('a: 1', "line 1: expected ros__parameters below 'a', found '1'"),
        ('a:\n', 'found nothing'),
        ('a: {}', "'a' is empty"),
        ('a:\n  rate: 30.0\n', "line 2: expected ros__parameters below 'a', found 'rate'"),
        ('a:\n\tros__parameters:\n', 'line 2: a tab'),
        ('a:\n  ros_parameters: {x: 1}', "line 2: 'ros_parameters' is misspelt"),
        ('a:\n  ros__params: {x: 1}', "line 2: 'ros__params' is misspelt"),
        ('ros__parameters: {x: 1}', 'line 1: ros__parameters stands alone'),
        ('a:\n  ros__parameters:\n', 'line 2: ros__parameters of .a.: nothing'),
        ('a: {ros__parameters: [1]}', 'a list, expected a mapping'),
        ('a: {ros__parameters: {x: 1}, b: 2}', 'stands beside ros__parameters'),
        ('a: {b: {ros__parameters: {x: 1}}, ros__parameters: {x: 1}}', 'stands beside'),
        (
            'a: {ros__parameters: {x: 1}}\na: {ros__parameters: {x: 2}}',
            "line 2: 'a' is there twice",
        ),
        (
            'a: {ros__parameters: {x: 1}}\n/a: {ros__parameters: {x: 2}}',
            "line 2: '/a' is there twice",
        ),
        ('a: {ros__parameters: {x: 1, x: 2}}', "'x' is there twice"),
        ('a: {ros__parameters: {x: {y: 1}, x.y: 2}}', 'x.y is set a second time'),
        (
            'a: {ros__parameters: {x: 1}}\n---\nb: {ros__parameters: {x: 1}}',
            'second YAML document',
        ),
        ('a_*: {ros__parameters: {x: 1}}', 'no name of a node'),
        ('/a/: {ros__parameters: {x: 1}}', 'no name of a node'),
        ('/***: {ros__parameters: {x: 1}}', 'no name of a node'),
        ('1: {ros__parameters: {x: 1}}', 'no name of a node'),
        ('a: &n {ros__parameters: {x: 1}}\nb: *n', r'line 2: \*n is a YAML alias'),
        ('? [a]\n: {ros__parameters: {x: 1}}', 'a list as a key'),
        ('a: {ros__parameters: {"": 1}}', 'nothing as a key'),
        ('a: {ros__parameters: {x: 1}', 'is no YAML'),
        ('a: "x\n', 'is no YAML'),
        ('\0\1', 'line 1: is no YAML'),
        ('{' * 500, 'is no YAML'),
        ('a: ' + '{a: ' * 50 + '1' + '}' * 50, 'more than 20 mappings'),
    ],
)
def test_what_is_no_parameter_file_is_refused_with_its_line(text, complaint):
    with pytest.raises(ParameterFileError, match=f'^a.yaml .*{complaint}'):
        parse(text, 'a.yaml')


@pytest.mark.parametrize(
    ('value', 'complaint'),
    [
        ('', 'has no value'),
        ('null', 'no value in ROS'),
        ('~', 'no value in ROS'),
        ('[1, 2.0]', r'mixes an integer and a float, .*\(0.0\)'),
        ('[1, "2"]', 'mixes'),
        ('[true, 1]', 'mixes a bool and an integer'),
        ('[1, null]', 'no value in ROS'),
        ('[[1], [2]]', 'a list within a list'),
        ('[{b: 1}]', 'a mapping within a list'),
        ('{}', 'empty mapping'),
        ('{b: {}}', 'empty mapping'),
        ('010', 'octal'),
        ('-08', 'octal'),
        ('!!float 1', 'the YAML tag !!float'),
        ('!include b', 'the YAML tag !include'),
        ('*b', 'alias'),
        ('{<<: *b}', 'alias'),
    ],
)
def test_a_value_that_ros_does_not_read_or_reads_otherwise_is_refused(value, complaint):
    with pytest.raises(ParameterFileError, match=f'^a.yaml line 3: .*{complaint}'):
        parse(f'a:\n  ros__parameters:\n    x: {value}\n', 'a.yaml')


@pytest.mark.parametrize(
    ('value', 'read'),
    [
        ('1e3', 1000.0),
        ('!!str 1', '1'),
        ('"null"', 'null'),
        ('"010"', '010'),
        ('&b 5', 5),
        ('[]', []),
        ('[a, b]', ['a', 'b']),
        ('0', 0),
        ('0.5', 0.5),
        ('"a: b"', 'a: b'),
    ],
)
def test_a_value_that_ros_reads_is_read_alike(value, read):
    assert values(f'a:\n  ros__parameters:\n    x: {value}\n') == {'/a': {'x': read}}


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_in_one_line(text):
    try:
        parse(text, 'a.yaml')
    except ParameterFileError as error:
        assert str(error).startswith('a.yaml ') and '\n' not in str(error)
