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

"""`vla-accel engine` and `vla-accel verify --engine`: what is built, listed, compared, removed."""

import json
import os

import pytest
import torch
from toy_engine import Changing, install, lying, only_here

from vla_accel_ros import cli
from vla_accel_ros.engines import registry
from vla_accel_ros.engines.interface import EngineError
from vla_accel_ros.engines.manifest import FILE
from vla_accel_ros.engines.onnx import graphs
from vla_accel_ros.engines.store import Store
from vla_accel_ros.models.policy import Policy

TENSORRT = registry.OWN['tensorrt']
FEW = ('--methods', 'fastv', '--decoders', 'jacobi')


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv('VLA_ACCEL_ENGINES', str(tmp_path / 'engines'))
    monkeypatch.setattr(registry, 'OWN', {'eager': registry.OWN['eager']})


@pytest.fixture
def asked(random_checkpoint, capsys):
    """Run a command with JSON; give its exit code and what it says."""

    def run(*words):
        code = cli.main([*words, '--json'])
        return code, json.loads(capsys.readouterr().out)

    return run


def test_what_is_built_is_timed_listed_taken_by_auto_and_removed(
    asked, random_checkpoint, monkeypatch, capsys
):
    install(monkeypatch)
    folder = str(random_checkpoint)
    code, found = asked('engine', 'build', folder, '--threads', '1', *FEW)
    (row,) = found['engines']
    assert code == 0 and row['failure'] == '' and row['reasons'] == {}
    assert {'toy graph of span float32'} <= {each['what'] for each in row['built']}
    assert set(row['agreement']) == {'few frames', 'fastv', 'jacobi'}
    assert {each['engine'] for each in row['timings']} == {'mine', 'eager'}
    code, again = asked('engine', 'build', folder, '--threads', '1', *FEW)
    assert again['engines'][0]['built'] == []
    code, listed = asked('engine', 'list', folder)
    assert {each['engine'] for each in listed['timings'][folder]} == {'mine', 'eager'}
    assert cli.main(['engine', 'list']) == 0
    assert 'toy graph of span' in capsys.readouterr().out
    old = next(iter(Store().entries())).path / FILE
    values = json.loads(old.read_text())
    old.write_text(json.dumps(values | {'made_ns': 0}))
    os.utime(old, (0, 0))
    assert asked('engine', 'clean', '--unused-days', '2')[1]['removed'] == 1
    assert asked('engine', 'list', folder)[1]['timings'][folder]
    code, removed = asked('engine', 'clean')
    assert removed['removed'] == len(row['built']) - 1
    assert asked('engine', 'list', folder)[1]['timings'][folder] == []


@pytest.mark.parametrize('large', [False, True])
def test_what_was_built_in_another_type_is_listed_and_removed_with_its_checkpoint(
    asked, random_checkpoint, monkeypatch, large
):
    # Graphs of a large model lie beside the checkpoint's own files.
    monkeypatch.setattr(graphs, 'LARGE', 0 if large else graphs.LARGE)
    dtype = torch.float32 if large else torch.bfloat16
    policy = Policy.load(random_checkpoint, dtype=dtype, threads=1)
    graphs.Graphs(policy.model, Store()).graph(policy.model.projection())
    folder = str(random_checkpoint)
    entries = asked('engine', 'list', folder)[1]['entries']
    assert [each['checkpoint'] for each in entries] == [folder] * (1 if large else 2)
    assert asked('engine', 'clean', folder)[1]['removed'] == len(entries)
    assert Store().entries() == []


