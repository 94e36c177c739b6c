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
"""What a run may write into a folder, and that it removes nothing else."""

import json
import os
import subprocess
import sys

import pytest

from vla_accel_ros.files.locks import Lock, TakenError
from vla_accel_ros.files.output_folder import LIST, OutputFolder
from vla_accel_ros.files.outputs import (
    OutputError,
    beginning,
    check_apart,
    check_file,
    check_outside,
    json_with,
    needed,
)

NAMES = ('results.json', 'episodes', 'logs')


def folder(path, tool='replay', **others):
    return OutputFolder(path, tool, NAMES, **others)


@pytest.mark.parametrize('name', NAMES)
def test_what_others_made_is_refused_and_stays(tmp_path, name):
    (tmp_path / name).mkdir()
    (tmp_path / name / 'episode_000.hdf5').write_text('mine')
    with pytest.raises(OutputError, match=f'{name} is there, and vla-accel replay did not make'):
        folder(tmp_path).check()
    with pytest.raises(OutputError), folder(tmp_path):
        raise AssertionError
    assert (tmp_path / name / 'episode_000.hdf5').read_text() == 'mine'
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_a_link_that_leads_nowhere_is_something_too(tmp_path):
    (tmp_path / 'results.json').symlink_to('nowhere')
    with pytest.raises(OutputError, match='did not make it'):
        folder(tmp_path).check()


def make(files):
    files.folder('logs', kept=True)
    files.folder('episodes')
    files.note('episodes/000000.npz').write_bytes(b'1')
    files.write('results.json', '{}')


def test_clearing_removes_what_this_run_made_and_the_folders_that_it_made(tmp_path):
    with folder(tmp_path / 'new' / 'deep') as files:
        make(files)
        (files.path / 'logs').rmdir()
        files.clear()
    assert list(tmp_path.iterdir()) == []


def test_clearing_leaves_logs_and_what_others_put_within(tmp_path):
    with folder(tmp_path) as files:
        make(files)
        (tmp_path / 'episodes' / 'mine.hdf5').write_text('mine')
        (tmp_path / 'notes.txt').write_text('mine')
        files.clear()
    assert sorted(str(f.relative_to(tmp_path)) for f in tmp_path.rglob('*')) == [
        LIST,
        'episodes',
        'episodes/mine.hdf5',
        'logs',
        'notes.txt',
    ]


def test_a_later_run_may_go_on_and_removes_what_the_earlier_one_made(tmp_path):
    with folder(tmp_path) as files:
        make(files)
    (tmp_path / 'episodes' / 'mine.hdf5').write_text('mine')
    assert folder(tmp_path).check()
    with folder(tmp_path) as files:
        files.clear_earlier()
        assert not (tmp_path / 'results.json').exists()
    assert (tmp_path / 'episodes' / 'mine.hdf5').exists()


def test_what_was_removed_is_somebody_elses_when_it_comes_back(tmp_path):
    with folder(tmp_path) as files:
        files.write('results.json', '{}')
        files.remove('results.json')
    (tmp_path / 'results.json').write_text('mine')
    with pytest.raises(OutputError, match='did not make it'):
        folder(tmp_path).check()


def test_a_text_that_was_changed_is_neither_replaced_nor_removed(tmp_path):
    with folder(tmp_path) as files:
        files.write('results.json', '{}')
    with folder(tmp_path) as files:
        (tmp_path / 'results.json').write_text('edited')
        with pytest.raises(OutputError, match='was changed since'):
            files.write('results.json', '{"new": 1}')
        files.remove('results.json')
        files.clear_earlier()
    assert (tmp_path / 'results.json').read_text() == 'edited'


def test_a_folder_of_another_tool_and_a_broken_list_are_refused(tmp_path):
    with folder(tmp_path, 'tune') as files:
        files.write('results.json', '{}')
    with pytest.raises(OutputError, match='holds what vla-accel tune made'):
        folder(tmp_path).check()
    (tmp_path / LIST).write_text('what\n')
    with pytest.raises(OutputError, match='is no list of what a run made'):
        folder(tmp_path).check()


def test_a_line_of_the_list_that_a_crash_cut_off_does_not_count(tmp_path):
    with folder(tmp_path) as files:
        files.write('results.json', '{}')
    with (tmp_path / LIST).open('a') as file:
        file.write('["episodes", ')
    assert folder(tmp_path).check()


def test_a_folder_from_before_there_were_lists_is_known_by_what_it_says(tmp_path):
    (tmp_path / 'results.json').write_text(json.dumps({'schema': 1, 'bag': {}}))
    (tmp_path / 'episodes').mkdir()
    earlier = json_with('schema', 'bag')
    assert folder(tmp_path, before=lambda path: earlier(path / 'results.json')).check()
    (tmp_path / 'results.json').write_text(json.dumps({'schema': 1}))
    with pytest.raises(OutputError):
        folder(tmp_path, before=lambda path: earlier(path / 'results.json')).check()


def test_a_second_run_is_refused_and_told_who_the_first_is(tmp_path):
    with folder(tmp_path):
        code = (
            'import sys; from pathlib import Path; from vla_accel_ros.files.output_folder import '
            'OutputFolder\nOutputFolder(Path(sys.argv[1]), "replay", ()).check()'
        )
        done = subprocess.run(
            [sys.executable, '-c', code, str(tmp_path)],
            capture_output=True,
            text=True,
            check=False,
        )
    assert 'HeldError: another run, process' in done.stderr
    folder(tmp_path).check()
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_a_dead_run_left_behind_locks_nobody_out(tmp_path):
    (tmp_path / '.vla-accel-r.json.lock').write_text('1')
    with Lock.beside(tmp_path / 'r.json'):
        with pytest.raises(TakenError, match=r'writing to .*r\.json'):
            Lock.beside(tmp_path / 'r.json').take()
        (tmp_path / 'link').symlink_to('r.json')
        with pytest.raises(TakenError):
            Lock.beside(tmp_path / 'link').probe()
    assert [file.name for file in tmp_path.iterdir()] == ['link']


