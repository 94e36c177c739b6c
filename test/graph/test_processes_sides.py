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

"""The list of processes where robot and GPU are on two hosts."""

import pytest

from vla_accel_ros.graph.processes import Deployment, processes


def named(deployment):
    return {process.name: process for process in processes(deployment)}


def test_each_side_has_its_nodes_and_the_robots_sends_png_where_the_file_leaves_it_open(tmp_path):
    robot, gpu = named(Deployment(side='robot')), named(Deployment(side='gpu'))
    assert set(gpu) == {'inference'}
    assert set(robot) == set(named(Deployment())) - set(gpu)
    assert robot['scheduler'].parameters['observation'] == 'png'
    assert 'observation' not in named(Deployment())['scheduler'].parameters
    file = tmp_path / 'raw.yaml'
    file.write_text("scheduler: {ros__parameters: {observation: 'raw'}}\n")
    own = named(Deployment(side='robot', params_file=str(file)))['scheduler']
    assert {**own.given, **own.parameters}['observation'] == 'raw'
    with pytest.raises(ValueError, match="side is 'left', expected one of"):
        Deployment(side='left')
