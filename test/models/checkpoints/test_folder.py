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

"""Checkpoints load whole or not at all, and say what is wrong with them."""

import json
import os
import shutil
import sys

import pytest
from safetensors.torch import load_file, save_file
import torch

from vla_accel_ros.models.checkpoints.config_file import read_config
from vla_accel_ros.models.checkpoints.folder import CheckpointError, load, resolve, save

NORM = 'language_model.model.norm.weight'


@pytest.fixture
def folder(small, tmp_path):
    save(small, tmp_path)
    return tmp_path


@pytest.fixture
def public(reference, tmp_path):
    for name in ('config.json', 'preprocessor_config.json', 'model.safetensors'):
        shutil.copy(reference / name, tmp_path)
    return tmp_path


def rewrite(folder, change):
    tensors = load_file(folder / 'model.safetensors')
    change(tensors)
    save_file(tensors, folder / 'model.safetensors')
    (folder / 'model.safetensors.sha256').unlink(missing_ok=True)


def test_what_is_saved_is_loaded_again(small, folder):
    again = load(folder)
    assert again.config == small.config
    assert not again.training
    for name, tensor in small.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor)


def test_what_is_saved_can_be_read_by_whom_the_umask_lets(small, tmp_path):
    before = os.umask(0o027)
    try:
        save(small, tmp_path)
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == dict.fromkeys(
        ('config.json', 'model.safetensors', 'model.safetensors.sha256'), 0o640
    )


def test_saving_leaves_other_files_and_no_traces(small, folder):
    (folder / 'tokenizer.json').write_text('{}')
    save(small, folder)
    assert sorted(f.name for f in folder.iterdir()) == [
        'config.json',
        'model.safetensors',
        'model.safetensors.sha256',
        'tokenizer.json',
    ]


def test_weights_can_be_stored_and_loaded_in_another_type(small, folder):
    save(small, folder, torch.bfloat16)
    assert load(folder).dtype == torch.bfloat16
    assert load(folder, dtype=torch.float32).dtype == torch.float32


def test_public_tensor_names_load_and_what_never_runs_is_accepted(public):
    stored = load_file(public / 'model.safetensors')
    model = load(public)
    own = model.state_dict()
    assert len(stored) == 162
    left = [name for name in stored if name not in own]
    assert left and all('vision_backbone' in name for name in left)
    assert all(torch.equal(stored[name], tensor) for name, tensor in own.items())


def test_shards_are_one_checkpoint(public):
    tensors = load_file(public / 'model.safetensors')
    whole = load(public).state_dict()
    (public / 'model.safetensors').unlink()
    names = sorted(tensors)
    weight_map = {}
    for i in range(3):
        file = f'model-0000{i + 1}-of-00003.safetensors'
        save_file({name: tensors[name] for name in names[i::3]}, public / file)
        weight_map |= dict.fromkeys(names[i::3], file)
    index = public / 'model.safetensors.index.json'
    index.write_text(json.dumps({'metadata': {}, 'weight_map': weight_map}))
    sharded = load(public).state_dict()
    assert all(torch.equal(sharded[name], tensor) for name, tensor in whole.items())
    (public / 'model-00002-of-00003.safetensors').unlink()
    with pytest.raises(CheckpointError, match='model-00002-of-00003'):
        load(public)


def test_missing_unexpected_and_misshapen_tensors_are_all_listed(folder):
    def damage(tensors):
        del tensors[NORM]
        tensors['language_model.model.layers.9.mlp.up_proj.weight'] = torch.zeros(1)
        tensors['projector.fc1.bias'] = torch.zeros(3)

    rewrite(folder, damage)
    with pytest.raises(CheckpointError) as caught:
        load(folder)
    message = str(caught.value)
    assert f'1 tensors are missing: {NORM}' in message
    assert '1 tensors are not expected: language_model.model.layers.9.mlp.up_proj' in message
    assert 'projector.fc1.bias [3] for [96]' in message


def test_a_long_list_of_missing_tensors_is_cut(folder):
    rewrite(folder, lambda tensors: [tensors.pop(n) for n in list(tensors) if 'layers' in n])
    with pytest.raises(CheckpointError, match=r'27 tensors are missing: .* and 19 more'):
        load(folder)


@pytest.mark.parametrize('content', [b'', b'garbage of some length', None])
def test_a_corrupt_weights_file_is_named(folder, content):
    file = folder / 'model.safetensors'
    file.write_bytes(file.read_bytes()[:-100] if content is None else content)
    with pytest.raises(CheckpointError, match=r'model\.safetensors cannot be read'):
        load(folder)


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ('{', r'config\.json cannot be read'),
        ('[]', 'holds a list'),
        ('{}', "model_type is 'None'"),
        ('{"vla_accel": {"towers": []}}', 'decoder'),
        ('{"vla_accel": {"towers": [{"wdth": 1}], "decoder": {}}}', 'wdth'),
    ],
)
def test_a_bad_configuration_is_named(folder, content, message):
    (folder / 'config.json').write_text(content)
    with pytest.raises(CheckpointError, match=message):
        read_config(folder)


def test_an_empty_folder_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r'config\.json is missing'):
        load(tmp_path)


def test_a_folder_without_weights_is_named(folder):
    (folder / 'model.safetensors').unlink()
    with pytest.raises(CheckpointError, match=r'neither model\.safetensors nor'):
        load(folder)


def test_statistics_of_a_fine_tuning_replace_the_configurations(folder, small):
    assert set(read_config(folder).norm_stats) == {'small'}
    mine = {'mine': {'action': {'q01': [0], 'q99': [1]}}}
    (folder / 'dataset_statistics.json').write_text(json.dumps(mine))
    assert set(read_config(folder).norm_stats) == {'mine'}


def test_progress_ends_at_one(folder):
    seen = []
    load(folder, progress=lambda share, what: seen.append(share))
    assert seen == sorted(seen) and seen[-1] == 1


def test_nothing_is_downloaded_unless_allowed(tmp_path):
    assert resolve(tmp_path) == tmp_path
    with pytest.raises(CheckpointError, match='downloading it from the hub was not allowed'):
        resolve('openvla/openvla-7b')


def test_a_download_that_is_allowed_says_which_package_it_needs(monkeypatch):
    monkeypatch.setitem(sys.modules, 'huggingface_hub', None)
    with pytest.raises(CheckpointError, match='needs the package huggingface_hub'):
        resolve('openvla/openvla-7b', allow_download=True)


def test_old_llama_files_may_carry_rotary_frequencies(folder):
    name = 'language_model.model.layers.0.self_attn.rotary_emb.inv_freq'
    rewrite(folder, lambda tensors: tensors.update({name: torch.zeros(4)}))
    load(folder)


@pytest.mark.parametrize('name', ['./no/such', '/no/such', 'nothing'])
def test_a_path_that_is_no_folder_is_never_a_hub_name(name):
    with pytest.raises(CheckpointError, match='is no checkpoint folder'):
        resolve(name, allow_download=True)
