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

"""`vla-accel security`: the policy as a file, and what is refused."""

import json
from xml.etree import ElementTree

import pytest

from vla_accel_ros.cli import main


def test_the_policy_names_every_process_and_is_written_again_but_over_nothing_else(
    tmp_path, capsys
):
    file = tmp_path / 'policy.xml'
    for namespace in ('left', 'right'):
        assert main(['security', 'sim:=true', f'namespace:={namespace}', '--out', str(file)]) == 0
    policy = ElementTree.parse(file).getroot()
    assert policy.get('version') == '0.2.0'
    assert [each.get('path') for each in policy.iter('enclave')] == [
        f'/right/{name}'
        for name in (
            *('camera', 'scheduler', 'inference', 'arm_command', 'sim_arm'),
            *('operator', 'viewer'),
        )
    ]
    assert {each.get('publish') for each in policy.iter('topics')} == {'ALLOW', None}
    file.write_text('mine')
    assert main(['security', '--out', str(file)]) == 2
    assert file.read_text() == 'mine' and 'policy.xml' in capsys.readouterr().err


def test_the_rights_as_json(capsys):
    assert main(['security', '--json']) == 0
    rights = json.loads(capsys.readouterr().out)
    assert '/arm_command/enable' in rights['/operator']['request']


@pytest.mark.parametrize(
    ('word', 'said'), [('sim', "'sim', expected name:=value"), ('spim:=true', 'did you mean sim')]
)
def test_an_argument_that_is_none_is_refused(word, said, capsys):
    assert main(['security', word]) == 2
    assert said in capsys.readouterr().err
