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

import pytest

from vla_accel_ros.evaluation.tuning.store import SEARCH, TRIALS, Folder, alone


def test_a_folder_goes_on_with_its_own_search(tmp_path):
    Folder(tmp_path, {'cost': 'time', 'seeds': (1, 2)}).baseline = {'cost': 3.0}
    assert Folder(tmp_path, {'cost': 'time', 'seeds': (1, 2)}).baseline == {'cost': 3.0}


def test_another_search_is_refused_and_named(tmp_path):
    Folder(tmp_path, {'cost': 'time'})
    with pytest.raises(ValueError, match='another search: its cost is "time", here it is "calls"'):
        Folder(tmp_path, {'cost': 'calls'})


def test_trials_without_their_search_are_refused(tmp_path):
    (tmp_path / TRIALS).write_text('')
    with pytest.raises(ValueError, match='trials without'):
        Folder(tmp_path, {})


def test_a_broken_description_is_refused(tmp_path):
    (tmp_path / SEARCH).write_text('{"identity"')
    with pytest.raises(ValueError, match='no description of a search'):
        Folder(tmp_path, {})


def test_one_command_at_a_time_works_in_a_folder(tmp_path):
    with alone(tmp_path):
        with pytest.raises(ValueError, match='another vla-accel tune works in'):
            with alone(tmp_path):
                raise AssertionError
    with alone(tmp_path):
        pass
