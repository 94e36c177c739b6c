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
"""A file that is no sound JSON object is named, with what is wrong."""

import os

import pytest

from vla_accel_ros.models.checkpoints import json_file
from vla_accel_ros.models.checkpoints.json_file import CheckpointError, named, read_json


@pytest.fixture
def file(tmp_path):
    return tmp_path / 'some.json'


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (b'', 'cannot be read: it is empty'),
        (b' \n', 'cannot be read: it is empty'),
        (b'{', 'cannot be read: .*line 1'),
        (b'[]', 'holds a list, expected an object'),
        (b'null', 'holds a NoneType'),
        (b'{"a": 1, "b": {"c": 1, "c": 2}}', r"the name 'c' stands twice"),
        (b'[' * 100_000, 'nested too deep'),
        (b'{"a":' * 100_000, 'nested too deep'),
        (b'{"a": ' + b'1' * 5000 + b'}', 'cannot be read'),
        (b'\xff\xfe{\x00}\x00', 'byte 0 is no UTF-8'),
        (b'{"\\ud800": 1}', 'surrogate'),
        (
            b'version https://git-lfs.github.com/spec/v1\n',
            'is a git-lfs pointer.*run git lfs pull',
        ),
    ],
)
def test_what_is_no_sound_object_is_named(file, content, message):
    file.write_bytes(content)
    with pytest.raises(CheckpointError, match=rf'some\.json.*{message}'):
        read_json(file)


def test_a_byte_order_mark_is_no_matter(file):
    file.write_bytes(b'\xef\xbb\xbf{"a": 1}')
    assert read_json(file) == {'a': 1}


def test_what_is_no_file_is_named_and_not_waited_for(file, tmp_path):
    with pytest.raises(CheckpointError, match='is missing'):
        read_json(file)
    os.mkfifo(file)
    with pytest.raises(CheckpointError, match='is no file'):
        read_json(file)
    (tmp_path / 'link.json').symlink_to('nowhere')
    with pytest.raises(CheckpointError, match='is a link to nowhere, which is not there'):
        read_json(tmp_path / 'link.json')


def test_a_file_too_large_for_json_is_not_read(file, monkeypatch):
    monkeypatch.setattr(json_file, 'LARGEST_MIB', 0)
    file.write_text('{}')
    with pytest.raises(CheckpointError, match='expected JSON of at most 0 MiB'):
        read_json(file)


def test_any_other_error_of_values_gets_the_files_name(file):
    with pytest.raises(CheckpointError, match=r'some\.json: key is wrong'), named(file):
        raise ValueError('key is wrong')
