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

"""What of a parameter file does not hold is said."""

from vla_accel_ros.graph.processes import Deployment, overridden, processes

OWN = """
camera: {ros__parameters: {image_topics: ['/mine/image_raw'], max_age: 0.3}}
inference: {ros__parameters: {checkpoint: '/models/mine'}}
"""


def test_each_value_of_the_file_that_does_not_hold_is_named_with_the_one_that_does(tmp_path):
    file = tmp_path / 'own.yaml'
    file.write_text(OWN)
    deployment = Deployment(sim=True, params_file=str(file))
    lines = overridden(processes(deployment), deployment)
    assert [line.partition(' is ')[0] for line in lines] == [
        'camera: image_topics',
        'inference: checkpoint',
    ]
    assert f'not ["/mine/image_raw"] as in {file}' in lines[0]
    assert 'checkpoint is "tabletop-s", not "/models/mine"' in lines[1]


def test_where_all_of_the_file_holds_nothing_is_said(tmp_path):
    file = tmp_path / 'own.yaml'
    file.write_text(OWN)
    deployment = Deployment(
        params_file=str(file), checkpoint='/models/mine', image_topics=('/mine/image_raw',)
    )
    assert overridden(processes(deployment), deployment) == []
    assert overridden(processes(Deployment(sim=True)), Deployment(sim=True)) == []
