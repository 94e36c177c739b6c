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

"""Storage files by other recorders, with and without what a reader may hope for."""

import random
import shutil
import sqlite3

import bags
from bags import heard, said
from mcap.writer import CompressionType, IndexType
import pytest

from vla_accel_ros.replay.bag import unpacking
from vla_accel_ros.replay.bag.raw import BagError
from vla_accel_ros.replay.bag.reader import Bag

LINES = bags.recording(12)
UNINDEXED = {'index_types': IndexType.NONE, 'use_statistics': False}
BARE = {'repeat_channels': False, 'repeat_schemas': False, 'use_summary_offsets': False}


def same(bag, lines=LINES):
    return sorted(heard(bag)) == sorted(said(lines))


@pytest.mark.parametrize(
    'options',
    [
        {},
        {'profile': ''},
        {'profile': 'px4'},
        {'index_types': IndexType.NONE},
        UNINDEXED,
        BARE,
        {'use_statistics': False},
        {'use_chunking': False},
        {'use_chunking': False, **UNINDEXED},
        {'use_chunking': False, **UNINDEXED, **BARE},
        {**UNINDEXED, **BARE, 'chunk_size': 4000},
        {'compression': CompressionType.LZ4},
        {'compression': CompressionType.NONE},
        {'chunk_size': 4000, 'enable_crcs': True},
    ],
    ids=str,
)
def test_an_mcap_file_is_sound_in_every_form(tmp_path, options):
    bag = Bag(bags.write_mcap(tmp_path / 'bag.mcap', LINES, **options))
    assert same(bag) and not bag.losses.reasons
    assert {n: t.count for n, t in bag.topics.items()}['/image_raw'] == 12


def test_channels_of_another_encoding_are_no_fault(tmp_path):
    def more(writer):
        schema = writer.register_schema('foxglove.Log', 'jsonschema', b'{}')
        writer.add_message(writer.register_channel('/log', 'json', schema), 1, b'{}', 1)
        writer.add_message(writer.register_channel('/image_raw', 'json', 0), 1, b'{}', 1)

    bag = Bag(bags.write_mcap(tmp_path / 'bag.mcap', LINES, more=more))
    assert same(bag, LINES) is False and len(heard(bag)) == len(LINES) + 2
    assert not bag.losses.reasons
    assert bag.topics['/log'].kind == 'foxglove.Log (json)'
    assert (bag.topics['/image_raw'].kind, bag.topics['/image_raw'].others) == (
        bags.IMAGE,
        {' (json)': 1},
    )


def test_ros_1_messages_are_called_so(tmp_path):
    file = bags.write_mcap(tmp_path / 'bag.mcap', LINES, profile='ros1', encoding='ros1')
    with pytest.raises(BagError, match='holds ROS 1 messages: convert it to ROS 2'):
        Bag(file)


@pytest.mark.parametrize('chunked', [False, True])
def test_messages_out_of_order_come_by_their_times_and_none_is_lost(tmp_path, chunked):
    lines = LINES.copy()
    random.Random(0).shuffle(lines)
    bag = Bag(bags.write_mcap(tmp_path / 'bag.mcap', lines, use_chunking=chunked, **UNINDEXED))
    times = [log_ns for _, _, log_ns, _ in heard(bag)]
    assert times == sorted(times) and len(times) == len(LINES)


def test_what_comes_behind_the_end_of_an_mcap_file_is_a_loss(tmp_path):
    file = bags.write_mcap(tmp_path / 'bag.mcap', LINES)
    size = file.stat().st_size
    file.write_bytes(file.read_bytes() * 2)
    bag = Bag(file)
    assert same(bag) and bag.losses.lost_bytes == size
    assert bag.losses.reasons == [f'bag.mcap: {size} bytes behind its end are not read']


def test_a_message_that_unpacks_to_more_than_a_message_can_be_is_a_loss(tmp_path, monkeypatch):
    monkeypatch.setattr(unpacking, 'LARGEST', 1 << 21)
    lines = [bags.string('/vla/instruction', bags.START, 'x' * (1 << 24)), *LINES]
    bag = Bag(bags.write(tmp_path / 'bag', lines, mode='message'))
    assert [len(raw.data) for raw in bag.first('/vla/instruction', 2)][-1] == 0
    assert 'it has more than 2097152 bytes' in bag.losses.reasons[0]


def test_a_chunk_that_unpacks_to_more_than_there_is_memory_is_a_loss(tmp_path, monkeypatch):
    monkeypatch.setattr(unpacking, 'LARGEST', 50_000)
    file = bags.write_mcap(tmp_path / 'bag.mcap', LINES, compression=CompressionType.ZSTD)
    bag = Bag(file)
    with pytest.raises(BagError, match=r'are corrupt \(it has more than 50000 bytes'):
        heard(bag)


