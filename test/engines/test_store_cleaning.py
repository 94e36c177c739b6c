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

"""What is removed from a store, by whom and when."""

import os
import time

from vla_accel_ros.engines.manifest import FILE
from vla_accel_ros.engines.store import UNUSED_DAYS, Store

KEY = {'kind': 'graph of span', 'torch': '2.13.0'}


def writes(text='hello'):
    return lambda folder: (folder / 'graph.onnx').write_text(text)


def never(folder):
    raise AssertionError('built again')


def test_cleaning_removes_what_was_not_used_for_longest(tmp_path):
    store = Store(tmp_path)
    keys = [{**KEY, 'torch': str(number)} for number in range(3)]
    for number, key in enumerate(keys):
        path = store.get(key, writes('x' * 10_000))
        os.utime(path / FILE, (10 - number, 10 - number))
    foreign = store.folder / 'notes.txt'
    foreign.write_text('not ours')
    assert store.clean(which=lambda key: key['torch'] == '1') == 1
    assert [entry.key for entry in store.entries()] == [keys[0], keys[2]]
    assert store.clean(most_bytes=15_000) == 1
    assert [entry.key for entry in store.entries()] == [keys[0]]
    assert store.clean() == 1
    assert [path.name for path in store.folder.iterdir()] == ['notes.txt']


def test_what_nobody_used_for_long_goes_when_something_is_built(tmp_path):
    store, lines = Store(tmp_path), []
    kinds = 'old', 'recent', 'used again', 'damaged'
    keys = [{**KEY, 'kind': kind} for kind in kinds]
    paths = [store.get(key, writes()) for key in keys]
    long_ago = time.time() - (UNUSED_DAYS + 1) * 24 * 3600
    for path in (paths[0], paths[2]):
        os.utime(path / FILE, (long_ago, long_ago))
    (paths[3] / FILE).write_text('{')
    os.utime(paths[3], (long_ago, long_ago))
    store.get(keys[2], never)
    # Nothing goes where nothing is built.
    assert all(path.exists() for path in paths)
    Store(store.folder, lines.append).get(KEY, writes())
    assert {entry.key['kind'] for entry in store.entries()} == {
        'recent',
        'used again',
        KEY['kind'],
    }
    assert 'removed 2 entries, not used for 30 days' in lines
