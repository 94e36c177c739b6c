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

from rclpy.parameter import Parameter

from vla_accel_ros.nodes.arm_command import ArmCommand
from vla_accel_ros.options import Option
from vla_accel_ros.ros.parameters import descriptor

RATE = Option('rate', 20.0, 'Rate of the stream', unit='Hz', range=(20.0, 100.0))
COUNT = Option('count', 3, 'How many', range=(1, 9))


def test_the_descriptor_shows_range_unit_and_when_it_takes_effect():
    shown = descriptor(RATE)
    assert shown.description == 'Rate of the stream [Hz]'
    assert shown.additional_constraints == '20.0 .. 100.0 Hz; takes effect at once'
    assert shown.floating_point_range[0].to_value == 100.0 and not shown.read_only
    assert descriptor(COUNT).integer_range[0].to_value == 9
    assert descriptor(Option('s', True, 'At start', when='start')).read_only


def test_a_list_of_integers_is_taken_for_a_list_of_floats_as_in_a_file(graph):
    node = graph.add(ArmCommand, autostart=False)

    def put(name, kind, value):
        return node.set_parameters_atomically([Parameter(name, kind, value)])

    kinds = Parameter.Type
    assert graph.set_parameters(node, **{'workspace.min': [0, -1, 0]}).successful
    assert node.settings['workspace.min'] == (0.0, -1.0, 0.0)
    for kind, value, complaint in (
        (kinds.INTEGER_ARRAY, [0, -1], 'expected a list of 3'),
        (kinds.INTEGER_ARRAY, [99, 0, 0], 'workspace.min[0] is 99.0, expected a number'),
        # An empty list comes as one of bools or of bytes.
        (kinds.BOOL_ARRAY, [], 'is [], expected a list of 3'),
        (kinds.BYTE_ARRAY, [], 'is [], expected a list of 3'),
        (kinds.BOOL_ARRAY, [True, False, True], 'BOOL_ARRAY'),
        (kinds.BYTE_ARRAY, [b'a', b'b', b'c'], 'BYTE_ARRAY'),
        (kinds.STRING_ARRAY, ['0', '0', '0'], 'STRING_ARRAY'),
        (kinds.DOUBLE, 0.0, 'DOUBLE'),
    ):
        result = put('workspace.min', kind, value)
        assert not result.successful and complaint in result.reason
    assert not put('max_rate', kinds.BOOL, True).successful
    assert not put('workspace.enabled', kinds.INTEGER, 1).successful
    assert node.settings['workspace.min'] == (0.0, -1.0, 0.0)
