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

"""The files of a bag count, not what its metadata and their names say."""

import os
from pathlib import Path
import shutil

import bags
from bags import heard, said
import pytest
import zstandard

from vla_accel_ros.replay.bag.raw import BagError
from vla_accel_ros.replay.bag.reader import Bag

LINES = bags.recording(6)
LATER = bags.recording(4, start=bags.START + bags.NS, first=50)


@pytest.fixture
def bag(tmp_path):
    return bags.write(tmp_path / 'bag', LINES)


def change(path, **info):
    facts = bags.metadata(path)
    facts['rosbag2_bagfile_information'].update(info)
    bags.save_metadata(path, facts)
    return path


def same(bag, lines):
    return sorted(heard(bag)) == sorted(said(lines))


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_a_file_that_the_metadata_do_not_name_is_read_and_said(bag, tmp_path, storage):
    other = bags.storage_file(bags.write(tmp_path / 'other', LATER, storage))
    shutil.copy(other, bag / f'bag_1{other.suffix}')
    found = Bag(bag)
    assert same(found, LINES + LATER)
    assert found.topics['/image_raw'].count == 10
    assert found.losses.reasons == [
        f'bag_1{other.suffix}: is not named by the metadata, it is read all the same'
    ]


def test_what_lies_in_a_file_that_the_metadata_forgot_to_name_is_not_lost(tmp_path):
    parts = [bags.write(tmp_path / f'part{k}', lines) for k, lines in enumerate((LINES, LATER))]
    bag = bags.split(tmp_path / 'bag', parts)
    facts = bags.metadata(bag)
    facts['rosbag2_bagfile_information']['relative_file_paths'].pop()
    bags.save_metadata(bag, facts)
    found = Bag(bag)
    assert same(found, LINES + LATER)
    assert found.losses.reasons == [
        'bag_1.mcap: is not named by the metadata, it is read all the same'
    ]


def test_a_pipe_in_place_of_the_metadata_is_not_waited_for(bag):
    (bag / 'metadata.yaml').unlink()
    os.mkfifo(bag / 'metadata.yaml')
    found = Bag(bag)
    assert same(found, LINES)
    assert found.losses.reasons == ['metadata.yaml: is no use (it is no file)']


def test_counts_of_nothing_are_not_believed(bag):
    facts = bags.metadata(bag)
    for topic in facts['rosbag2_bagfile_information']['topics_with_message_count']:
        topic['message_count'] = 0
    bags.save_metadata(bag, facts)
    found = Bag(bag)
    assert same(found, LINES) and found.topics['/vla/action'].count == 6
    assert 'metadata.yaml: says 0 messages on /image_raw, the files hold 6' in found.losses.reasons


def test_a_type_that_the_files_do_not_hold_is_not_believed(bag):
    facts = bags.metadata(bag)
    for topic in facts['rosbag2_bagfile_information']['topics_with_message_count']:
        topic['topic_metadata']['type'] = bags.POSE
    bags.save_metadata(bag, facts)
    found = Bag(bag)
    assert found.topics['/image_raw'].kind == bags.IMAGE
    assert (
        f'metadata.yaml: says that /image_raw is of type {bags.POSE}, the files hold {bags.IMAGE}'
    ) in found.losses.reasons


@pytest.mark.parametrize(
    ('info', 'said_of_it'),
    [
        ({'topics_with_message_count': []}, 'does not name /image_raw, /vla/action'),
        ({'topics_with_message_count': None}, 'says nothing of topics'),
        (
            {'topics_with_message_count': [{'message_count': 'many'}, 7]},
            'does not name /image_raw',
        ),
        (
            {'relative_file_paths': ['other_0.mcap', None]},
            'names none of the files that are here, but other_0.mcap',
        ),
        ({'relative_file_paths': 'bag.mcap'}, 'names none of the files'),
        ({'relative_file_paths': None}, 'is no use (TypeError'),
    ],
)
def test_metadata_of_another_form_or_bag_are_passed_over(bag, info, said_of_it):
    found = Bag(change(bag, **info))
    assert same(found, LINES)
    assert said_of_it in '; '.join(found.losses.reasons)


@pytest.mark.parametrize('text', ['', '[', 'a: 1', 'a: ' + '[' * 3000, '\0'])
def test_metadata_that_are_none_are_passed_over(bag, text):
    (bag / 'metadata.yaml').write_text(text)
    found = Bag(bag)
    assert same(found, LINES)
    assert found.losses.reasons[0].startswith('metadata.yaml: is no use')


@pytest.mark.parametrize(
    'name', ['C:\\data\\bag\\bag.mcap', '/data/bag/bag.mcap', 'bag/bag.mcap', 'bag.mcap.zstd']
)
def test_the_file_is_found_however_its_path_is_written(bag, name):
    found = Bag(change(bag, relative_file_paths=[name, name]))
    assert same(found, LINES) and not found.losses.reasons


