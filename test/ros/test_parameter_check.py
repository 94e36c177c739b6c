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


"""Which nodes a parameter file sets; that ROS sees it so is asked of rcl itself."""

import pytest
import rclpy

from vla_accel_ros.files.parameter_text import ParameterFileError
from vla_accel_ros.files.parameter_yaml import parse
from vla_accel_ros.nodes.arm_command_settings import SETTINGS
from vla_accel_ros.options import Option
from vla_accel_ros.ros.parameter_check import matches, resolve

KEYS = (
    'arm_command',
    '/arm_command',
    '/**',
    '/*',
    '**',
    '*',
    '/**/arm_command',
    '**/arm_command',
    '/*/arm_command',
    'left/arm_command',
    '/left/arm_command',
    '/left/*',
    '/left/**',
    'left/**/arm_command',
    '/**/left/arm_command',
    '/*/*/arm_command',
    'arm_command/**',
    '/**/*',
    'arm_comand',
    '/right/arm_command',
)
NAMESPACES = ('', '/left', '/left/sub')
VALUES = (
    '1e3',
    'yes',
    'Off',
    '0x10',
    '1_000',
    '.inf',
    '-inf',
    '1e400',
    '1e-320',
    '"1"',
    '!!str 1',
    '.5',
    '1.',
    '+5',
    '1:30',
    '2001-01-01',
    '0x1p3',
    '9223372036854775808',
    '0b1',
    '[1, 2]',
    '[a, "1"]',
    '{b: {c: 1}, d: 2}',
    '>-\n      5',
    '.Nan',
    'tRue',
)
TABLES = {
    'camera': {'max_age': Option('max_age', 0.5, 'Age of it', range=(0.1, 1.0))},
    'arm_command': {each.name: each for each in SETTINGS},
}


def by_rcl(text, namespace, folder):
    """Return what a node of rclpy has from a parameter file."""
    file = folder / 'a.yaml'
    file.write_text(text)
    context = rclpy.Context()
    rclpy.init(args=['--ros-args', '--params-file', str(file)], context=context)
    node = rclpy.create_node(
        'arm_command',
        namespace=namespace,
        context=context,
        enable_rosout=False,
        start_parameter_services=False,
    )
    try:
        return {
            name: given.value
            for name, given in node._parameter_overrides.items()
            if name != 'use_sim_time'
        }
    finally:
        node.destroy_node()
        rclpy.try_shutdown(context=context)


def ours(text, name):
    return {
        each.name: each.value
        for section in parse(text, 'a.yaml')
        if matches(section.key, name)
        for each in section.given
    }


@pytest.mark.parametrize('namespace', NAMESPACES)
def test_a_key_matches_the_nodes_that_rcl_matches(namespace, tmp_path):
    text = ''.join(f'"{key}": {{ros__parameters: {{k{n}: 1}}}}\n' for n, key in enumerate(KEYS))
    # Two keys that are one are refused by us; rcl takes them apart by how they are written.
    name = f'{namespace}/arm_command'
    matched = {f'k{n}': 1 for n, key in enumerate(KEYS) if matches(f'/{key.lstrip("/")}', name)}
    assert by_rcl(text, namespace, tmp_path) == matched


def test_the_later_of_two_sections_holds_as_in_rcl(tmp_path):
    for keys in (('/**', '/left/arm_command'), ('/left/arm_command', '/**')):
        text = ''.join(f'{key}: {{ros__parameters: {{x: {n}}}}}\n' for n, key in enumerate(keys))
        assert by_rcl(text, '/left', tmp_path) == ours(text, '/left/arm_command') == {'x': 1}


def test_values_are_those_of_rcl(tmp_path):
    text = '/**:\n  ros__parameters:\n' + ''.join(
        f'    x{n}: {value}\n' for n, value in enumerate(VALUES)
    )
    assert repr(by_rcl(text, '', tmp_path)) == repr(ours(text, '/arm_command'))


