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

"""What doctor says of a checkpoint: family, cameras, names, rate, scaling, what is not known."""

import json
from pathlib import Path
import shutil

import pytest

from vla_accel_ros.commands.doctor import checkpoint
from vla_accel_ros.deploy.told import told
from vla_accel_ros.models.declaration import declaration

FIXTURES = Path(__file__).parents[1] / 'fixtures'
CONVENTIONS = 'conventions.json'


@pytest.mark.parametrize(
    ('name', 'words'),
    [
        ('pi0_tiny', ('pi0', '3 of 3 cameras: base_0_rgb', '8 numbers of state by mean_std')),
        ('pi05_tiny', ('pi0.5', 'by quantiles, in the prompt', '10 actions in 10 steps')),
        ('smolvla_tiny', ('smolvla', '2 of 2 cameras: camera1, camera2', 'by mean_std')),
        ('cogact_tiny', ('cogact', '1 camera(s)', '16 actions in 10 steps')),
    ],
)
def test_doctor_tells_what_each_family_wants(name, words):
    finding = checkpoint(str(FIXTURES / name))
    assert finding.ok and all(word in finding.text for word in words), finding.text
    assert 'nothing says its rate ("step_s" in conventions.json)' in finding.text


def test_of_columns_that_nothing_names_no_step_in_metres_is_told():
    finding = checkpoint(str(FIXTURES / 'smolvla_tiny'))
    assert 'nothing says what its 6 columns are ("actions" in conventions.json)' in finding.text
    assert finding.details['largest_step_m'] is None and 'largest step' not in finding.text


def test_what_a_folder_says_of_its_data_is_told_by_name(tmp_path):
    folder = tmp_path / 'copy'
    shutil.copytree(FIXTURES / 'smolvla_tiny', folder)
    joints = [f'joint{number}' for number in range(5)]
    said = {
        'step_s': 1 / 30,
        'frame': 'base',
        'views': ['front', 'wrist'],
        'state': [*joints, 'hand'],
        'actions': {
            'name': 'arm',
            'groups': [
                {'kind': 'joint_position', 'names': joints},
                {'kind': 'gripper', 'names': ['hand']},
            ],
        },
    }
    (folder / CONVENTIONS).write_text(json.dumps(said))
    lines = told(declaration(folder), CONVENTIONS)
    assert lines == [
        '30 actions a second, says conventions.json',
        f'columns {", ".join(joints)}, hand',
        'in the frame base',
        'images of 512 pixels by pad-top-left',
        'views front, wrist',
        f'state {", ".join(joints)}, hand',
    ]
