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
"""Weights that are damaged, pointers, links or quantised are named before they are read."""

import json
import os
import shutil
import struct

import pytest
from safetensors.torch import load_file, save_file
import torch

from vla_accel_ros.models.checkpoints import folder as checkpoint
from vla_accel_ros.models.checkpoints.config_file import read_config
from vla_accel_ros.models.checkpoints.folder import CheckpointError, load, save
from vla_accel_ros.models.checkpoints.safetensors_header import Stored, read_header
from vla_accel_ros.models.checkpoints.weights import checked_by, shards

NORM = 'language_model.model.norm.weight'
INDEX = 'model.safetensors.index.json'
POINTER = b'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n'


@pytest.fixture
def folder(small, tmp_path):
    save(small, tmp_path)
    return tmp_path


def rewrite(folder, change):
    tensors = load_file(folder / 'model.safetensors')
    change(tensors)
    save_file(tensors, folder / 'model.safetensors')
    (folder / 'model.safetensors.sha256').unlink()


def header(**entries):
    text = json.dumps(entries).encode()
    return struct.pack('<Q', len(text)) + text


def test_a_header_says_what_a_file_holds(tmp_path):
    save_file({'a': torch.zeros(2, 3), 'b': torch.zeros(1, dtype=torch.int8)}, tmp_path / 'w')
    found = read_header(tmp_path / 'w')
    end = (tmp_path / 'w').stat().st_size
    assert found == {
        'a': Stored((2, 3), 'F32', end - 25, end - 1),
        'b': Stored((1,), 'I8', end - 1, end),
    }


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (b'', '0 bytes do not begin as safetensors'),
        (b'garbage of some length', 'do not begin as safetensors'),
        (bytes(5000), '5000 bytes do not begin as safetensors'),
        (struct.pack('<Q', 50) + b'{}', 'is cut short, it has 10 of the 58 bytes'),
        (struct.pack('<Q', 2) + b'[]', 'the header is a list of 0, expected an object'),
        (struct.pack('<Q', 2) + b'\xff\xff', 'header is no UTF-8'),
        (struct.pack('<Q', 3) + b'{a}', 'cannot be read'),
        (header(a=[1]), 'a is a list of 1, expected an object'),
        (
            header(a={'dtype': 'F32', 'shape': [-1], 'data_offsets': [0, 0]}),
            r'a\.shape\[0\] is -1',
        ),
        (header(a={'dtype': 5, 'shape': [], 'data_offsets': [0, 4]}), r'a\.dtype is 5'),
        (header(a={'dtype': 'F32', 'shape': []}), r'a\.data_offsets is null'),
        (header(a={'dtype': 'F32', 'shape': [9], 'data_offsets': [0, 36]}), 'is cut short'),
        (POINTER, 'model.safetensors is a git-lfs pointer.*run git lfs pull in'),
    ],
)
def test_what_is_no_whole_file_is_said(folder, content, message):
    (folder / 'model.safetensors').write_bytes(content)
    with pytest.raises(CheckpointError, match=message) as caught:
        load(folder)
    assert str(folder / 'model.safetensors') in str(caught.value)


@pytest.mark.parametrize('name', ['config.json', 'dataset_statistics.json', INDEX])
def test_a_pointer_in_place_of_any_other_file_is_said(folder, name):
    (folder / name).write_bytes(POINTER)
    with pytest.raises(CheckpointError, match=rf'{name} is a git-lfs pointer.*in {folder}'):
        load(folder)


@pytest.mark.parametrize('name', ['config.json', 'dataset_statistics.json', 'model.safetensors'])
def test_a_link_that_points_nowhere_is_named(folder, name):
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to('../../blobs/17af')
    with pytest.raises(CheckpointError, match=rf'{name} is a link to ../../blobs/17af, which is'):
        load(folder)


def test_a_pipe_in_place_of_the_weights_is_not_waited_for(folder):
    (folder / 'model.safetensors').unlink()
    os.mkfifo(folder / 'model.safetensors')
    with pytest.raises(CheckpointError, match='is no file'):
        load(folder)


