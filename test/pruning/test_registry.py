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

import subprocess
import sys

import pytest

from vla_accel_ros.pruning import methods
from vla_accel_ros.pruning.registry import METHODS, load

TOY = """
from vla_accel_ros.pruning.base import Pruner

class ToyPruner(Pruner):
    name = '{name}'
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A further folder in which methods are looked for."""
    monkeypatch.setattr(methods, '__path__', [*methods.__path__, str(tmp_path)])
    monkeypatch.setattr(sys, 'modules', dict(sys.modules))
    return tmp_path


def test_a_method_has_the_name_of_its_file():
    assert set(METHODS) == set(methods.NAMES)
    assert all(METHODS[name].name == name for name in METHODS)


def test_a_file_in_the_folder_is_a_method(folder):
    (folder / 'toy_found.py').write_text(TOY.format(name='toy_found'), encoding='utf-8')
    assert load('toy_found').name == 'toy_found'


def test_a_file_without_a_method_of_its_name_is_refused(folder):
    (folder / 'toy_other.py').write_text(TOY.format(name='another'), encoding='utf-8')
    with pytest.raises(TypeError, match=r"toy_other.py has no Pruner with name = 'toy_other'"):
        load('toy_other')


def test_the_names_are_known_without_torch():
    code = 'import sys, vla_accel_ros.pruning.methods; print("torch" in sys.modules)'
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == 'False'
