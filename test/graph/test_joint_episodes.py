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

"""The processes whose episodes go through the joint topics."""

import subprocess
import sys

from vla_accel_ros.graph.deployment import Deployment
from vla_accel_ros.graph.joint_episodes import joint_processes


def test_every_node_is_of_joints_and_only_the_inference_node_is_another_program(tmp_path):
    space = tmp_path / 'space.json'
    listed = {each.name: each for each in joint_processes(Deployment(sim=True), space)}
    for name in ('scheduler', 'arm_command'):
        assert listed[name].parameters['action_space'] == str(space)
    for name in ('arm_command', 'sim_arm'):
        assert listed[name].parameters['command'] == 'joint_trajectory'
    modules = {name: each.module for name, each in listed.items()}
    assert modules.pop('inference') == 'vla_accel_ros.graph.joint_inference'
    assert all(module == f'vla_accel_ros.nodes.{name}' for name, module in modules.items())


def test_a_node_that_does_not_come_up_is_named_with_its_reason(tmp_path):
    command = [sys.executable, '-m', 'vla_accel_ros.graph.joint_episodes', '--episodes', '1']
    command += ['--checkpoint', str(tmp_path / 'none'), '--out', str(tmp_path / 'out')]
    found = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert found.returncode == 1
    assert found.stderr.startswith('joint_episodes: inference: configure_failed: checkpoint')
    assert 'Traceback' not in found.stderr