def test_a_file_may_have_been_compressed_since_and_be_called_anything(bag):
    file = bags.storage_file(bag)
    packed = zstandard.compress(file.read_bytes())
    file.unlink()
    (bag / 'bag.mcap.zstd').write_bytes(packed)
    found = Bag(bag)
    assert same(found, LINES) and not found.losses.reasons
    (bag / 'bag.mcap.zstd').rename(bag / 'bag.mcap')
    assert same(Bag(bag), LINES)


def test_a_database_under_the_name_of_an_mcap_is_read(tmp_path):
    file = bags.storage_file(bags.write(tmp_path / 'bag', LINES, 'sqlite3'))
    shutil.move(file, tmp_path / 'bag.mcap')
    assert same(Bag(tmp_path / 'bag.mcap'), LINES)


def test_files_out_of_order_or_interleaved_are_one_stream(tmp_path):
    even = bags.write(tmp_path / 'even', LINES[1::2])
    odd = bags.write(tmp_path / 'odd', LINES[::2], 'sqlite3')
    later = bags.write(tmp_path / 'later', LATER)
    whole = tmp_path / 'whole'
    whole.mkdir()
    for number, part in enumerate((later, odd, even)):
        file = bags.storage_file(part)
        shutil.copy(file, whole / f'whole_{number}{file.suffix}')
    times = [log_ns for _, _, log_ns, _ in heard(Bag(whole))]
    assert times == sorted(times) and len(times) == len(LINES) + len(LATER)


def test_what_is_in_two_files_is_taken_once(bag):
    shutil.copy(bags.storage_file(bag), bag / 'copy of bag.mcap')
    found = Bag(bag)
    assert same(found, LINES)
    assert (
        f'bag: {len(LINES)} messages are in two of its files, they are taken once'
        in found.losses.reasons
    )
    assert not [line for line in found.losses.reasons if 'are lost' in line]


POINTER = b'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n'


@pytest.mark.parametrize(
    ('name', 'content', 'message'),
    [
        ('bag.mcap', POINTER, 'is a git-lfs pointer, not the file itself: run git lfs pull'),
        ('bag.db3', POINTER, 'run git lfs pull'),
        ('bag.bag', b'#ROSBAG V2.0\n', 'is a ROS 1 bag: convert it to ROS 2'),
        ('bag.db3', b'#ROSBAG V2.0\n', 'is a ROS 1 bag: convert it to ROS 2'),
        ('bag.mcap', b'PK\x03\x04', 'is a zip archive: unpack it'),
    ],
)
@pytest.mark.parametrize('folder', [False, True])
def test_what_is_no_rosbag2_is_called_what_it_is(tmp_path, name, content, message, folder):
    place = tmp_path / 'bag'
    place.mkdir()
    (place / name).write_bytes(content)
    with pytest.raises(BagError, match=message):
        Bag(place if folder else place / name)


def test_a_pointer_beside_a_good_file_is_a_loss(bag):
    (bag / 'bag_1.mcap').write_bytes(POINTER)
    found = Bag(bag)
    assert same(found, LINES)
    assert len(found.losses.reasons) == 1 and 'git lfs pull' in found.losses.reasons[0]


def test_a_folder_of_bags_says_which_to_give(bag):
    with pytest.raises(BagError, match=f'but bags in folders: give one, as {bag}'):
        Bag(bag.parent)


def test_names_that_are_no_utf_8_are_read_and_can_be_printed(bag, tmp_path):
    place = Path(os.fsdecode(os.fsencode(tmp_path) + b'/K\xe4fer'))
    shutil.move(bag, place)
    bags.storage_file(place).rename(os.fsdecode(os.fsencode(place) + b'/b\xe4g.mcap'))
    found = Bag(place)
    assert same(found, LINES) and found.fingerprint()
    '; '.join(found.losses.reasons).encode()
    for file in place.iterdir():
        file.unlink()
    with pytest.raises(BagError, match=r'K\\udce4fer holds no .mcap'):
        Bag(place)


def test_a_compressed_file_is_unpacked_once_for_all_looks_into_it(tmp_path, monkeypatch):
    bag = Bag(bags.write(tmp_path / 'bag', LINES, 'sqlite3', 'file'))
    unpacked = []
    reader = zstandard.ZstdDecompressor
    monkeypatch.setattr(zstandard, 'ZstdDecompressor', lambda: unpacked.append(1) or reader())
    for topic in bag.topics:
        assert len(list(bag.first(topic, 3))) == min(3, bag.topics[topic].count)
    assert len(unpacked) == 1
    assert same(bag, LINES) and same(bag, LINES)
