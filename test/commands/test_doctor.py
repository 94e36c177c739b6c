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

"""`vla-accel doctor --engine`: an engine that is asked for is needed."""

import json

import pytest
from toy_engine import install

from vla_accel_ros import cli
from vla_accel_ros.commands import doctor
from vla_accel_ros.engines import registry


@pytest.fixture
def lacking(monkeypatch, capsys):
    """Run doctor on engines alone; give its exit code and what is lacking."""
    for name in ('python', 'cores', 'ros', 'log_folder', 'launch', 'dds_profile', 'torch'):
        monkeypatch.setattr(doctor.machine, name, list)
    monkeypatch.setattr(doctor.extras, 'PURPOSES', {})
    monkeypatch.setattr(doctor.extras, 'missing', lambda name: ['mujoco'])
    monkeypatch.setattr(doctor, 'shipped_checkpoints', dict)
    monkeypatch.setattr(registry, 'OWN', {'eager': registry.OWN['eager']})

    def run(*words):
        code = cli.main(['doctor', '--json', *words])
        return code, json.loads(capsys.readouterr().out)['lacking']

    return run


def test_an_engine_that_is_asked_for_is_needed(lacking, monkeypatch):
    install(monkeypatch, probe=lambda: 'no such card')
    _, without = lacking('--engine', 'auto')
    code, found = lacking('--engine', 'mine')
    assert code == 1 and set(found) - set(without) == {'engine mine'}
    install(monkeypatch)
    assert lacking('--engine', 'mine')[1] == without


def test_an_engine_whose_library_does_not_load_cannot_run(lacking, monkeypatch, capsys):
    def broken():
        raise ImportError('libx.so: cannot open\nshared object')

    _, without = lacking('--engine', 'auto')
    install(monkeypatch, load=broken)
    code, found = lacking('--engine', 'mine')
    assert code == 1 and set(found) - set(without) == {'engine mine'}
    assert cli.main(['doctor', '--engine', 'mine']) == 1
    assert 'cannot run here: libx.so: cannot open shared object' in capsys.readouterr().out


def test_an_unknown_engine_is_refused(capsys):
    assert cli.main(['doctor', '--engine', 'warp']) == cli.BAD_INPUT
    assert "engine 'warp' is not there" in capsys.readouterr().err
