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

"""CogACT's pickled file: the same model, and nothing is run that stands in it."""

import os

from cogact_folder import NAME, nested, public_folder
import pytest
import torch

from vla_accel_ros.models.checkpoints.folder import load
from vla_accel_ros.models.checkpoints.json_file import CheckpointError
from vla_accel_ros.models.families.cogact import torch_file
from vla_accel_ros.models.families.cogact.family import CogACTFamily


@pytest.fixture(scope='module')
def folder(cogact_reference, tmp_path_factory):
    return public_folder(cogact_reference, tmp_path_factory.mktemp('public') / 'CogACT')


def test_it_holds_the_model_of_the_flattened_names(folder, cogact_reference):
    one, other = load(folder).state_dict(), load(cogact_reference).state_dict()
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_moving_average_of_the_head_is_left_alone(cogact_reference, tmp_path):
    stored = nested(cogact_reference)
    stored['model']['ema_diffusion'] = {'net.x': torch.ones(2)}
    load(public_folder(cogact_reference, tmp_path / 'CogACT', stored))


class Spy:
    """What a pickle could do."""

    def __reduce__(self):
        return os.mkdir, ('ran',)


@pytest.mark.parametrize('how', ['archive', 'plain'])
def test_a_pickle_that_would_run_code_is_refused(cogact_reference, tmp_path, monkeypatch, how):
    monkeypatch.chdir(tmp_path)
    folder = public_folder(cogact_reference, tmp_path / 'CogACT', {'model': {'x': 1}})
    file = folder / 'checkpoints' / NAME
    torch.save({'model': Spy()}, file, _use_new_zipfile_serialization=how == 'archive')
    with pytest.raises(CheckpointError, match=r'holds more than tensors.*a pickle may run code'):
        load(folder)
    assert not (tmp_path / 'ran').exists()


@pytest.mark.parametrize(
    ('stored', 'words'),
    [
        ([1, 2], 'holds a list, expected dictionaries'),
        ({'model': {}}, 'has no model.vision_backbone, expected the parts'),
        ({'model': {'vision_backbone': {'x': torch.ones(2, dtype=torch.int64)}}}, 'torch.int64'),
    ],
)
def test_a_file_of_another_form_is_refused(cogact_reference, tmp_path, stored, words):
    folder = public_folder(cogact_reference, tmp_path / 'CogACT', stored)
    with pytest.raises(CheckpointError, match=words):
        load(folder)


def test_a_file_that_is_cut_short_is_refused(folder, cogact_reference, tmp_path):
    copy = public_folder(cogact_reference, tmp_path / 'CogACT')
    file = copy / 'checkpoints' / NAME
    file.write_bytes(file.read_bytes()[:5000])
    with pytest.raises(CheckpointError, match=r'\.pt '):
        load(copy)


def test_of_several_files_the_newest_step_is_read_and_said(cogact_reference, tmp_path):
    folder = public_folder(cogact_reference, tmp_path / 'CogACT')
    for name in ('step-000020-epoch-00-loss=0.3.pt', 'step-001000-epoch-02-loss=0.2.pt'):
        (folder / 'checkpoints' / name).write_bytes(b'')
    assert torch_file.find(folder).name == 'step-001000-epoch-02-loss=0.2.pt'
    (note,) = CogACTFamily().notes(folder)
    assert 'of 3 files' in note and 'step-001000-epoch-02-loss=0.2.pt is read' in note


def test_safetensors_go_first(folder, cogact_reference):
    assert torch_file.find(cogact_reference) is None
    assert torch_file.find(folder).name == NAME
