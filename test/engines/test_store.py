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

"""What is kept on disk is whole, built once, and rebuilt with a reason."""

import ctypes
import json
import os
from pathlib import Path
import resource
import signal
import subprocess
import sys

import pytest

from vla_accel_ros.engines import store as stores
from vla_accel_ros.engines.entries import UNREADABLE
from vla_accel_ros.engines.interface import EngineError
from vla_accel_ros.engines.links import share
from vla_accel_ros.engines.manifest import FILE
from vla_accel_ros.engines.store import Store, default_folder, name_of
from vla_accel_ros.files.locks import Lock

KEY = {'kind': 'graph of span', 'torch': '2.13.0'}
# A process of its own that builds, and says when it has begun and what it got.
BUILDER = """
import sys
from pathlib import Path
from vla_accel_ros.engines.store import Store

folder = sys.argv[1]

def build(path):
    (path / 'half').write_bytes(b'x' * 1000)
    print('building', flush=True)
    sys.stdin.readline()
    (path / 'whole').write_bytes(b'y' * 1000)

print(Store(folder).get({'kind': 'graph of span', 'torch': '2.13.0'}, build), flush=True)
"""


def writes(text='hello', name='graph.onnx'):
    def build(folder):
        build.runs += 1
        (folder / name).write_text(text)

    build.runs = 0
    return build


def never(folder):
    raise AssertionError('built again')


