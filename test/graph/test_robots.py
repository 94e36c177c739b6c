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


"""The robot examples: every value is one that the nodes take, and they agree with each other."""

from pathlib import Path

import pytest
import yaml

from vla_accel_ros.acceleration import method_of
from vla_accel_ros.graph.parameter_file import NODES, settings_of
from vla_accel_ros.nodes.arm_command_settings import guard_config

ROBOTS = sorted((Path(__file__).parents[2] / 'config/robots').glob('*.yaml'))


def values_of(robot):
    """Return the values of every node: the defaults, and over them the robot's."""
    given = yaml.safe_load(robot.read_text())
    values = {}
    for key, entry in given.items():
        prefix, _, name = key.rpartition('/')
        assert prefix == '/**'
        assert name in NODES
        table = {setting.name: setting for setting in settings_of(name)}
        values[name] = {setting.name: setting.default for setting in table.values()}
        for parameter, value in entry['ros__parameters'].items():
            values[name][parameter] = table[parameter].check(value)
    return values


@pytest.mark.parametrize('robot', ROBOTS, ids=lambda robot: robot.stem)
def test_every_value_is_known_in_range_and_fits_the_others(robot):
    values = values_of(robot)
    method_of(values['scheduler'])
    guard_config(values['arm_command'])


@pytest.mark.parametrize('robot', ROBOTS, ids=lambda robot: robot.stem)
def test_the_nodes_agree_on_frame_and_policy_step(robot):
    values = values_of(robot)
    acting = ('scheduler', 'inference', 'arm_command')
    assert len({values[name]['frame_id'] for name in acting}) == 1
    step = values['scheduler']['policy_step']
    assert values['inference']['policy_step'] == step
    limits = values['arm_command']
    assert limits['limits.min_step'] <= step <= limits['limits.max_step']
    # What the scheduler may bridge over must not be refused as stale.
    assert limits['limits.max_age'] > step


def test_there_are_examples():
    assert len(ROBOTS) >= 2
