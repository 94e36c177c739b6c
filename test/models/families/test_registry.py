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

"""Families: those of the package, and one that another package declares."""

import json
import subprocess
import sys

import numpy as np
import pytest
from toy_family import ToyConfig, ToyFamily

from vla_accel_ros.models.checkpoints.config_file import read_config
from vla_accel_ros.models.checkpoints.folder import load, save
from vla_accel_ros.models.checkpoints.json_file import CheckpointError
from vla_accel_ros.models.cost.stages import CostModel
from vla_accel_ros.models.families import registry
from vla_accel_ros.models.policy import Policy
from vla_accel_ros.motion import Motion
from vla_accel_ros.observations import Observation
from vla_accel_ros.pruning.registry import METHODS

INSTRUCTION = 'pick up the red cube'
MOTION = Motion((0.05, 0.0, 0.02), (0.0, 0.0, 0.0), 0.1)


@pytest.fixture(autouse=True)
def nothing_found_before():
    registry.find.cache_clear()
    yield
    registry.find.cache_clear()


def rewrite(folder, **parts):
    file = folder / 'config.json'
    values = json.loads(file.read_text())
    values['vla_accel'].pop('toy', None)
    values['vla_accel'].update(parts)
    file.write_text(json.dumps(values))


def test_a_family_of_another_package_is_saved_and_read_again(toy_checkpoint, tmp_path):
    assert registry.names()[-1] == 'toy'
    model = load(toy_checkpoint)
    assert model.config.head == ToyConfig(largest=0.75)
    save(model, tmp_path / 'again')
    assert read_config(tmp_path / 'again') == model.config
    assert json.loads((tmp_path / 'again' / 'config.json').read_text())['vla_accel']['toy'] == {
        'largest': 0.75
    }


def test_its_policy_tells_black_from_white_and_prunes_by_every_method(toy_checkpoint, views):
    policy = Policy.load(toy_checkpoint)
    assert policy.self_test(cameras=2) > 0
    whole = policy.predict(Observation(views, INSTRUCTION))
    assert whole.chunk_values.shape == (1, 7) and whole.token_ids.shape == (0,)
    assert (whole.passes, whole.accepted) == (1, 0)
    assert np.abs(whole.chunk_values[0, :3]).max() <= 0.75 * 0.01
    for method in METHODS:
        policy.reset()
        policy.set_pruning(method, round_up=False)
        for step in range(3):
            answer = policy.predict(
                Observation(views, INSTRUCTION, stamp_ns=step * 10**8), motion=MOTION
            )
        assert len(answer.kept_ids) == answer.kept <= policy.config.visual_tokens
        changed = (answer.chunk_values != whole.chunk_values).any()
        assert changed == (answer.kept < policy.config.visual_tokens), method


def test_what_it_takes_is_the_prompts_pass(toy_checkpoint, views):
    policy = Policy.load(toy_checkpoint)
    policy.set_pruning('fastv', keep=0.5, layer=1, round_up=False)
    work = policy.predict(Observation(views, INSTRUCTION)).work
    costs = CostModel(policy.config).inference(work)
    assert costs['prefill'].flops > 0 and costs['selection'].flops > 0
    assert costs['decode'].flops == 0


def test_a_fresh_process_finds_it(toy_checkpoint):
    code = (
        'import sys\nfrom vla_accel_ros.models.policy import Policy\n'
        'policy = Policy.load(sys.argv[1])\nprint(policy.config.head.largest)'
    )
    done = subprocess.run(
        [sys.executable, '-c', code, str(toy_checkpoint)], capture_output=True, text=True
    )
    assert done.stdout.strip() == '0.75', done.stderr


@pytest.mark.parametrize('name', ['os:system', 'toy_family:ToyFamily', '', '../toy', 'head'])
def test_a_checkpoint_cannot_name_code(toy_checkpoint, name):
    rewrite(toy_checkpoint, **{name: {}})
    with pytest.raises(
        CheckpointError, match=r'is unknown, expected one of .*oft, openvla,.* toy'
    ):
        read_config(toy_checkpoint)


def test_a_family_that_is_not_installed_is_unknown(toy_checkpoint, monkeypatch):
    monkeypatch.setattr(sys, 'path', [p for p in sys.path if not p.endswith('site')])
    registry.find.cache_clear()
    with pytest.raises(
        CheckpointError, match=r'vla_accel\.toy is unknown, .*oft, openvla(?!.* toy)'
    ):
        read_config(toy_checkpoint)


@pytest.mark.parametrize(
    ('parts', 'message'),
    [
        ({'toy': {'largest': 2}}, r'vla_accel\.toy\.largest is 2, expected a number from 0 to 1'),
        ({'toy': {'least': 1}}, r'vla_accel\.toy\.least is unknown, expected one of largest'),
        ({'toy': []}, r'vla_accel\.toy is a list of 0, expected an object'),
        ({'toy': {}, 'oft': {}}, r'vla_accel\.toy is given beside oft, expected one'),
    ],
)
def test_a_part_that_does_not_fit_is_refused_by_its_path(toy_checkpoint, parts, message):
    rewrite(toy_checkpoint, **parts)
    with pytest.raises(CheckpointError, match=message):
        read_config(toy_checkpoint)


@pytest.mark.parametrize('parts', [{}, {'oft': None}, {'toy': None, 'openvla': {}}])
def test_without_a_part_of_another_family_it_is_an_openvla(toy_checkpoint, parts):
    rewrite(toy_checkpoint, **parts)
    assert read_config(toy_checkpoint).head.family == 'openvla'


@pytest.mark.parametrize(
    ('value', 'message'),
    [
        ('nowhere:Family', 'cannot be loaded'),
        ('toy_family:ToyConfig', 'is a ToyConfig, expected a Family'),
        ('toy_family:ENTRY_POINT', 'cannot be loaded'),
    ],
)
def test_a_declaration_that_cannot_be_used_says_why(declared, value, message):
    declared(f'[{registry.GROUP}]\ntoy = {value}\n')
    expected = f"family 'toy', declared as {value}, {message}"
    with pytest.raises(registry.FamilyError, match=expected):
        registry.find('toy')


def test_a_declaration_under_another_name_is_refused(declared):
    declared(f'[{registry.GROUP}]\nplay = toy_family:ToyFamily\n')
    with pytest.raises(registry.FamilyError, match="calls itself 'toy', expected the same name"):
        registry.find('play')


def test_a_family_may_claim_the_folders_of_others(declared, tmp_path, monkeypatch):
    declared()
    (tmp_path / 'config.json').write_text('{}')
    monkeypatch.setattr(
        ToyFamily, 'claims', lambda self, folder, values: values.get('model_type') == 'toy'
    )
    assert registry.of_folder(tmp_path, {'model_type': 'openvla'}).name == 'openvla'
    assert registry.of_folder(tmp_path, {'model_type': 'toy'}).name == 'toy'
    assert registry.of_folder(tmp_path, {'model_type': 'llava'}) is registry.FIRST
