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

import json

import pytest

from vla_accel_ros.files.locks import TakenError
from vla_accel_ros.files.outputs import OutputError
from vla_accel_ros.tuning.store import SEARCH, TRIALS, TRIALS_LOCK, Folder, files_of, mend


def folder(path, identity):
    return Folder(files_of(path), identity)


def test_a_folder_goes_on_with_its_own_search(tmp_path):
    folder(tmp_path, {'cost': 'time', 'seeds': (1, 2)}).baseline = {'cost': 3.0}
    assert folder(tmp_path, {'cost': 'time', 'seeds': (1, 2)}).baseline == {'cost': 3.0}


def test_another_search_is_refused_and_named(tmp_path):
    folder(tmp_path, {'cost': 'time'})
    with pytest.raises(ValueError, match='another search: its cost is "time", here it is "calls"'):
        folder(tmp_path, {'cost': 'calls'})


@pytest.mark.parametrize('name', [TRIALS, 'arm.yaml', 'preset.yaml', 'results.json', 'presets'])
def test_what_no_search_has_made_is_refused_before_the_search(tmp_path, name):
    (tmp_path / name).write_text('mine: 1')
    with pytest.raises(OutputError, match=f'{name} is there, and vla-accel tune did not make it'):
        files_of(tmp_path).check()
    assert (tmp_path / name).read_text() == 'mine: 1'


def test_a_broken_description_is_refused(tmp_path):
    (tmp_path / SEARCH).write_text('{"identity"')
    with pytest.raises(ValueError, match='no description of a search'):
        folder(tmp_path, {})


def test_one_command_at_a_time_works_in_a_folder(tmp_path):
    with files_of(tmp_path):
        with pytest.raises(TakenError, match=r'another run, process \d+, is writing to'):
            files_of(tmp_path).check()
    files_of(tmp_path).check()


def test_a_lock_and_half_a_line_that_were_left_behind_stop_nothing(tmp_path, monkeypatch):
    import optuna

    monkeypatch.chdir(tmp_path)
    for trials in (1, 2):
        with files_of(tmp_path / '../' / tmp_path.name) as files:
            study = optuna.create_study(
                storage=Folder(files, {}).storage(), study_name='s', load_if_exists=True
            )
            study.ask()
            assert len(study.get_trials()) == trials
        # What a kill in the middle of a line leaves; the link leads nowhere from where it lies.
        (tmp_path / TRIALS_LOCK).symlink_to(f'{tmp_path.name}/{TRIALS}')
        with (tmp_path / TRIALS).open('a') as file:
            file.write('{"op_code": 4, "wor')


def test_a_line_in_the_middle_that_is_none_is_named(tmp_path):
    file = tmp_path / TRIALS
    file.write_text('{"op_code": 0}\nwhat is this\n{"op_code": 4}\n')
    with pytest.raises(ValueError, match=r'trials\.log line 2 is no line of a journal'):
        mend(file)
    assert len(file.read_text().splitlines()) == 3


def test_a_parameter_file_that_was_edited_since_is_not_overwritten(tmp_path):
    files_of(tmp_path).write('arm.yaml', 'tuned: 1\n')
    files_of(tmp_path).check()
    (tmp_path / 'arm.yaml').write_text('tuned: 1\nlimits: mine\n')
    with pytest.raises(OutputError, match=r'arm\.yaml was changed since'):
        files_of(tmp_path).check()
    assert json.loads((tmp_path / '.vla-accel').read_text().splitlines()[0]) == {'tool': 'tune'}