def test_behind_garbage_reading_goes_on_with_the_next_chunk_of_the_index(tmp_path):
    file = bags.write_mcap(
        tmp_path / 'bag.mcap',
        bags.recording(40),
        chunk_size=20_000,
        compression=CompressionType.NONE,
    )
    data = bytearray(file.read_bytes())
    begin = data.index(b'\x06', 60_000)
    data[begin - 300 : begin + 300] = b'\xff' * 600
    file.write_bytes(data)
    bag = Bag(file)
    found = heard(bag)
    assert max(log_ns for _, _, log_ns, _ in found) == bags.START + 39 * bags.STEP
    assert 80 < len(found) < 121 and bag.losses.reasons


@pytest.mark.parametrize('seed', range(8))
def test_random_bytes_in_an_mcap_file_end_nothing(tmp_path, seed):
    file = bags.write_mcap(
        tmp_path / 'bag.mcap',
        LINES,
        chunk_size=4000,
        compression=CompressionType.NONE,
        enable_crcs=bool(seed % 2),
    )
    data, chance = bytearray(file.read_bytes()), random.Random(seed)
    for _ in range(20):
        data[chance.randrange(8, len(data))] = chance.randrange(256)
    file.write_bytes(data)
    try:
        bag = Bag(file)
        assert len(heard(bag)) == len(LINES) or bag.losses.reasons
    except BagError as error:
        assert 'holds no messages' in str(error)


@pytest.mark.parametrize('folder', ['a#b', 'a?b', 'a%20b', 'a b', 'ä'])
def test_a_database_is_found_below_any_folder(tmp_path, folder):
    file = bags.storage_file(bags.write(tmp_path / 'bag', LINES, 'sqlite3'))
    (tmp_path / folder).mkdir()
    bag = Bag(shutil.copy(file, tmp_path / folder / 'bag.db3'))
    assert same(bag) and not bag.losses.reasons


def test_a_database_is_left_as_it_is_and_needs_no_place_beside_it(tmp_path):
    file = bags.storage_file(bags.write(tmp_path / 'bag', LINES, 'sqlite3'))
    base = sqlite3.connect(file)
    base.execute('PRAGMA journal_mode = WAL')
    base.execute('UPDATE messages SET timestamp = timestamp + 1')
    base.commit()
    place = tmp_path / 'killed'
    place.mkdir()
    for end in ('', '-wal'):
        shutil.copy(f'{file}{end}', place / f'bag.db3{end}')
    base.close()
    before = {path.name: path.read_bytes() for path in place.iterdir()}
    found = heard(Bag(place / 'bag.db3'))
    assert min(log_ns for _, _, log_ns, _ in found) == LINES[0].stamp_ns + 1
    assert {path.name: path.read_bytes() for path in place.iterdir()} == before


def test_changes_that_were_not_finished_are_taken_back(tmp_path):
    file = bags.storage_file(bags.write(tmp_path / 'bag', LINES, 'sqlite3'))
    base = sqlite3.connect(file)
    base.execute('PRAGMA cache_size = 1')
    base.execute('BEGIN')
    base.execute('DELETE FROM messages WHERE id > 10')
    base.execute('UPDATE messages SET data = zeroblob(9000)')
    for end in ('', '-journal'):
        shutil.copy(f'{file}{end}', tmp_path / f'hot.db3{end}')
    base.rollback()
    base.close()
    bag = Bag(tmp_path / 'hot.db3')
    assert same(bag) and 'journal' in bag.losses.reasons[0]


def test_rows_that_an_index_hides_are_read_all_the_same(tmp_path):
    file = bags.storage_file(bags.write(tmp_path / 'bag', LINES, 'sqlite3'))
    base = sqlite3.connect(file)
    (root,) = base.execute(
        "SELECT rootpage FROM sqlite_schema WHERE name = 'timestamp_idx'"
    ).fetchone()
    (size,) = base.execute('PRAGMA page_size').fetchone()
    base.close()
    with open(file, 'r+b') as stream:
        # An index without entries.
        stream.seek((root - 1) * size)
        stream.write(b'\x0a' + bytes(2) + bytes(2) + size.to_bytes(2, 'big') + b'\0')
    base = sqlite3.connect(file)
    assert not base.execute('SELECT id FROM messages ORDER BY timestamp').fetchall()
    base.close()
    assert same(Bag(file))


def test_rows_without_a_time_or_a_topic_are_counted(tmp_path):
    file = bags.storage_file(bags.write(tmp_path / 'bag', LINES, 'sqlite3'))
    base = sqlite3.connect(file)
    base.execute("UPDATE messages SET timestamp = 'soon' WHERE id = 5")
    base.execute('UPDATE messages SET topic_id = 77 WHERE id = 6')
    base.execute("UPDATE topics SET name = CAST(x'2fe4' AS TEXT) WHERE name = '/vla/action'")
    base.commit()
    base.close()
    bag = Bag(file)
    assert len(heard(bag)) == len(LINES) - 2
    assert 'bag.db3: 1 messages are of a topic 77 that it does not list' in bag.losses.reasons
    assert any('1 of ' in line and 'are lost' in line for line in bag.losses.reasons)
    assert '/\\xe4' in bag.topics