def test_nested_namespaces_are_those_of_rcl(tmp_path):
    text = (
        'left: {other: {ros__parameters: {x: 1}}, arm_command: {ros__parameters: {x: 2}}, '
        'sub: {arm_command: {ros__parameters: {x: 3}}}}'
    )
    for namespace in NAMESPACES:
        assert by_rcl(text, namespace, tmp_path) == ours(text, f'{namespace}/arm_command')


def resolved(text, namespace=''):
    return resolve(parse(text, 'a.yaml'), 'a.yaml', TABLES, namespace)


def test_each_node_gets_what_it_knows_in_its_own_types():
    found = resolved(
        '/**: {ros__parameters: {use_sim_time: true, max_age: 1, frame_id: panda}}\n'
        '/**/arm_command: {ros__parameters: {limits: {linear_speed: 1}}}\n',
        'left',
    )
    assert found['camera'] == {'use_sim_time': True, 'max_age': 1.0}
    assert found['arm_command'] == {
        'use_sim_time': True,
        'frame_id': 'panda',
        'limits.linear_speed': 1.0,
    }


@pytest.mark.parametrize(
    ('text', 'namespace', 'complaint'),
    [
        (
            'arm_command: {ros__parameters: {min_rate: 30.0}}',
            '/left',
            r"line 1: 'arm_command' matches none of the nodes /left/camera, .*write "
            r'/\*\*/arm_command',
        ),
        ('arm_comand: {ros__parameters: {min_rate: 30.0}}', '', r'write /\*\*/arm_command'),
        ('/right/arm_command: {ros__parameters: {min_rate: 30.0}}', 'left', 'matches none'),
        ('/*/arm_command: {ros__parameters: {min_rate: 30.0}}', '', 'matches none'),
        ('servo_node: {ros__parameters: {moveit_servo: {x: 1}}}', '', 'file of their own'),
        ('arm_command: {ros__parameters: {}}\nfoo: {ros__parameters: {}}', '', "line 2: 'foo'"),
        (
            'arm_command:\n  ros__parameters:\n    limits.linear_sped: 0.1',
            '',
            "line 3: 'limits.linear_sped' is no parameter of arm_command, did you mean "
            "'limits.linear_speed'",
        ),
        ('arm_command: {ros__parameters: {linear_speed: 0.1}}', '', "mean 'limits.linear_speed'"),
        ('arm_command: {ros__parameters: {max_age: 0.1}}', '', 'it is one of camera'),
        (
            '/**: {ros__parameters: {zzzz: 0.1}}',
            '',
            "'zzzz' is no parameter of any of camera, arm_",
        ),
        (
            'arm_command: {ros__parameters: {min_rate: 5}}',
            '',
            'min_rate is 5.0, expected a number',
        ),
        (
            'arm_command: {ros__parameters: {min_rate: .nan}}',
            '',
            'min_rate is nan, expected a number',
        ),
        (
            'arm_command: {ros__parameters: {min_rate: "30"}}',
            '',
            "'30', expected a number from 20.0",
        ),
        ('arm_command: {ros__parameters: {min_rate: yes}}', '', 'True, expected a number'),
        ('arm_command: {ros__parameters: {min_rate: [30.0]}}', '', r'\[30.0\], expected a number'),
        ('arm_command: {ros__parameters: {frame_id: on}}', '', "write 'on' in quotes"),
        (
            'arm_command: {ros__parameters: {workspace.min: []}}',
            '',
            r'is \[\], expected a list of 3',
        ),
        (
            'arm_command: {ros__parameters: {workspace.min: [0.0, 1.0]}}',
            '',
            'expected a list of 3',
        ),
        ('arm_command: {ros__parameters: {command_in_type: unit}}', '', "'unit', expected one of"),
        ('arm_command: {ros__parameters: {use_sim_time: 1}}', '', 'expected true or false'),
    ],
)
def test_what_no_node_has_or_takes_is_refused_with_its_line(text, namespace, complaint):
    with pytest.raises(ParameterFileError, match=f'^a.yaml .*{complaint}'):
        resolved(text, namespace)
