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


"""ROS starts where it cannot write into HOME."""

import os
from pathlib import Path
import subprocess
import sys

import pytest

from vla_accel_ros.ros.log_folder import VARIABLE, ensure_log_folder, use_log_folder, why_unusable


@pytest.fixture(autouse=True)
def nothing_chosen(monkeypatch, tmp_path):
    monkeypatch.setenv(VARIABLE, '')
    monkeypatch.delenv('ROS_HOME', raising=False)
    monkeypatch.setenv('HOME', str(tmp_path))


def test_a_home_that_can_be_written_is_left_to_ros():
    assert why_unusable() == ''
    ensure_log_folder()
    assert os.environ[VARIABLE] == ''


@pytest.mark.parametrize(
    ('name', 'value', 'why'),
    [
        ('HOME', '/proc', '/proc/.ros/log cannot be written'),
        ('HOME', '', 'HOME is not set'),
        ('ROS_HOME', '/proc/1', '/proc/1/log cannot'),
        (VARIABLE, '/proc/logs', '/proc/logs cannot'),
    ],
)
def test_another_folder_is_taken_where_ros_cannot_write(name, value, why, monkeypatch):
    monkeypatch.setenv(name, value)
    assert why_unusable().startswith(why)
    ensure_log_folder()
    assert why_unusable() == ''


def test_a_run_has_its_logs_in_its_own_folder_unless_the_user_chose_one(tmp_path, monkeypatch):
    use_log_folder(tmp_path / 'run')
    assert os.environ[VARIABLE] == str(tmp_path / 'run')
    monkeypatch.setenv(VARIABLE, str(tmp_path / 'mine'))
    use_log_folder(tmp_path / 'run')
    assert os.environ[VARIABLE] == str(tmp_path / 'mine')
    monkeypatch.setenv(VARIABLE, '/proc/mine')
    use_log_folder(Path('run'))
    assert os.environ[VARIABLE] == str(Path('run').absolute())


def test_ros_comes_up_without_a_home():
    done = subprocess.run(
        [sys.executable, '-m', 'vla_accel_ros.graph.probe'],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={k: v for k, v in os.environ.items() if k not in ('HOME', VARIABLE)},
    )
    assert done.returncode == 0, done.stderr
