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

"""A store that tells of what is built in it, or in which nothing may be built."""

import pytest

from vla_accel_ros.engines.interface import EngineError
from vla_accel_ros.engines.links import share
from vla_accel_ros.engines.store import Store
from vla_accel_ros.engines.watched_store import WatchedStore

KEY = {'kind': 'graph of span', 'first': '0', 'last': '4'}


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / 'engines')


def write(folder):
    (folder / 'graph').write_bytes(b'12345')


def test_a_build_is_told_before_and_after_and_once(store):
    told = []
    watched = WatchedStore(store, told.append)
    paths = {watched.get(KEY, write) for _ in range(2)}
    assert [str(built).split(' in ')[0] for built in told] == [
        'building graph of span 0 to 4',
        'built graph of span 0 to 4',
    ]
    assert len(paths) == 1 and watched.folder == store.folder
    assert told[0].seconds is None and told[1].bytes > 5


def test_what_is_built_again_says_why(store):
    told = []
    watched = WatchedStore(store, told.append)
    (watched.get(KEY, write) / 'graph').write_bytes(b'1')
    with pytest.raises(EngineError, match=r'is not built \(graph has 1 bytes, expected 5\): `vla'):
        WatchedStore(store, may_build=lambda: False).get(KEY, write)
    watched.get(KEY, write)
    assert str(told[2]) == 'building graph of span 0 to 4: graph has 1 bytes, expected 5'
    assert told[3].why == 'graph has 1 bytes, expected 5'
    # Another span is no stale one.
    watched.get({**KEY, 'first': '2'}, write)
    assert str(told[4]) == 'building graph of span 2 to 4'
    made = {**KEY, 'torch': '2.13.0', 'weights': 'mine'}
    watched.get(made, write)
    watched.get({**made, 'torch': '2.14.0'}, write)
    assert told[-1].why == 'torch is 2.14.0, there is one of 2.13.0'


def test_files_that_others_have_too_do_not_count(store):
    told = []
    watched = WatchedStore(store, told.append)
    first = watched.get(KEY, lambda folder: (folder / 'weights').write_bytes(bytes(100_000)))
    watched.get({'kind': 'other'}, lambda folder: share(first / 'weights', folder))
    assert told[1].bytes >= 100_000 > told[3].bytes


def test_nothing_is_built_where_nothing_may_be(store):
    def never(folder):
        raise AssertionError

    allowed = []
    watched = WatchedStore(store, may_build=lambda: bool(allowed))
    with pytest.raises(EngineError, match='graph of span 0 to 4 is not built: `vla-accel engine'):
        watched.get(KEY, never)
    assert not store.folder.exists()
    there = store.get(KEY, write)
    assert watched.get(KEY, never) == there
    allowed.append(True)
    assert (watched.get({'kind': 'graph of pass'}, write) / 'graph').exists()


def test_what_cannot_be_built_is_not_told_as_built(store):
    def broken(folder):
        raise EngineError('no')

    told = []
    with pytest.raises(EngineError, match='no'):
        WatchedStore(store, told.append).get(KEY, broken)
    assert len(told) == 1
