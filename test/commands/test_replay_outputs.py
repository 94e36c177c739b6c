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
"""What `vla-accel replay` may write, and that it removes nothing of others."""

import bags
import pytest

from vla_accel_ros.report.recorder import Recorder


@pytest.fixture(scope='module')
def bag(tmp_path_factory):
    return bags.write(tmp_path_factory.mktemp('recorded') / 'bag', bags.recording(4))


def test_a_failure_removes_what_the_run_made_and_nothing_else(replay, tmp_path, capsys):
    lines = bags.recording(4)
    for line in lines:
        if line.kind == bags.IMAGE:
            line.message.encoding = '16UC1'
    bad, out = bags.write(tmp_path / 'bag', lines), tmp_path / 'out'
    (out / 'episodes').mkdir(parents=True)
    mine = out / 'episodes' / 'episode_000.hdf5'
    mine.write_text('mine')
    for words in ([], ['--overwrite']):
        assert replay(bad, *words) == 2
        assert 'episodes is there, and vla-accel replay did not make it' in capsys.readouterr().err
        assert mine.read_text() == 'mine'
    mine.rename(out / 'episode_000.hdf5')
    (out / 'episodes').rmdir()
    assert replay(bad) == 2
    assert [file.name for file in out.iterdir()] == ['episode_000.hdf5']


def test_overwriting_leaves_what_others_put_beside(replay, bag, tmp_path):
    assert replay(bag) == 0
    (tmp_path / 'out' / 'episodes' / 'mine.npz').write_text('mine')
    (tmp_path / 'out' / 'notes.txt').write_text('mine')
    assert replay(bag, '--overwrite') == 0
    assert (tmp_path / 'out' / 'episodes' / 'mine.npz').read_text() == 'mine'
    assert (tmp_path / 'out' / 'notes.txt').exists()


def test_the_bag_is_no_place_for_its_results(replay, bag, capsys):
    before = sorted(bag.iterdir())
    for out in (bag, bag / 'out'):
        assert replay(bag, out=out) == 2
        assert 'within what is read' in capsys.readouterr().err
    assert sorted(bag.iterdir()) == before


def test_a_full_disk_is_a_line_that_names_the_file(replay, bag, capsys, monkeypatch):
    def full(self, *_):
        # What a disk without room answers.
        self._base.execute('PRAGMA max_page_count = 1')
        for number in range(9999):
            self._base.execute('INSERT INTO about VALUES (?, 0)', (f'{number:0999}',))

    monkeypatch.setattr(Recorder, 'add_frame', full)
    assert replay(bag) == 2
    assert 'moments.sqlite cannot be written: database or disk is full' in capsys.readouterr().err
