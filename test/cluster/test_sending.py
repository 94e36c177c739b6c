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

"""Files for other machines arrive whole, once, and only where they are not."""

import pytest

from vla_accel_ros.cluster import sending
from vla_accel_ros.cluster.sending import Receiver, Sent, pieces, places


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.setenv(sending.VARIABLE, str(tmp_path / 'received'))
    monkeypatch.setattr(sending, 'PIECE', 4)
    return tmp_path


def folder_of(root):
    folder = root / 'model'
    (folder / 'part').mkdir(parents=True)
    (folder / '.cache').mkdir()
    for name, content in (
        ('config.json', b'{}'),
        ('part/weights', b'123456789'),
        ('empty', b''),
        ('.cache/of_others', b'x'),
    ):
        (folder / name).write_bytes(content)
    return folder


def hand_over(sent, path):
    receiver = Receiver(sent)
    for name, piece in pieces(path):
        receiver.write(name, piece)
    receiver.finish()


def test_a_folder_arrives_as_it_was_without_what_is_hidden(here):
    folder = folder_of(here)
    sent = Sent.of(folder)
    assert Receiver(sent).has() and places([sent]) == {str(folder): folder}
    folder.rename(here / 'moved')
    assert not Receiver(sent).has()
    with pytest.raises(FileNotFoundError, match='was sent, and is not in'):
        places([sent])
    hand_over(sent, here / 'moved')
    place = sent.here()
    assert place == sent.received() and place.name == 'model'
    assert sorted(str(f.relative_to(place)) for f in place.rglob('*') if f.is_file()) == [
        'config.json',
        'empty',
        'part/weights',
    ]
    assert (place / 'part/weights').read_bytes() == b'123456789'
    # A second sender finds it there; nothing is left of the way.
    hand_over(sent, here / 'moved')
    assert not list(sending.received_folder().glob('.coming-*'))


def test_a_file_arrives_too(here):
    bag = here / 'one.mcap'
    bag.write_bytes(b'abcdefgh')
    sent = Sent.of(bag)
    bag.rename(here / 'two.mcap')
    hand_over(sent, here / 'two.mcap')
    assert sent.here().name == 'one.mcap' and sent.here().read_bytes() == b'abcdefgh'


def test_what_changes_meanwhile_is_not_kept(here):
    folder = folder_of(here)
    sent = Sent.of(folder)
    (folder / 'config.json').write_bytes(b'{"other": 1}')
    with pytest.raises(ValueError, match='has changed while it was sent'):
        hand_over(sent, folder)
    assert sent.here() is None and not list(sending.received_folder().iterdir())