def test_float8_without_a_gpu_fails_with_the_reason(
    asked, random_checkpoint, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    monkeypatch.setitem(registry.OWN, 'tensorrt', TENSORRT)
    folder, file = str(random_checkpoint), str(tmp_path / 'frames.safetensors')
    words = [folder, '--engine', 'tensorrt', '--engine-precision', 'float8']
    calibrated = [*words, '--engine-calibration', file, *FEW]
    for action in ('build', 'verify'):
        assert cli.main(['engine', action, *words]) == cli.BAD_INPUT
        told = "engine_precision is 'float8' and engine_calibration is '', expected a file of"
        assert told in capsys.readouterr().err
        assert cli.main(['engine', action, *calibrated]) == 1
        text = capsys.readouterr().out
        assert 'tensorrt in float8: ' in text and 'no NVIDIA GPU' in text
    assert cli.main(['engine', 'build', folder, '--engine-precision', 'float8']) == cli.BAD_INPUT
    assert 'and no engine can compute so here' in capsys.readouterr().err


def test_a_device_that_is_named_is_built_verified_and_listed_apart(
    asked, random_checkpoint, monkeypatch, capsys
):
    install(monkeypatch, lambda order: Changing(), devices=('here', 'there'))
    folder = str(random_checkpoint)
    words = (folder, '--engine', 'mine', *FEW)
    there = ('--engine-device', 'there')
    for device in ((), there):
        code, found = asked('engine', 'build', *words, '--threads', '1', *device)
        assert code == 0 and found['engines'][0]['device'] == ('there' if device else '')
    assert cli.main(['engine', 'build', *words, '--threads', '1', *there]) == 0
    assert 'mine on there in float32: all there' in capsys.readouterr().out
    timings = asked('engine', 'list', folder)[1]['timings'][folder]
    found = {(each['engine'], each['engine_device']) for each in timings}
    assert found == {('mine', ''), ('mine', 'there'), ('eager', '')}
    assert cli.main(['engine', 'list', folder]) == 0
    assert f'{folder}: mine on there in float32' in capsys.readouterr().out
    assert cli.main(['engine', 'verify', *words, *there]) == 0
    assert 'mine on there in float32: agrees with eager' in capsys.readouterr().out
    install(monkeypatch, only_here, devices=('here', 'there'))
    code, found = asked('engine', 'build', *words, *there)
    (row,) = found['engines']
    assert code == 1 and (row['device'], row['failure']) == ('there', 'there is no device there')
    code, row = asked('verify', folder, '--engine', 'mine', *there)
    assert code == 1 and (row['device'], row['reason']) == ('there', 'there is no device there')


def test_an_engine_that_lies_is_not_recorded(asked, random_checkpoint, monkeypatch):
    install(monkeypatch, lambda order: Changing(lying))
    folder = str(random_checkpoint)
    code, found = asked('engine', 'build', folder, '--engine', 'mine', *FEW)
    assert code == 1 and 'tokens differ' in found['engines'][0]['failure']
    assert asked('engine', 'list', folder)[1]['timings'][folder] == []
    code, row = asked('engine', 'verify', folder, '--engine', 'mine', *FEW)
    assert code == 1 and not row[0]['agrees']


def test_an_engine_that_runs_no_layer_is_not_compared_as_eager_with_itself(
    asked, random_checkpoint, monkeypatch
):
    def refuse(program, bucket):
        if program.name == 'span':
            raise EngineError('no room for it')

    install(monkeypatch, lambda order: Changing(refuse=refuse))
    folder = str(random_checkpoint)
    code, found = asked('engine', 'build', folder, '--engine', 'mine', *FEW)
    assert code == 1 and found['engines'][0]['failure'] == 'no room for it'
    assert asked('engine', 'list', folder)[1]['timings'][folder] == []
    code, row = asked('verify', folder, '--engine', 'mine', '--frames', '1')
    assert code == 1 and row['reason'] == 'span runs on eager: no room for it'


def test_without_any_that_can_run_nothing_is_built(random_checkpoint, monkeypatch, capsys):
    install(monkeypatch, probe=lambda: 'it is not installed')
    assert cli.main(['engine', 'build', str(random_checkpoint)]) == 0
    said = capsys.readouterr()
    assert 'no engine but eager' in said.out and 'mine: it is not installed' in said.err
    assert cli.main(['engine', 'build', str(random_checkpoint), '--engine', 'mine']) == 1
    assert 'not used: it is not installed' in capsys.readouterr().out


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['engine', 'build', '--engine', 'warp'], "engine 'warp' is not there"),
        (['engine', 'build', '--engine', 'auto'], '--engine is auto, expected engines by name'),
        (['engine', 'build', '--threads', '0'], '--threads is 0, expected at least 1'),
        (['engine', 'build', '--engine-device', 'x'], '--engine-device is x, expected --engine'),
        (
            ['engine', 'build', '--engine', 'eager', '--engine-device', 'x'],
            "engine_device is 'x', expected auto: engine 'eager' has no choice",
        ),
        (['engine', 'clean', '--unused-days', '-1'], '--unused-days is -1, expected 0 to 36500'),
        (['engine', 'clean', '--unused-days', '1e300'], '--unused-days is 1e+300, expected 0'),
        (
            ['engine', 'list', '--unused-days', '2'],
            '--unused-days goes with clean alone, not with',
        ),
        (['engine', 'clean', '--engine', 'eager'], '--engine is eager, expected none with clean'),
        (
            ['engine', 'list', '--engine-precision', 'int8'],
            '--engine-precision is int8, expected none with list',
        ),
        (['engine', 'build', '--methods', 'magic'], "--methods has 'magic', expected some of"),
        (['engine', 'list', 'nowhere'], 'nowhere'),
        (['verify'], 'expected either --fixture DIR or --engine NAME'),
        (['verify', '--engine', 'auto'], '--engine is auto, expected an engine by name'),
        (['verify', '--engine', 'eager', '--frames', '-1'], '--frames is -1, expected 0 or more'),
        (['verify', '--engine', 'eager', '--decoders', 'x'], "--decoders has 'x'"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_line(words, message, capsys):
    assert cli.main(words) == cli.BAD_INPUT
    assert message in capsys.readouterr().err


def test_verify_compares_an_engine_over_frames_of_the_arm(asked, random_checkpoint, monkeypatch):
    install(monkeypatch)
    folder = str(random_checkpoint)
    code, row = asked(
        'verify', folder, '--engine', 'mine', '--frames', '9', '--methods', 'none,fastv'
    )
    assert code == 0 and row['agrees'] and set(row['ways']) == {'none', 'fastv', 'greedy'}
    assert row['ways']['fastv']['frames'] == row['ways']['fastv']['same'] == 9
    install(monkeypatch, lambda order: Changing(lying))
    assert cli.main(['verify', folder, '--engine', 'mine']) == 1


def test_an_engine_that_is_not_exact_is_held_to_a_bound(asked, random_checkpoint, monkeypatch):
    def make(order):
        engine = Changing(
            lambda name, done: (
                {'logits': done['logits'].roll(1, -1)} if name == 'lm_head' else done
            )
        )
        engine.exact = False
        return engine

    install(monkeypatch, make)
    words = ('verify', str(random_checkpoint), '--engine', 'mine')
    code, row = asked(*words)
    bins = row['ways']['none']['mean_bins']
    assert bins > 0 and code == (bins > 1)
    assert asked(*words, '--bound', str(bins + 0.01))[0] == 0
    assert asked(*words, '--bound', str(bins - 0.01))[0] == 1


def test_without_a_name_only_engines_of_that_precision_are_taken(
    asked, random_checkpoint, monkeypatch, capsys
):
    install(monkeypatch)
    for action in ('build', 'verify'):
        words = ('engine', action, str(random_checkpoint), '--engine-precision', 'int8', *FEW)
        assert cli.main(list(words)) == cli.BAD_INPUT
        said = capsys.readouterr().err
        assert "mine: engine_precision is 'int8', expected auto or one of" in said
        assert '--engine-precision is int8, and no engine can compute so here' in said


def test_folders_of_other_libraries_are_listed_and_removed_with_all_the_rest(asked, tmp_path):
    for name in registry.FOLDERS:
        (tmp_path / 'engines' / name / 'deep').mkdir(parents=True)
        (tmp_path / 'engines' / name / 'deep' / 'plan').write_bytes(b'x' * 100)
    listed = asked('engine', 'list')[1]
    assert listed['others'] == dict.fromkeys(registry.FOLDERS, 100)
    assert asked('engine', 'clean')[1]['removed'] == 2
    assert asked('engine', 'list')[1]['others'] == {}
