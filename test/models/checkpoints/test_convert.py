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

"""`vla-accel convert`: a whole folder of ours or none, from any family's."""

import json

from cogact_folder import public_folder
import pytest
import torch

from vla_accel_ros.cli import main
from vla_accel_ros.models.checkpoints import convert as module
from vla_accel_ros.models.checkpoints.config_file import read_config
from vla_accel_ros.models.checkpoints.convert import convert
from vla_accel_ros.models.checkpoints.folder import load, save
from vla_accel_ros.models.checkpoints.json_file import CheckpointError
from vla_accel_ros.models.random_weights import random_model
from vla_accel_ros.models.tokenizer import write_tokenizer


@pytest.fixture(scope='module')
def folder(cogact_reference, tmp_path_factory):
    return public_folder(cogact_reference, tmp_path_factory.mktemp('public') / 'CogACT')


def same(one, other):
    one, other = load(one), load(other)
    assert one.config == other.config
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_the_command_writes_a_folder_that_is_the_same_model(folder, tmp_path, capsys):
    out = tmp_path / 'deep' / 'out'
    assert main(['convert', str(folder), str(out), '--json']) == 0
    told = json.loads(capsys.readouterr().out)
    assert told['family'] == 'cogact' and 'model.safetensors' in told['files']
    assert same(folder, out) and (out / 'tokenizer.model').exists()
    assert json.loads((out / 'config.json').read_text())['vla_accel']['cogact']['chunk'] == 16


def test_a_large_model_is_written_in_several_files(folder, tmp_path):
    shares = []
    files = convert(
        folder, tmp_path / 'out', progress=lambda share, _: shares.append(share), largest=10**6
    )
    names = [file.name for file in files if file.suffix == '.safetensors']
    assert len(names) > 2 and names[0].startswith('model-00001-of-0')
    assert shares == sorted(shares) and shares[-1] == 1
    assert same(folder, tmp_path / 'out')


def test_a_narrower_type_leaves_the_head_as_it_is(folder, tmp_path):
    convert(folder, tmp_path / 'out', torch.bfloat16)
    model = load(tmp_path / 'out')
    assert model.dtype == torch.bfloat16 and model.action_model.dtype == torch.float32


@pytest.mark.parametrize('wrong', ['nan', 'tokenizer', 'interrupt', 'full'])
def test_what_goes_wrong_leaves_nothing(cogact_reference, tmp_path, monkeypatch, wrong):
    folder = public_folder(cogact_reference, tmp_path / 'CogACT')
    out, errors, options = tmp_path / 'out' / 'new', (ValueError, KeyboardInterrupt), {}
    if wrong == 'nan':
        file = next((folder / 'checkpoints').iterdir())
        stored = torch.load(file, weights_only=True)
        stored['model']['projector']['projector.4.bias'][0] = float('nan')
        torch.save(stored, file)
    elif wrong == 'tokenizer':
        (folder / 'tokenizer.model').unlink()
    elif wrong == 'full':
        usage = type('Usage', (), {'free': 1000})
        monkeypatch.setattr(module.shutil, 'disk_usage', lambda _: usage)
    else:

        def interrupt(share, name):
            raise KeyboardInterrupt

        options['progress'] = interrupt
    with pytest.raises(errors):
        convert(folder, out, **options)
    assert list(out.parent.iterdir()) == []


def test_a_folder_that_holds_something_is_left_alone(folder, tmp_path):
    (tmp_path / 'mine.txt').write_text('mine')
    with pytest.raises(CheckpointError, match='is there, expected a new or an empty folder'):
        convert(folder, tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ['mine.txt']


def test_another_familys_folder_is_converted_as_well(small_config, tmp_path):
    model = random_model(small_config)
    save(model, tmp_path / 'in')
    write_tokenizer(['<unk>', '<s>', '</s>', 'take'], tmp_path / 'in')
    convert(tmp_path / 'in', tmp_path / 'out')
    assert read_config(tmp_path / 'out') == small_config
    assert same(tmp_path / 'in', tmp_path / 'out')
