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

"""What is in a journal comes back, and only to its own evaluation."""

from dataclasses import replace
import json

from episodes import call, episode, timeless
import numpy as np
import pytest

from vla_accel_ros.evaluation.journal import Journal, from_json, to_json

SETTINGS = {'episodes': 2, 'methods': {'none': {'tau': 0.5}}}


def made_up(seed):
    whole = episode('none', seed, True, [call(), None, call(keep=0.25, pruning='pruned')])
    records = list(whole.records)
    records[0] = replace(
        records[0], action=np.arange(7) / 3, source='vla', sent_ns=5, discarded='stale_answer'
    )
    return replace(
        whole,
        records=tuple(records),
        actions=np.random.default_rng(seed).normal(size=(3, 7)),
        jerk=np.array([1 / 3]),
    )


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'new' / 'run.episodes.jsonl'


def write(path, results, settings=SETTINGS, resume=False):
    journal = Journal(path, settings, resume)
    for result in results:
        journal.add(result)
    journal.close()
    return journal


def test_an_episode_comes_back_to_the_bit():
    result = made_up(3)
    again = from_json(json.loads(json.dumps(to_json(result))))
    assert timeless(again) == timeless(result)
    assert [c.model_ms for c in again.calls] == [c.model_ms for c in result.calls]
    assert (again.records[0].action == result.records[0].action).all()


def test_what_was_done_is_there_after_a_crash_in_the_middle_of_a_line(path):
    write(path, [made_up(1), made_up(2)])
    path.write_bytes(path.read_bytes()[:-20])
    again = write(path, [made_up(2)], resume=True)
    assert [r.seed for r in again.results] == [1]
    assert [r.seed for r in write(path, [], resume=True).results] == [1, 2]


def test_without_resume_it_begins_anew_and_keeps_what_was_there(path):
    write(path, [made_up(1)])
    before = path.read_bytes()
    write(path, [])
    assert path.with_name(path.name + '.old').read_bytes() == before
    assert write(path, [], resume=True).results == []


def test_a_first_line_that_a_crash_cut_off_holds_nothing(path):
    write(path, [])
    path.write_bytes(path.read_bytes()[:-5])
    assert write(path, [made_up(1)], resume=True).results == []


def test_there_may_be_nothing_to_resume(path):
    assert write(path, [made_up(1)], resume=True).results == []


def test_another_evaluation_is_refused_and_stays_whole(path):
    write(path, [made_up(1)])
    before = path.read_bytes()
    other = {'episodes': 3, 'methods': {'none': {'tau': 0.6}}}
    with pytest.raises(ValueError, match=r'episodes was 2, is 3; methods\.none\.tau was'):
        Journal(path, other, resume=True)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    'text',
    [
        '{}\n',
        '[1]\n',
        'x\n',
        '{"settings": {}}\n{"method": "none"}\n',
        '{"settings": {}}\n{"method": "none", "packed": "x"}\n',
    ],
)
def test_other_files_are_no_journals(path, text):
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(ValueError, match='is no journal'):
        Journal(path, SETTINGS, resume=True)


@pytest.mark.parametrize(
    'left', [b'{"method": "no', b'{"method": "no\n', bytes(9), bytes(9) + b'\n']
)
def test_whatever_a_crash_left_of_the_last_line_is_cut_off(path, left):
    write(path, [made_up(1)])
    whole = path.read_bytes()
    path.write_bytes(whole + left)
    journal = Journal(path, SETTINGS, resume=True)
    journal.close()
    assert [result.seed for result in journal.results] == [1]
    assert path.read_bytes() == whole


def test_a_damaged_line_is_named_and_stays(path):
    write(path, [made_up(1), made_up(2)])
    lines = path.read_bytes().splitlines(keepends=True)
    damaged = b''.join([lines[0], lines[1][:20] + b'\n', lines[2]])
    path.write_bytes(damaged)
    with pytest.raises(ValueError, match='no journal of an evaluation, line 2: leave --resume'):
        Journal(path, SETTINGS, resume=True)
    assert path.read_bytes() == damaged


@pytest.mark.parametrize('text', ['mine\n', 'mine', '{"settings_of": 1}\n'])
def test_a_file_that_no_evaluation_began_is_refused_and_stays(path, text):
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(ValueError, match='is no journal of an evaluation'):
        Journal(path, SETTINGS, resume=False)
    assert path.read_text() == text


def test_what_was_kept_once_is_not_overwritten_by_what_is_kept_next(path):
    for seed in (1, 2, 3):
        write(path, [made_up(seed)])
    assert sorted(file.name for file in path.parent.iterdir()) == [
        path.name,
        f'{path.name}.old',
        f'{path.name}.old.2',
    ]
