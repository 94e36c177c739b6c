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

"""What is said of a simulator that is not there."""

import sys

import pytest

from vla_accel_ros.cli import main
from vla_accel_ros.environments.optional import import_optional, quiet


@pytest.mark.parametrize(
    ('module', 'said'),
    [
        ('robosuite', r"robosuite is not installed: pip install '\.\[robosuite\]'"),
        ('libero', 'libero is not installed: `make libero`'),
        ('somebodys_lab', 'somebodys_lab is not installed: is it in this environment'),
    ],
)
def test_a_missing_module_is_named_with_what_to_do(monkeypatch, module, said):
    # As if it were not there, wherever this runs.
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ValueError, match=said):
        import_optional(module)


@pytest.mark.parametrize(
    ('name', 'said'),
    [
        ('robosuite:Lift', 'robosuite is not installed: pip install'),
        ('libero:goal', 'libero is not installed: `make libero`'),
    ],
)
def test_on_the_command_line_it_is_one_line_and_exit_code_2(monkeypatch, capsys, name, said):
    monkeypatch.setitem(sys.modules, name.partition(':')[0], None)
    assert main(['env', name]) == 2
    text = capsys.readouterr().err
    assert said in text and text.count('\n') == 1


def test_a_module_that_lacks_another_one_is_told_from_a_missing_one(monkeypatch, tmp_path):
    (tmp_path / 'needy_lab.py').write_text('import unheard_of_library\n')
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ValueError, match='needy_lab needs unheard_of_library, which is not'):
        import_optional('needy_lab')


def test_chatter_does_not_get_between_the_json(capsys):
    with quiet():
        print('[info] using task orders')
    assert capsys.readouterr().out == ''