def refuse(path):
    check_file(path, '--out', json_with('methods'))


def test_files_are_refused_before_the_work(tmp_path):
    (tmp_path / 'other.json').write_text('{"mine": 1}')
    (tmp_path / 'ours.json').write_text('{"methods": []}')
    (tmp_path / 'empty.json').write_text('')
    for name, said in (
        ('other.json', 'did not make'),
        ('other.json/x.json', 'is no folder'),
        ('', 'is the folder'),
    ):
        with pytest.raises(OutputError, match=said):
            refuse(tmp_path / name)
    for name in ('ours.json', 'empty.json', 'new/deep/r.json'):
        refuse(tmp_path / name)
    assert not (tmp_path / 'new').exists()


def test_one_file_is_no_two_outputs_and_an_input_no_output(tmp_path):
    (tmp_path / 'link').symlink_to('a.json')
    with pytest.raises(OutputError, match='--out and --plot are the same file'):
        check_apart({'--out': tmp_path / 'a.json', '--plot': tmp_path / 'link'})
    check_apart({'--out': tmp_path / 'a.json', '--plot': tmp_path / 'b', '--report': None})
    for out in (tmp_path, tmp_path / 'deep' / 'out'):
        with pytest.raises(OutputError, match='within what is read'):
            check_outside(out, [tmp_path])
    check_outside(tmp_path.parent, [tmp_path])


def test_a_disk_without_room_is_said_before_the_work(tmp_path):
    needed(tmp_path / 'new', 1)
    with pytest.raises(OutputError, match=r'will take 1000000000 GB'):
        needed(tmp_path / 'new', 10**18)


def test_beginnings_tell_a_text(tmp_path):
    (tmp_path / 'b.md').write_text('# vla-accel bench, x\n')
    assert beginning('# vla-accel bench')(tmp_path / 'b.md')
    assert not beginning('bench')(tmp_path / 'b.md')
    assert beginning('bench', within=100)(tmp_path / 'b.md')


@pytest.mark.parametrize(
    'listed', ['../mine', '{tmp}/mine', 'episodes/../../mine', 'mine', '', '.']
)
def test_a_list_that_names_what_lies_elsewhere_is_refused(tmp_path, listed):
    (tmp_path / 'mine').write_text('mine')
    out = tmp_path / 'out'
    out.mkdir()
    name = listed.format(tmp=tmp_path)
    (out / LIST).write_text(f'{{"tool": "replay"}}\n{json.dumps([name, ""])}\n')
    with pytest.raises(OutputError, match='which vla-accel replay does not make there'):
        folder(out).check()
    assert (tmp_path / 'mine').read_text() == 'mine'


@pytest.mark.parametrize(
    'make_list', [lambda file: file.mkdir(), os.mkfifo, lambda file: file.symlink_to('nowhere')]
)
def test_a_list_that_is_no_file_is_refused(tmp_path, make_list):
    make_list(tmp_path / LIST)
    with pytest.raises(OutputError, match='is no list of what a run made'):
        folder(tmp_path).check()


def test_a_list_that_was_cut_off_twice_still_counts(tmp_path):
    for cut in ('["episodes/0000', '\0\0\0'):
        with folder(tmp_path) as files:
            files.folder('episodes')
            files.write('results.json', cut)
        with (tmp_path / LIST).open('a') as file:
            file.write(cut)
    with folder(tmp_path) as files:
        files.clear_earlier()
    assert [file.name for file in tmp_path.iterdir()] == []


def test_what_a_link_leads_to_is_not_cleared(tmp_path):
    out, mine = tmp_path / 'out', tmp_path / 'mine'
    with folder(out) as files:
        make(files)
    mine.mkdir()
    (mine / '000000.npz').write_text('mine')
    (out / 'episodes' / '000000.npz').unlink()
    (out / 'episodes').rmdir()
    (out / 'episodes').symlink_to(mine)
    with folder(out) as files, pytest.raises(OutputError, match='episodes is a link'):
        files.clear_earlier()
    assert (mine / '000000.npz').read_text() == 'mine'


@pytest.mark.parametrize(
    'put',
    [
        lambda lock, mine: lock.symlink_to(mine),
        lambda lock, mine: lock.hardlink_to(mine),
        lambda lock, _: os.mkfifo(lock),
        lambda lock, _: lock.mkdir(),
    ],
)
def test_what_is_no_lock_is_neither_emptied_nor_removed(tmp_path, put):
    mine = tmp_path / 'mine'
    mine.write_text('mine')
    put(tmp_path / '.vla-accel-r.json.lock', mine)
    with pytest.raises((TakenError, OSError), match=r'\.vla-accel-r\.json\.lock'):
        check_file(tmp_path / 'r.json', '--out', json_with())
    assert mine.read_text() == 'mine'


@pytest.mark.parametrize('name', ['字' * 85, 'é' * 120 + '.json', 'a' * 255])
def test_a_name_as_long_as_can_be_is_locked(tmp_path, name):
    with Lock.beside(tmp_path / name), pytest.raises(TakenError):
        check_file(tmp_path / name, '--out', json_with())


def test_the_lock_of_a_link_lies_where_the_link_leads(tmp_path):
    (tmp_path / 'link.json').symlink_to('new/r.json')
    with Lock.beside(tmp_path / 'link.json'):
        assert [file.name for file in (tmp_path / 'new').iterdir()] == ['.vla-accel-r.json.lock']
