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

"""Curves of any head, and of a run that has not logged anything."""

import json
import warnings

import pytest

from vla_accel_ros.training import curves

PNG = b'\x89PNG'


@pytest.mark.parametrize(
    'lines', [[], [{'stage': 'clone', 'images': n, 'action': 1 / n} for n in (100, 200)]]
)
def test_what_is_not_there_is_not_drawn_and_not_complained_of(tmp_path, lines):
    log, picture = tmp_path / 'log.jsonl', tmp_path / 'curves.png'
    log.write_text(''.join(json.dumps(line) + '\n' for line in lines))
    with warnings.catch_warnings():
        warnings.simplefilter('error', UserWarning)
        curves.draw(log, picture)
    assert picture.read_bytes().startswith(PNG)


def test_images_of_the_stages_add_up(tmp_path):
    log = tmp_path / 'log.jsonl'
    stages = [('a', 100), ('a', 200), ('b', 100), ('c', 50)]
    log.write_text(''.join(json.dumps({'stage': s, 'images': n}) + '\n' for s, n in stages))
    assert [line['total'] for line in curves.read(log)] == [100, 200, 300, 350]
