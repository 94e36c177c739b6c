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


"""What a node that is started by hand says of its command line."""

import os
import subprocess
import sys

import pytest

from vla_accel_ros.files.parameter_text import ParameterFileError
from vla_accel_ros.ros.own_parameters import check_files
from vla_accel_ros.stopping import CANNOT_START


def node(*words, **variables):
    return subprocess.run(
        [sys.executable, '-m', 'vla_accel_ros.nodes.arm_command', '--ros-args', *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **variables},
    )


def test_a_file_for_the_node_in_another_namespace_is_refused(tmp_path):
    file = tmp_path / 'a.yaml'
    file.write_text('arm_command: {ros__parameters: {min_rate: 30.0}}')
    words = ['arm_command', '--ros-args', '--params-file', str(file)]
    check_files(words, 'arm_command')
    check_files([*words, '-r', '__ns:=/left'], 'camera')
    for flag, rule in (('-r', '__ns:=/left'), ('--remap', 'arm_command:__ns:=/left')):
        with pytest.raises(ParameterFileError, match='does not match /left/arm_command; write /'):
            check_files([*words, flag, rule], 'arm_command')
    file.write_text('/**: {ros__parameters: {}}\n/right/arm_command: {ros__parameters: {}}')
    check_files([*words, '-r', '__ns:=/left'], 'arm_command')


def test_a_file_that_ros_does_not_read_is_one_line_and_no_second_try(tmp_path):
    file = tmp_path / 'a.yaml'
    file.write_text('arm_command:\n  ros__parameters:\n    workspace.min: [0, -0.45, 0.0]\n')
    done = node('--params-file', str(file))
    assert done.returncode == CANNOT_START
    assert f'arm_command: {file} line 3: workspace.min mixes' in done.stderr
    assert 'Traceback' not in done.stderr


def test_a_command_line_that_ros_does_not_take_is_one_line():
    done = node('-p', 'min_rate:=[1, 2.0]')
    assert done.returncode == CANNOT_START
    assert 'arm_command: ' in done.stderr and 'Traceback' not in done.stderr
    assert '/project/' not in done.stderr.splitlines()[-1]


def test_a_domain_that_the_middleware_would_die_of_is_one_line_and_no_second_try():
    done = node(ROS_DOMAIN_ID='300')
    assert done.returncode == CANNOT_START
    assert done.stderr == "arm_command: ROS_DOMAIN_ID is '300', expected 0 to 232\n"
