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

"""Side files: found by their public names, read without running anything, renamed."""

import json
import os
from pathlib import Path
import pickle
import re
import shutil

import numpy as np
import pytest
from safetensors.torch import load_file, save_file
import torch

from vla_accel_ros.models.checkpoints.config_file import read_config
from vla_accel_ros.models.checkpoints.folder import CheckpointError, load, save
from vla_accel_ros.models.families.oft.model import OpenVLAOFT
from vla_accel_ros.models.families.oft.side_files import find, read_side
from vla_accel_ros.models.families.openvla.model import OpenVLA

SOURCES = {'action_head': 'oft_action_head', 'proprio_projector': 'oft_proprio_projector'}


@pytest.fixture
def public(reference, tmp_path):
    """Give a folder as OFT's fine-tuning leaves it, with its side files still to come."""
    for name in ('config.json', 'model.safetensors', 'preprocessor_config.json'):
        shutil.copy(reference / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def put(public, reference):
    """Write a side file; `prefix` as data-parallel training leaves it."""

    def write(kind, name=None, prefix='', change=None):
        tensors = load_file(reference / f'{SOURCES[kind]}.safetensors')
        tensors = {prefix + n: t for n, t in tensors.items()}
        if change:
            change(tensors)
        file = public / (name or f'{kind}--150000_checkpoint.pt')
        if file.suffix == '.pt':
            torch.save(tensors, file)
        else:
            save_file(tensors, file)
        return file

    return write


def film_backbone(reference):
    """Give the whole FiLM backbone under its public names, as its file holds it."""
    plain = {
        n: t
        for n, t in load_file(reference / 'model.safetensors').items()
        if n.startswith('vision_backbone.')
    }
    wrapped = {re.sub(r'(blocks\.\d+)\.', r'\1.block.', n): t for n, t in plain.items()}
    return wrapped | load_file(reference / 'oft_film_vision_backbone.safetensors')


def rewrite(folder, **values):
    config = json.loads((folder / 'config.json').read_text())
    config.update(values)
    (folder / 'config.json').write_text(json.dumps(config))


def test_without_side_files_it_is_a_plain_openvla(public):
    assert find(public) == {}
    assert type(load(public)) is OpenVLA


@pytest.mark.parametrize('prefix', ['', 'module.'])
@pytest.mark.parametrize(
    'name',
    [
        '{}--150000_checkpoint.pt',
        '{}--latest_checkpoint.pt',
        '{}--5_checkpoint.safetensors',
        '{}.safetensors',
        '{}.pt',
    ],
)
def test_side_files_make_an_oft_whatever_their_step_prefix_and_format(
    public, put, reference, prefix, name
):
    for kind in SOURCES:
        put(kind, name.format(kind), prefix)
    model = load(public)
    assert type(model) is OpenVLAOFT
    config = model.config
    assert (config.head.head, config.proprio, config.cameras, config.channels) == ('l1', 8, 2, 12)
    assert (config.head.head_width, config.head.head_blocks, config.head.chunk) == (32, 2, 8)
    assert (config.action_dims, config.centre_crop, config.film) == (7, 0.9, False)
    stored = load_file(reference / 'oft_action_head.safetensors')
    assert torch.equal(model.action_head.model.fc1.weight, stored['model.fc1.weight'])


def test_configuration_is_read_without_the_weights(public, put):
    for kind in SOURCES:
        put(kind)
    (public / 'model.safetensors').unlink()
    assert read_config(public).head.proprio == 8


def test_a_proprio_projector_alone_means_discrete_actions(public, put):
    put('proprio_projector')
    model = load(public)
    assert (model.config.head.head, model.config.proprio) == ('discrete', 8)


def test_config_json_may_name_views_and_chunk_under_the_launchers_names(public, put):
    put('action_head')
    rewrite(public, num_images_in_input=3, num_action_chunks=5)
    config = read_config(public)
    assert (config.cameras, config.head.chunk, config.proprio) == (3, 5, 0)


def test_a_chunk_in_config_json_alone_means_discrete_actions_of_one_view(public):
    rewrite(public, num_action_chunks=4)
    model = load(public)
    assert (model.config.head.head, model.config.cameras, model.config.slots) == (
        'discrete',
        1,
        28,
    )


@pytest.mark.parametrize('value', [0, -1, 2.5, 'two', True])
def test_a_number_of_views_that_is_none_is_refused(public, put, value):
    put('action_head')
    rewrite(public, num_images_in_input=value)
    with pytest.raises(CheckpointError, match=r'num_images_in_input is .* whole number from 1'):
        load(public)


@pytest.mark.parametrize('prefix', ['', 'module.'])
def test_a_film_backbone_takes_the_place_of_the_plain_one(public, put, reference, prefix):
    for kind in SOURCES:
        put(kind)
    backbone = film_backbone(reference)
    changed = 'vision_backbone.fused_featurizer.blocks.0.block.mlp.fc1.bias'
    backbone[changed] = backbone[changed] + 1
    torch.save(
        {prefix + n: t for n, t in backbone.items()},
        public / 'vision_backbone--150000_checkpoint.pt',
    )
    model = load(public)
    assert model.config.film
    block = model.vision_backbone.tower(1).blocks[0]
    assert torch.equal(block.mlp.fc1.bias, backbone[changed])
    assert torch.equal(
        block.scale.weight, backbone['vision_backbone.fused_featurizer.blocks.0.scale.weight']
    )


@pytest.mark.parametrize('make', [os.mkfifo, Path.mkdir])
@pytest.mark.parametrize('ending', ['pt', 'safetensors'])
def test_what_is_no_side_file_is_not_waited_for(tmp_path, make, ending):
    file = tmp_path / f'action_head.{ending}'
    make(file)
    with pytest.raises(CheckpointError, match=rf'action_head\.{ending} is no file'):
        read_side(file)


def test_adapters_in_a_film_backbone_are_merged_on_loading(public, put, reference):
    backbone = film_backbone(reference)
    name = 'vision_backbone.featurizer.blocks.0.block.attn.proj'
    weight = backbone.pop(f'{name}.weight')
    down, up = torch.randn(4, weight.shape[1]), torch.randn(weight.shape[0], 4)
    backbone |= {
        f'{name}.base_layer.weight': weight,
        f'{name}.base_layer.bias': backbone.pop(f'{name}.bias'),
        f'{name}.lora_A.default.weight': down,
        f'{name}.lora_B.default.weight': up,
    }
    put('action_head')
    torch.save(backbone, public / 'vision_backbone--1_checkpoint.pt')
    attention = load(public).vision_backbone.tower(0).blocks[0].attn
    torch.testing.assert_close(attention.proj.weight, weight + up @ down)


class Evil:
    """Would run when unpickled."""

    def __reduce__(self):
        return open, ('pickle-was-run', 'w')


def test_a_pickle_that_holds_more_than_tensors_is_never_run(public, monkeypatch):
    monkeypatch.chdir(public)
    torch.save({'model.fc1.weight': Evil()}, public / 'action_head--1_checkpoint.pt')
    with pytest.raises(CheckpointError, match='holds more than tensors') as error:
        load(public)
    assert 'weights_only=False' not in str(error.value)
    assert not (public / 'pickle-was-run').exists()


@pytest.mark.parametrize(
    'content', [b'', b'not a checkpoint', pickle.dumps({'a': 1}, 2)[:-3], b'PK\x03\x04 broken']
)
@pytest.mark.parametrize('suffix', ['pt', 'safetensors'])
def test_a_corrupt_side_file_is_named(public, content, suffix):
    file = public / f'action_head--1_checkpoint.{suffix}'
    file.write_bytes(content)
    with pytest.raises(CheckpointError, match=re.escape(file.name)):
        load(public)


@pytest.mark.parametrize(
    'stored', [[torch.zeros(2)], {'a': 1.5}, {1: torch.zeros(2)}, torch.zeros(2)]
)
def test_anything_but_tensors_by_name_is_refused(tmp_path, stored):
    torch.save(stored, tmp_path / 'action_head.pt')
    with pytest.raises(CheckpointError, match=r'not all tensors by name|expected a state_dict'):
        read_side(tmp_path / 'action_head.pt')


def test_files_saved_in_the_old_format_are_read(tmp_path):
    tensors = {'module.fc1.weight': torch.arange(6.0).view(2, 3)}
    torch.save(tensors, tmp_path / 'a.pt', _use_new_zipfile_serialization=False)
    assert torch.equal(read_side(tmp_path / 'a.pt')['fc1.weight'], tensors['module.fc1.weight'])


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (b'version https://git-lfs.github.com/spec/v1\n', r'head\.pt is a git-lfs pointer'),
        (None, r'head\.pt is a link to nowhere'),
    ],
)
def test_a_pointer_and_a_link_in_place_of_a_side_file_are_said(public, content, message):
    file = public / 'action_head.pt'
    file.write_bytes(content) if content else file.symlink_to('nowhere')
    with pytest.raises(CheckpointError, match=message):
        load(public)