def start(folder):
    return subprocess.Popen(
        [sys.executable, '-c', BUILDER, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def temporary(folder):
    return list(folder.glob('.building-*'))


@pytest.fixture
def lines():
    return []


@pytest.fixture
def store(tmp_path, lines):
    return Store(tmp_path / 'engines', lines.append)


def test_an_entry_is_built_once(store, lines):
    build = writes()
    path = store.get(KEY, build)
    assert (path / 'graph.onnx').read_text() == 'hello'
    assert store.get(KEY, build) == path == Store(store.folder).get(KEY, never)
    assert store.find(KEY) == path
    assert build.runs == 1
    assert lines[0] == 'building graph of span'
    assert not temporary(store.folder)
    assert not list(store.folder.glob('*.lock'))


def test_nothing_is_found_before_it_is_built(store):
    assert store.find(KEY) is None
    assert store.entries() == []
    assert not store.folder.exists()


def test_another_key_is_another_entry_and_says_in_what_it_differs(store, lines):
    first = store.get(KEY, writes())
    second = store.get({**KEY, 'torch': '2.14.0'}, writes('other'))
    assert first != second
    assert 'building graph of span: torch is 2.14.0, there is one of 2.13.0' in lines


@pytest.mark.parametrize(
    ('damage', 'reason'),
    [
        (lambda path: (path / 'graph.onnx').write_text('jello'), 'graph.onnx has changed'),
        (lambda path: (path / 'graph.onnx').write_text('hell'), 'has 4 bytes, expected 5'),
        (lambda path: (path / 'graph.onnx').unlink(), 'No such file'),
        (lambda path: (path / FILE).unlink(), f'{FILE} cannot be read'),
        (lambda path: (path / FILE).write_text('{"format": 1}'), f'{FILE} is damaged'),
        (lambda path: (path / FILE).write_text('[]'), f'{FILE} is damaged'),
        (lambda path: (path / FILE).write_bytes(b'\xff'), f'{FILE} is damaged'),
        (lambda path: (path / FILE).write_text('{"format": 9}'), 'format 9, expected 1'),
    ],
)
def test_a_damaged_entry_is_built_again_with_the_reason(damage, reason, store, lines):
    path = store.get(KEY, writes())
    damage(path)
    assert store.find(KEY) is None
    again = writes()
    assert store.get(KEY, again) == path
    assert again.runs == 1
    assert (path / 'graph.onnx').read_text() == 'hello'
    assert reason in lines[-2]


def test_what_others_put_in_its_place_is_replaced(store, lines):
    path = store.folder / name_of(KEY)
    foreign = store.get({**KEY, 'torch': '1.0'}, writes('foreign'))
    foreign.rename(path)
    assert (store.get(KEY, writes()) / 'graph.onnx').read_text() == 'hello'
    assert f'{FILE} is of another key' in lines[-2]
    for put in (path.write_text, lambda _: path.symlink_to(store.folder)):
        stores._remove(path)
        put('a file')
        assert (store.get(KEY, writes()) / 'graph.onnx').read_text() == 'hello'


def test_processes_that_ask_at_once_build_once(tmp_path):
    first = start(tmp_path)
    assert first.stdout.readline() == 'building\n'
    others = [start(tmp_path) for _ in range(2)]
    out, _ = first.communicate('\n')
    outs = [other.communicate('\n')[0] for other in others]
    assert outs == [out, out]
    assert (Path(out.strip()) / 'whole').exists()


def test_a_killed_build_leaves_nothing_that_is_used_and_is_cleaned_up(tmp_path, lines):
    victim, other = start(tmp_path), Store(tmp_path, lines.append)
    assert victim.stdout.readline() == 'building\n'
    assert len(temporary(tmp_path)) == 1
    # While it lives nobody takes its files away.
    other.get({**KEY, 'torch': '1.0'}, writes())
    other.clean(which=lambda key: False)
    assert len(temporary(tmp_path)) == 1
    victim.send_signal(signal.SIGKILL)
    victim.communicate()
    assert other.find(KEY) is None
    assert len(temporary(tmp_path)) == 1
    other.get({**KEY, 'torch': '2.0'}, writes())
    assert not temporary(tmp_path)
    assert (other.get(KEY, writes()) / 'graph.onnx').exists()
    assert [path.name for path in other.find(KEY).iterdir()].count('half') == 0


def test_a_failed_build_leaves_nothing_and_says_why(store):
    def fails(folder):
        (folder / 'half').write_text('half')
        raise RuntimeError('no such\noperator')

    with pytest.raises(EngineError, match='graph of span cannot be built: no such operator'):
        store.get(KEY, fails)
    assert not temporary(store.folder)
    assert store.entries() == []
    assert not list(store.folder.glob('.*'))
    reason = EngineError('nothing for this card')

    def refuses(folder):
        raise reason

    with pytest.raises(EngineError) as refused:
        store.get(KEY, refuses)
    assert refused.value is reason


def obey_permissions():
    """Be refused what a folder's mode forbids, whoever starts the process."""
    bound_drop, dac_override = 24, 1
    ctypes.CDLL(None).prctl(bound_drop, dac_override, 0, 0, 0)


def test_a_read_only_folder_gives_what_it_has_and_refuses_to_build(store):
    path = store.get(KEY, writes())
    code = (
        'from vla_accel_ros.engines.store import Store\n'
        'from vla_accel_ros.engines.interface import EngineError\n'
        f'key, store = {KEY!r}, Store({str(store.folder)!r})\n'
        'print(store.get(key, None))\n'
        'try:\n    store.get({**key, "torch": "3"}, None)\n'
        'except EngineError as error:\n    print(error)\n'
    )
    store.folder.chmod(0o555)
    try:
        done = subprocess.run(
            [sys.executable, '-c', code],
            capture_output=True,
            text=True,
            check=True,
            preexec_fn=obey_permissions,
        )
    finally:
        store.folder.chmod(0o755)
    found, refused = done.stdout.splitlines()
    assert found == str(path)
    assert refused == f'graph of span cannot be stored in {store.folder}: Permission denied'


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(EngineError, match=r'graph of span cannot be stored in .*file/engines'):
        Store(tmp_path / 'file' / 'engines').get(KEY, writes())


def test_a_full_disk_is_refused_and_nothing_is_left(store, tmp_path):
    # The system's limit on a file's size fails a write as a full disk does.
    def big(folder):
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
        try:
            (folder / 'weights').write_bytes(b'x' * 5000)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            signal.signal(signal.SIGXFSZ, ignored)

    with pytest.raises(EngineError, match=r'graph of span cannot be stored in .*File too large'):
        store.get(KEY, big)
    assert store.entries() == []
    assert not temporary(store.folder)


def test_entries_are_listed_with_their_sizes_and_last_use(store):
    first = store.get(KEY, writes('x' * 100_000, 'weights'))

    def second(folder):
        share(first / 'weights', folder)
        (folder / 'graph.onnx').write_text('y' * 500)

    store.get({**KEY, 'kind': 'graph of pass'}, second)
    os.utime(first / FILE, (1, 1))
    one, two = store.entries()
    assert (one.path, one.key) == (first, KEY)
    # A file that both have takes its room once.
    assert one.size > 100_000 > 2000 > two.size > 500
    # What was made later was used later.
    assert one.used_ns == one.made_ns
    store.get(KEY, never)
    assert store.entries()[0].used_ns > one.made_ns


def test_the_default_folder_is_the_users_cache(monkeypatch):
    monkeypatch.delenv('VLA_ACCEL_ENGINES', raising=False)
    monkeypatch.setenv('XDG_CACHE_HOME', '/caches')
    assert default_folder() == Path('/caches/vla_accel_ros/engines')
    monkeypatch.setenv('XDG_CACHE_HOME', '')
    monkeypatch.setenv('HOME', '/someone')
    assert default_folder() == Path('/someone/.cache/vla_accel_ros/engines')
    monkeypatch.setenv('VLA_ACCEL_ENGINES', '~/elsewhere')
    assert Store().folder == default_folder() == Path('/someone/elsewhere')


@pytest.mark.parametrize(('name', 'value'), [('made_ns', 'x'), ('seconds', None)])
def test_a_manifest_with_a_value_of_another_type_is_damaged(store, name, value):
    path = store.get(KEY, writes())
    values = json.loads((path / FILE).read_text())
    (path / FILE).write_text(json.dumps(values | {name: value}))
    assert [entry.key for entry in store.entries()] == [{'kind': UNREADABLE}]
    build = writes()
    store.get(KEY, build)
    assert build.runs == 1 and [entry.key for entry in store.entries()] == [KEY]


def test_who_is_waited_for_is_told_and_not_for_ever(store, monkeypatch):
    name, told = name_of(KEY), []
    lock = Lock(store.folder / f'.{name}.lock', store.folder / name).take()

    def waiting(who):
        told.append(who)
        lock.release()

    store.get(KEY, writes(), waiting)
    assert told == [f'process {os.getpid()}']
    monkeypatch.setattr(stores, 'PATIENCE_S', 0.0)
    other = {**KEY, 'kind': 'graph of pass'}
    name = name_of(other)
    lock = Lock(store.folder / f'.{name}.lock', store.folder / name).take()
    with pytest.raises(EngineError, match=r'for 0 s in vain; process \d+ writes to it'):
        store.get(other, never)
    lock.release()
