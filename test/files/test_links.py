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
"""A link to nothing is named with where it points."""

import pytest

from vla_accel_ros.files.links import dangling


def test_a_link_to_nothing_says_where_it_points(tmp_path):
    (tmp_path / 'config.json').symlink_to('../blobs/4f1c')
    assert dangling(tmp_path / 'config.json').startswith(
        f'{tmp_path}/config.json is a link to ../blobs/4f1c, which is not there'
    )


@pytest.mark.parametrize('name', ['file', 'link', 'nowhere', '.'])
def test_all_else_is_none(tmp_path, name):
    (tmp_path / 'file').write_text('')
    (tmp_path / 'link').symlink_to('file')
    assert dangling(tmp_path / name) is None


def test_a_link_to_itself_is_one_to_nothing(tmp_path):
    (tmp_path / 'loop').symlink_to('loop')
    assert 'is a link to loop' in dangling(tmp_path / 'loop')
