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

"""Bags in every form that recorders leave them, sound and broken."""

import re
import shutil
import sqlite3

import bags
from bags import heard, said
import pytest

from vla_accel_ros.replay.bag.raw import BagError
from vla_accel_ros.replay.bag.reader import Bag

LINES = bags.recording()
FORMS = [
    (storage, mode) for storage in ('mcap', 'sqlite3') for mode in ('none', 'file', 'message')
]


def alike(one, other):
    return sorted(one) == sorted(other)


@pytest.mark.parametrize('version', [8, 9])
@pytest.mark.parametrize(('storage', 'mode'), FORMS)
def test_every_form_holds_the_same_messages(tmp_path, storage, mode, version):
    bag = Bag(bags.write(tmp_path / 'bag', LINES, storage, mode, version))
    assert alike(heard(bag), said(LINES))
    assert {n: t.count for n, t in bag.topics.items()} == {
        '/vla/instruction': 1,
        '/image_raw': 8,
        '/wrist/image_raw': 8,
        '/vla/action': 8,
    }
    assert not bag.losses.reasons


@pytest.mark.parametrize(('storage', 'mode'), FORMS)
def test_what_humble_writes_is_read(tmp_path, storage, mode):
    if mode == 'file' and storage == 'sqlite3':
        # The older schema is inside the compressed file: change it before it is compressed.
        mode = 'none'
    bag = Bag(bags.as_humble(bags.write(tmp_path / 'bag', LINES, storage, mode)))
    assert alike(heard(bag), said(LINES))
    assert bag.topics['/image_raw'].kind == 'sensor_msgs/msg/Image'


@pytest.mark.parametrize(('storage', 'mode'), FORMS)
def test_a_bare_file_is_a_bag(tmp_path, storage, mode):
    file = bags.storage_file(bags.write(tmp_path / 'bag', LINES, storage, mode))
    bare = tmp_path / file.name
    shutil.move(file, bare)
    bag = Bag(bare)
    assert alike(heard(bag), said(LINES))
    assert not bag.losses.reasons


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_without_metadata_the_files_are_read_in_their_order(tmp_path, storage):
    parts = [
        bags.write(
            tmp_path / f'part{k}', bags.recording(2, start=bags.START + k * bags.NS), storage
        )
        for k in range(11)
    ]
    whole = bags.split(tmp_path / 'bag', parts)
    with_metadata = heard(Bag(whole))
    (whole / 'metadata.yaml').unlink()
    bag = Bag(whole)
    times = [log_ns for _, _, log_ns, _ in heard(bag)]
    assert times == sorted(times) and len(times) == len(with_metadata) == 11 * 7
    assert bag.losses.reasons == ['metadata.yaml: is missing, the files were searched for']


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_quality_of_service_that_differs_from_the_metadata_hides_nothing(tmp_path, storage):
    path = bags.write(tmp_path / 'bag', LINES, storage)
    facts = bags.metadata(path)
    for topic in facts['rosbag2_bagfile_information']['topics_with_message_count']:
        topic['topic_metadata']['offered_qos_profiles'] = (
            '- history: 1\n  depth: 5\n  reliability: 2\n  durability: 2\n'
            '  deadline: {sec: 0, nsec: 0}\n  lifespan: {sec: 0, nsec: 0}\n  liveliness: 1\n'
            '  liveliness_lease_duration: {sec: 0, nsec: 0}\n'
            '  avoid_ros_namespace_conventions: false\n'
        )
    bags.save_metadata(path, facts)
    assert alike(heard(Bag(path)), said(LINES))


def test_messages_that_the_metadata_promise_and_the_file_lacks_are_counted(tmp_path):
    path = bags.write(tmp_path / 'bag', LINES)
    facts = bags.metadata(path)
    for topic in facts['rosbag2_bagfile_information']['topics_with_message_count']:
        topic['message_count'] += 3
    bags.save_metadata(path, facts)
    bag = Bag(path)
    heard(bag)
    assert 'bag: 3 of 11 messages on /image_raw are lost' in bag.losses.reasons


