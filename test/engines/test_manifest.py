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

"""A manifest comes back as it was written, and a digest sees what changed."""

import json
import os

from vla_accel_ros.engines.manifest import FILE, Manifest, digest

KEY = {'kind': 'graph of span', 'torch': '2.13.0'}


def test_a_large_file_is_judged_by_its_size_and_parts_of_it(tmp_path):
    path = tmp_path / 'large'
    with path.open('wb') as opened:
        opened.truncate(2**30 + 1)
    before = digest(path)
    with path.open('r+b') as opened:
        opened.seek(-1, os.SEEK_END)
        opened.write(b'x')
    assert digest(path) != before


def test_a_manifest_survives_being_written(tmp_path):
    (tmp_path / 'file').write_text('hello')
    made = Manifest.of(tmp_path, KEY, 5, 0.5)
    made.write(tmp_path)
    assert Manifest.read(tmp_path) == made
    assert json.loads((tmp_path / FILE).read_text())['files']['file'][0] == 5
