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

import json
import os
from pathlib import Path
import shutil
import time

import pytest

from vla_accel_ros.engines import entries
from vla_accel_ros.engines.interface import EngineError
from vla_accel_ros.engines.manifest import FILE
from vla_accel_ros.engines.store import UNUSED_DAYS, Store, name_of
from vla_accel_ros.files.locks import Lock

KEY = {'kind': 'graph of span', 'weights': 'w', 'torch': '2.13.0', 'code': 'a'}
NEW = KEY | {'torch': '2.14.0', 'code': 'b'}


def writes(text='hello'):
    return lambda folder: (folder / 'graph.onnx').write_text(text)


def never(folder):
    raise AssertionError('built again')


def aged(path, days):
    """Have an entry be made and used so many days ago."""
    then = time.time() - days * 24 * 3600
    values = json.loads((path / FILE).read_text())
    (path / FILE).write_text(json.dumps(values | {'made_ns': int(then * 1e9)}))
    os.utime(path / FILE, (then, then))
    return path


@pytest.fixture
def lines():
    return []


@pytest.fixture
def store(tmp_path, lines):
    return Store(tmp_path, lines.append)


def test_what_is_chosen_goes_and_files_of_others_stay(store):
    keys = [KEY | {'weights': str(number)} for number in range(3)]
    for key in keys:
        store.get(key, writes())
    foreign = store.folder / 'notes.txt'
    foreign.write_text('not ours')
    assert store.clean(lambda key: key['weights'] == '1') == 1
    assert [entry.key for entry in store.entries()] == [keys[0], keys[2]]
    assert store.clean() == 2
    assert list(store.folder.iterdir()) == [foreign]


def test_what_was_used_lately_can_be_kept(store):
    keys = [KEY | {'weights': str(number)} for number in range(3)]
    for key, days in zip(keys, (40, 40, 3), strict=True):
        aged(store.get(key, writes()), days)
    assert store.find(keys[1])
    assert store.clean(unused_days=10) == 1
    assert {entry.key['weights'] for entry in store.entries()} == {'1', '2'}


def test_the_time_of_the_last_use_counts_whatever_the_clock_said_then(store):
    path = store.get(KEY, writes())
    os.utime(path / FILE, (1, 1))
    assert store.clean(unused_days=1) == 0
    ahead = time.time() + 10_000
    os.utime(path / FILE, (ahead, ahead))
    assert store.clean(unused_days=1) == 0 and store.clean() == 1


def test_what_another_version_made_goes_once_it_was_not_used_for_long(store, lines):
    kept = {
        'other weights': NEW | {'weights': 'v'},
        'other kind': NEW | {'kind': 'graph of pass'},
        'recent': KEY | {'code': 'c'},
        'used again': KEY | {'code': 'd'},
    }
    paths = {name: store.get(key, writes()) for name, key in kept.items()}
    old = store.get(KEY, writes())
    for name, path in paths.items():
        aged(path, UNUSED_DAYS - 1 if name == 'recent' else UNUSED_DAYS + 1)
    aged(old, UNUSED_DAYS + 1)
    assert store.find(kept['used again'])
    assert store.get(NEW, writes()).is_dir()
    assert not old.exists() and all(path.exists() for path in paths.values())
    assert lines[-1] == f'removed {old.name}, of another version, not used for long'
    assert not list(store.folder.glob('.*'))


def test_what_another_user_made_or_another_process_builds_stays(store, monkeypatch):
    old = aged(store.get(KEY, writes()), UNUSED_DAYS + 1)
    lock = Lock(store.folder / f'.{old.name}.lock', old).take()
    store.get(NEW, writes())
    assert old.exists() and store.clean(lambda key: key == KEY) == 0
    lock.release()
    monkeypatch.setattr(os, 'getuid', lambda: 1 + os.stat(old).st_uid)
    store.get(NEW | {'code': 'e'}, writes())
    assert old.exists()


@pytest.mark.parametrize('content', [None, '{', '{"format": 99}'])
def test_what_cannot_be_read_is_listed_and_removed_by_hand_alone(store, content):
    path = store.folder / name_of(KEY)
    path.mkdir()
    if content is not None:
        (path / FILE).write_text(content)
        os.utime(path / FILE, (1, 1))
    os.utime(path, (1, 1))
    store.get(NEW, writes())
    assert [entry.key['kind'] for entry in store.entries()] == [entries.UNREADABLE, NEW['kind']]
    assert store.clean(lambda key: key['kind'] == entries.UNREADABLE) == 1
    assert not path.exists()


def test_an_entry_that_goes_while_it_is_listed_is_no_error(store, monkeypatch):
    path = store.get(KEY, writes())

    def gone(self, pattern):
        raise FileNotFoundError(path)

    monkeypatch.setattr(Path, 'rglob', gone)
    assert [entry.size for entry in store.entries()] == [0]


def test_one_that_cannot_be_removed_is_named_and_the_others_go(store, monkeypatch):
    paths = [store.get(KEY | {'weights': str(number)}, writes()) for number in range(3)]
    remove = shutil.rmtree

    def refused(path, **how):
        if path == paths[0]:
            raise PermissionError(13, 'Permission denied')
        remove(path, **how)

    monkeypatch.setattr(shutil, 'rmtree', refused)
    with pytest.raises(EngineError, match=rf'{paths[0].name} cannot be removed: .*denied'):
        store.clean()
    assert [path.exists() for path in paths] == [True, False, False]