def test_a_missing_part_of_a_split_bag_is_named(tmp_path):
    parts = [bags.write(tmp_path / f'part{k}', LINES) for k in range(2)]
    whole = bags.split(tmp_path / 'bag', parts)
    (whole / 'bag_1.mcap').unlink()
    bag = Bag(whole)
    assert len(heard(bag)) == len(LINES)
    assert 'bag_1.mcap: is missing, the metadata name it' in bag.losses.reasons
    assert 'bag: 8 of 16 messages on /image_raw are lost' in bag.losses.reasons


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
@pytest.mark.parametrize('bare', [False, True])
def test_of_a_file_that_was_cut_short_the_beginning_is_read(tmp_path, storage, bare):
    lines = bags.recording(80, size=128)
    path = bags.write(tmp_path / 'bag', lines, storage)
    file = bags.storage_file(path)
    size = file.stat().st_size
    with open(file, 'r+b') as stream:
        stream.truncate(size // 2)
    bag = Bag(file if bare else path)
    found = heard(bag)
    assert 20 < len(found) < len(lines)
    assert alike(found, said(lines)[: len(found)])
    cut = {'mcap': 'ends at|cannot be read from byte', 'sqlite3': r'\d+ of \d+ pages are missing'}
    assert re.search(cut[storage], ' '.join(bag.losses.reasons))
    if not bare:
        missing = 80 - sum(topic == '/image_raw' for topic, *_ in found)
        assert f'bag: {missing} of 80 messages on /image_raw are lost' in bag.losses.reasons


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_around_a_damaged_part_the_rest_is_read(tmp_path, storage):
    lines = bags.recording(80, size=128)
    path = bags.write(tmp_path / 'bag', lines, storage)
    file = bags.storage_file(path)
    with open(file, 'r+b') as stream:
        stream.seek(file.stat().st_size // 2)
        stream.write(b'\xff' * 40_000)
    bag = Bag(path)
    found = heard(bag)
    assert 100 < len(found) <= len(lines)
    intact = set(said(lines)) & set(found)
    assert len(intact) >= 0.6 * len(lines)
    # Behind the damage, too.
    assert max(log_ns for _, _, log_ns, _ in found) == bags.START + 79 * bags.STEP
    assert bag.losses.reasons or len(intact) < len(found)


def test_a_recording_that_was_killed_is_read_from_its_journal(tmp_path):
    source = bags.storage_file(bags.write(tmp_path / 'bag', LINES, 'sqlite3'))
    killed = tmp_path / 'killed.db3'
    base = sqlite3.connect(source)
    base.execute('PRAGMA journal_mode = WAL')
    base.execute(
        'INSERT INTO messages (topic_id, timestamp, data) SELECT topic_id, '
        'timestamp + 1, data FROM messages'
    )
    base.commit()
    shutil.copy(source, killed)
    shutil.copy(f'{source}-wal', f'{killed}-wal')
    base.close()
    bag = Bag(killed)
    assert len(heard(bag)) == 2 * len(LINES)
    assert 'journal' in bag.losses.reasons[0]


@pytest.mark.parametrize('name', ['bag.mcap', 'bag.db3'])
@pytest.mark.parametrize('content', [b'', b'no bag at all, but long enough to look for more' * 9])
def test_garbage_is_no_bag(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BagError, match='holds no messages'):
        Bag(tmp_path / name)


def test_what_is_no_bag_is_said_to_be_none(tmp_path):
    with pytest.raises(BagError, match='does not exist'):
        Bag(tmp_path / 'nowhere')
    with pytest.raises(BagError, match=r'holds no \.mcap or \.db3'):
        Bag(tmp_path)
    (tmp_path / 'notes.txt').write_text('bag')
    with pytest.raises(BagError, match=r'expected a folder, \.mcap or \.db3'):
        Bag(tmp_path / 'notes.txt')


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_a_bag_without_messages_is_never_a_good_one(tmp_path, storage):
    path = bags.write(tmp_path / 'bag', [], storage)
    with pytest.raises(BagError, match='holds no messages'):
        Bag(path)


def test_a_promise_of_messages_is_no_message(tmp_path):
    path = bags.write(tmp_path / 'bag', LINES)
    bags.storage_file(path).write_bytes(b'')
    with pytest.raises(BagError, match=r'holds no messages: .*mcap: is empty'):
        Bag(path)


def test_useless_metadata_are_passed_over(tmp_path):
    path = bags.write(tmp_path / 'bag', LINES)
    (path / 'metadata.yaml').write_text('rosbag2_bagfile_information: [')
    bag = Bag(path)
    assert alike(heard(bag), said(LINES))
    assert 'metadata.yaml: is no use' in bag.losses.reasons[0]


def test_the_fingerprint_tells_bags_apart(tmp_path):
    one = Bag(bags.write(tmp_path / 'one' / 'bag', LINES)).fingerprint()
    other = Bag(bags.write(tmp_path / 'two' / 'bag', bags.recording(9))).fingerprint()
    assert one != other
    assert one == Bag(tmp_path / 'one' / 'bag').fingerprint()