def test_a_side_file_of_whole_numbers_is_refused(tmp_path):
    torch.save({'a': torch.zeros(2, dtype=torch.int64)}, tmp_path / 'action_head.pt')
    with pytest.raises(CheckpointError, match=r'a is of the type torch\.int64, expected floats'):
        read_side(tmp_path / 'action_head.pt')


def test_two_steps_of_one_kind_are_an_error(public, put):
    put('action_head', 'action_head--1_checkpoint.pt')
    put('action_head', 'action_head--2_checkpoint.pt')
    with pytest.raises(CheckpointError, match=r'--1_checkpoint\.pt, .*--2_.*expected one'):
        load(public)


def test_safetensors_are_preferred_to_a_pickle_of_the_same_name(public, put):
    put('action_head', 'action_head--1_checkpoint.pt')
    safe = put('action_head', 'action_head--1_checkpoint.safetensors')
    assert find(public) == {'action_head': safe}


def test_a_diffusion_policy_is_refused_by_name(public, put):
    put('action_head')
    (public / 'noisy_action_projector--1_checkpoint.pt').write_bytes(b'')
    with pytest.raises(CheckpointError, match=r'noisy_action_projector.*a diffusion policy'):
        load(public)


@pytest.mark.parametrize(
    ('kind', 'name', 'message'),
    [
        ('action_head', 'model.fc2.weight', r'no matrix model\.fc2\.weight'),
        ('action_head', 'model.layer_norm1.weight', r'missing: action_head\.model\.layer_norm1'),
        ('proprio_projector', 'fc1.weight', r'no matrix fc1\.weight'),
    ],
)
def test_a_tensor_that_lacks_is_named(public, put, kind, name, message):
    put(kind, change=lambda tensors: tensors.pop(name))
    with pytest.raises(CheckpointError, match=message):
        load(public)


