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

"""The action space that a robot's parameters name."""

import json

from joint_robots import SPACES
import pytest

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.inputs.space_file import read_space


@pytest.mark.parametrize('space', SPACES, ids=lambda space: space.name)
def test_a_space_is_read_from_a_file(space, tmp_path):
    file = tmp_path / 'robot.json'
    file.write_text(json.dumps(space.to_values()))
    assert read_space(str(file)) == space


def test_a_known_space_is_read_by_its_name():
    assert read_space('end_effector') is END_EFFECTOR


@pytest.mark.parametrize(
    'text, message',
    [
        ('{"name": "x"}', r"action_space .*robot.json: action space has the keys \['name'\]"),
        ('[1', 'robot.json: Expecting'),
        ('"arm"', "robot.json: action space is 'arm', expected one of"),
    ],
)
def test_a_file_that_says_no_space_is_refused_with_its_name(text, message, tmp_path):
    file = tmp_path / 'robot.json'
    file.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_space(str(file))


@pytest.mark.parametrize(
    'text, message',
    [
        ('joints', "action_space is 'joints', expected one of .'end_effector'. or the path"),
        ('/nowhere/robot.json', 'action_space /nowhere/robot.json: No such file'),
    ],
)
def test_what_names_no_space_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        read_space(text)


def test_a_home_that_is_nobodys_is_named():
    with pytest.raises(ValueError, match=r"action_space is '~nosuchuser/x\.json'"):
        read_space('~nosuchuser/x.json')
