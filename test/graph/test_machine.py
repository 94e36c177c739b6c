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

from importlib.metadata import version
import sys

import pytest

from vla_accel_ros.graph import machine


def test_a_child_answers_with_the_json_of_its_last_line():
    assert machine._child(['-c', 'print("noise"); print("{\\"a\\": 1}")']) == ({'a': 1}, '')


@pytest.mark.parametrize(
    ('code', 'why'),
    [
        ('raise SystemExit(3)', 'exit code 3'),
        ('import os; os.abort()', 'killed by signal 6'),
        ('1 / 0', 'ZeroDivisionError'),
    ],
)
def test_a_child_that_dies_says_why(code, why):
    answer, reason = machine._child(['-c', code])
    assert answer is None and why in reason


def test_a_child_that_hangs_is_given_up():
    answer, reason = machine._child(['-c', 'import signal; signal.pause()'], seconds=0.5)
    assert answer is None and 'no answer within' in reason


def test_an_opengl_that_does_not_render_is_named_with_the_remedy(monkeypatch):
    monkeypatch.setenv('MUJOCO_GL', 'nonsense')
    finding = machine.opengl()
    assert not finding.ok and finding.needed
    assert 'apt install libegl1' in finding.remedy and finding.text


def test_an_extra_that_is_there_is_told_of_with_its_versions():
    finding = machine.extra('sim')
    assert finding.ok and f'mujoco {version("mujoco")}' in finding.text


def test_a_missing_extra_comes_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, 'mujoco', None)
    finding = machine.extra('sim')
    assert not finding.ok and not finding.needed
    assert finding.text.startswith('without mujoco (') and "'mujoco>=" in finding.remedy


def test_too_little_shared_memory_is_told_of(monkeypatch):
    monkeypatch.setattr(machine, 'SHARED_MEMORY_MIB', 10**12)
    finding = machine.dds_profile()
    assert not finding.ok and 'MiB free' in finding.text and '--shm-size' in finding.remedy


def test_a_profile_of_the_users_own_is_named(monkeypatch):
    monkeypatch.setenv('FASTRTPS_DEFAULT_PROFILES_FILE', 'mine.xml')
    assert 'mine.xml' in machine.dds_profile().text