def test_a_head_of_another_width_is_named(public, put):
    def narrow(tensors):
        tensors['model.fc1.weight'] = tensors['model.fc1.weight'][:, :-1].contiguous()

    put('action_head', change=narrow)
    with pytest.raises(CheckpointError, match=r'action_head\.model\.fc1\.weight \[32, 223\] for'):
        load(public)


def test_our_own_folder_holds_all_tensors_and_needs_no_side_files(public, put, tmp_path):
    for kind in SOURCES:
        put(kind)
    model = load(public)
    own = tmp_path / 'own'
    save(model, own)
    shutil.copy(public / 'action_head--150000_checkpoint.pt', own)
    again = load(own)
    assert again.config == model.config
    assert find(own) == {}
    for name, tensor in model.state_dict().items():
        assert np.array_equal(again.state_dict()[name], tensor), name


def fourteen(tensors):
    """Make a head of 14 columns, or a projector of 14 numbers, of one of 7 and of 8."""
    for name, tensor in list(tensors.items()):
        if name == 'fc1.weight':
            tensors[name] = torch.zeros(len(tensor), 14)
        elif name == 'model.fc1.weight' or name.startswith('model.layer_norm1'):
            tensors[name] = torch.cat([tensor] * 2, dim=-1)
        elif name.startswith('model.fc2'):
            tensors[name] = tensor.repeat(2, *[1] * (tensor.ndim - 1))


def test_a_head_of_fourteen_columns_has_the_originals_numbers_for_aloha(public, put):
    for kind in SOURCES:
        put(kind, change=fourteen)
    config = read_config(public)
    assert (config.action_dims, config.proprio, config.cameras) == (14, 14, 3)
    assert (config.head.chunk, config.head.ends) == (25, ('min', 'max'))
    assert load(public).action_head.dims == 14
    rewrite(public, num_action_chunks=12, action_proprio_normalization_type='bounds_q99')
    head = read_config(public).head
    assert (head.chunk, head.ends) == (12, ('q01', 'q99'))
    rewrite(public, action_proprio_normalization_type='normal')
    with pytest.raises(CheckpointError, match=r"normalization_type is 'normal', expected one of"):
        read_config(public)