def test_an_adapter_without_its_model_says_what_to_do(folder):
    (folder / 'model.safetensors').rename(folder / 'adapter_model.safetensors')
    with pytest.raises(CheckpointError, match=r'low-rank adapter .* merge_and_unload'):
        load(folder)


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        ({'weight_map': []}, 'weight_map is a list of 0, expected an object'),
        ({}, 'weight_map is null'),
        ({'weight_map': {}}, 'weight_map names no file$'),
        ({'weight_map': {'a': 1}}, r'weight_map\.a is 1, expected a name such as'),
        ({'weight_map': {'a': '../w.safetensors'}}, r"weight_map\.a is '../w\.safetensors'"),
        ({'weight_map': {'a': '/etc/passwd'}}, r"weight_map\.a is '/etc/passwd'"),
        ({'weight_map': {'a': 'w.safetensors'}}, r"names \['w\.safetensors'\]: not there"),
    ],
)
def test_an_index_that_names_no_files_is_refused(folder, values, message):
    (folder / INDEX).write_text(json.dumps(values))
    with pytest.raises(CheckpointError, match=message):
        shards(folder)


def test_quantised_weights_are_refused_by_name(folder):
    rewrite(folder, lambda tensors: tensors.update({NORM: torch.ones(32, dtype=torch.int8)}))
    with pytest.raises(CheckpointError, match=rf"{NORM} is of the type 'I8', expected one of F64"):
        load(folder)


@pytest.mark.parametrize('bad', [float('nan'), float('inf')])
def test_weights_that_are_not_finite_are_named(folder, bad):
    rewrite(folder, lambda tensors: tensors[NORM].view(-1)[7].fill_(bad))
    with pytest.raises(CheckpointError, match=rf'safetensors: {NORM} holds NaN or infinity, as f'):
        load(folder)


def test_weights_beyond_the_type_they_are_loaded_in_are_named(folder):
    rewrite(folder, lambda tensors: tensors[NORM].fill_(1e6))
    load(folder)
    with pytest.raises(CheckpointError, match=rf'{NORM} holds NaN or infinity, as float16'):
        load(folder, dtype=torch.float16)


@pytest.mark.parametrize(
    'change', [{'width': 65536, 'heads': 1024}, {'vocab': 2**21}, {'layers': 256}, {'mlp': 2**18}]
)
def test_a_size_that_the_files_do_not_hold_allocates_nothing(folder, change, monkeypatch):
    values = json.loads((folder / 'config.json').read_text())
    values['vla_accel']['decoder'].update(change)
    (folder / 'config.json').write_text(json.dumps(values))
    monkeypatch.setattr(checkpoint, 'read_some', lambda *_: pytest.fail('a tensor was read'))
    with pytest.raises(CheckpointError, match=r'tensors (are missing|have another shape)'):
        load(folder)


def test_flipped_bits_are_found_by_the_checksum(folder):
    load(folder)
    assert checked_by(folder)
    file = folder / 'model.safetensors'
    content = bytearray(file.read_bytes())
    content[-5] ^= 1
    file.write_bytes(content)
    with pytest.raises(CheckpointError, match=r'not what model\.safetensors\.sha256 was made of'):
        load(folder)


def test_weights_that_were_replaced_say_what_to_delete(folder, small):
    sums = folder / 'model.safetensors.sha256'
    old = sums.read_text()
    assert old.endswith('  model.safetensors\n')
    rewrite(folder, lambda tensors: tensors[NORM].mul_(2))
    assert not checked_by(folder)
    load(folder)
    sums.write_text(old)
    with pytest.raises(CheckpointError, match=f'If you replaced it, delete {sums}'):
        load(folder)
    save(small, folder)
    load(folder)
    assert sums.read_text() == old


def test_a_checksum_that_is_none_is_named(folder):
    (folder / 'model.safetensors.sha256').write_text('nonsense')
    with pytest.raises(CheckpointError, match=r'sha256 does not begin with a SHA-256 of 64'):
        load(folder)


def test_a_file_cannot_name_what_lies_outside_the_values_it_may_have(reference, tmp_path):
    for name in ('config.json', 'preprocessor_config.json'):
        shutil.copy(reference / name, tmp_path)
    file = tmp_path / 'preprocessor_config.json'
    values = json.loads(file.read_text())
    for change, message in (
        ({'stds': values['stds'][:1]}, 'stds is a list of 1, expected a list of 2'),
        ({'stds': [[0.5] * 3, [0.5, 0, 0.5]]}, r'stds\[1\]\[1\] is 0, expected a number from'),
        ({'means': [[0.5] * 3, [0.5, None, 0.5]]}, r'means\[1\]\[1\] is null'),
        ({'means': 'ImageNet'}, "means is 'ImageNet', expected a list of 2"),
    ):
        file.write_text(json.dumps({**values, **change}))
        with pytest.raises(CheckpointError, match=rf'preprocessor_config\.json: {message}'):
            read_config(tmp_path)
