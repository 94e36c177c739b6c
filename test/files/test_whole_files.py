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
"""Files are replaced whole; links, devices and what a process has open are not."""

import errno
import os
from pathlib import Path
import stat
import subprocess
import sys
import threading

import pytest

from vla_accel_ros.files.whole_files import (
    is_special,
    is_stdout,
    naming,
    plain,
    replace_whole,
    write_whole,
)


def test_a_link_stays_and_its_target_is_replaced(tmp_path):
    (tmp_path / 'real').mkdir()
    for target in ('real/there', 'real/not_yet', 'new/folder/not_yet'):
        link = tmp_path / target.replace('/', '_')
        link.symlink_to(target)
    (tmp_path / 'real' / 'there').write_text('old')
    for link in filter(Path.is_symlink, tmp_path.iterdir()):
        write_whole(link, 'new')
        assert link.is_symlink() and link.resolve().read_text() == 'new'


def test_mode_of_what_is_replaced_is_kept_and_a_new_one_follows_the_umask(tmp_path):
    (tmp_path / 'old').write_text('x')
    (tmp_path / 'old').chmod(0o640)
    before = os.umask(0o077)
    try:
        write_whole(tmp_path / 'old', 'y')
        write_whole(tmp_path / 'new', 'y')
    finally:
        os.umask(before)
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ('old', 'new')]
    assert modes == [0o640, 0o600]


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path):
    pipe, read = tmp_path / 'pipe', []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    write_whole(pipe, 'through\n')
    reader.join()
    assert read == ['through\n'] and stat.S_ISFIFO(pipe.stat().st_mode)
    assert [file.name for file in tmp_path.iterdir()] == ['pipe']


def test_a_device_stays_a_device():
    write_whole(Path('/dev/null'), 'gone')
    assert stat.S_ISCHR(os.stat('/dev/null').st_mode)
    assert not Path('/dev/null.episodes.jsonl').exists()


def test_what_leads_to_an_open_file_is_special(tmp_path):
    (tmp_path / 'link').symlink_to('/dev/stdout')
    for path in ('/dev/stdout', '/dev/stderr', '/dev/fd/2', '/proc/self/fd/1', tmp_path / 'link'):
        assert is_special(Path(path))
    assert is_stdout(tmp_path / 'link') and not is_stdout(Path('/dev/null'))
    for path in ('/dev/shm/results.json', tmp_path / 'results.json', tmp_path):
        assert not is_special(Path(path))


def test_standard_output_keeps_what_was_written_before(tmp_path):
    code = (
        'from pathlib import Path; from vla_accel_ros.files.whole_files import write_whole\n'
        "print('before'); write_whole(Path('/dev/stdout'), 'report\\n'); print('after')"
    )
    with (tmp_path / 'out').open('w') as out:
        subprocess.run([sys.executable, '-c', code], stdout=out, check=True)
    assert (tmp_path / 'out').read_text() == 'before\nreport\nafter\n'


def test_what_fails_midway_leaves_the_old_file_and_nothing_beside(tmp_path):
    file = tmp_path / 'file.bin'
    file.write_text('old')

    def full(path):
        path.write_text('half')
        raise OSError(errno.ENOSPC, 'No space left on device')

    with pytest.raises(OSError, match=r'No space left on device.*file\.bin'):
        replace_whole(file, full)
    assert [(f.name, f.read_text()) for f in tmp_path.iterdir()] == [('file.bin', 'old')]
    with pytest.raises(IsADirectoryError, match='is a folder'):
        write_whole(tmp_path, 'x')


def test_the_longest_name_can_be_replaced(tmp_path):
    file = tmp_path / ('n' * 250 + '.json')
    write_whole(file, 'x')
    assert file.read_text() == 'x'


def test_surrogates_of_a_path_are_escaped(tmp_path):
    write_whole(tmp_path / 'page.html', 'K\udce4fer ≥')
    assert (tmp_path / 'page.html').read_text(encoding='utf-8') == 'K\\udce4fer ≥'
    assert plain('K\udce4fer') == 'K\\udce4fer'


def test_an_error_that_names_a_path_is_left_as_it_is(tmp_path):
    with pytest.raises(FileNotFoundError, match='other'), naming(tmp_path / 'mine'):
        (tmp_path / 'mine' / 'other').read_text()
