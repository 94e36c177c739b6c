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

"""A git-lfs pointer is known by its first line."""

import os

import pytest

from vla_accel_ros.files.lfs import complaint, pointer

POINTER = (
    b'version https://git-lfs.github.com/spec/v1\n'
    b'oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n'
)


def test_a_pointer_is_known_and_says_what_to_do(tmp_path):
    file = tmp_path / 'model.safetensors'
    file.write_bytes(POINTER)
    assert pointer(file)
    assert complaint(file) == (
        f'{file} is a git-lfs pointer, not the file itself: run git lfs pull in {tmp_path}'
    )


@pytest.mark.parametrize('content', [b'', b'version', b'{"version": 1}', POINTER[1:]])
def test_other_files_are_none(tmp_path, content):
    (tmp_path / 'file').write_bytes(content)
    assert not pointer(tmp_path / 'file')
    assert complaint(tmp_path / 'file') is None


def test_what_is_no_file_is_none_and_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / 'pipe')
    for name in ('pipe', '.', 'nowhere'):
        assert not pointer(tmp_path / name)
