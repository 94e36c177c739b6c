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

"""Pickled files: what is read of them, and what is refused."""

import pytest
import torch

from vla_accel_ros.models.checkpoints.json_file import CheckpointError
from vla_accel_ros.models.checkpoints.pickled import read_pickled


def test_plain_values_and_tensors_are_read(tmp_path):
    torch.save({'step': 3, 'w': torch.ones(2)}, tmp_path / 'a.pt')
    stored = read_pickled(tmp_path / 'a.pt', 'tensors')
    assert stored['step'] == 3 and stored['w'].tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ('value', 'message'),
    [
        ([1, 2], 'holds a list, expected a dictionary'),
        ({'f': print}, 'may run code. Expected a dictionary'),
    ],
)
def test_anything_else_is_refused(tmp_path, value, message):
    torch.save(value, tmp_path / 'a.pt')
    with pytest.raises(CheckpointError, match=message):
        read_pickled(tmp_path / 'a.pt', 'a dictionary')


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (b'', 'cannot be read|is corrupt'),
        (b'PK\x03\x04 cut', 'cannot be read|is corrupt'),
        (b'version https://git-lfs.github.com/spec/v1\n', 'git-lfs pointer'),
    ],
)
def test_damaged_files_are_named(tmp_path, content, message):
    (tmp_path / 'a.pt').write_bytes(content)
    with pytest.raises(CheckpointError, match=rf'a\.pt.*({message})'):
        read_pickled(tmp_path / 'a.pt', 'a dictionary')


def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match='is no file'):
        read_pickled(tmp_path, 'a dictionary')
