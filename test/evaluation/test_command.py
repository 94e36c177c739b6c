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
"""`vla-accel eval` on the command line."""

import json

from episodes import call, episode
import pytest

from vla_accel_ros.cli import main
from vla_accel_ros.evaluation import runner


def evaluate(folder, *words):
    return main(['eval', '--checkpoint', str(folder), '--workers', '1', *words])


@pytest.mark.parametrize(('words', 'said'), [
    (['--episodes', '0'], '0 episodes asked for'),
    (['--methods', 'none,magic'], "method 'magic' is unknown, expected some of: none, ridge"),
    (['--methods', ','], 'no method is given'),
    (['--methods', 'none,none'], "name 'none' twice"),
    (['--task', 'juggle'], "unknown instruction 'juggle'"),
    (['--seed', '17'], 'not all for reporting, expected seeds from 2000000'),
    (['--seed', '2999999', '--episodes', '2'], 'not all for reporting'),
    (['--workers', '0'], '0 workers'),
])
def test_what_makes_no_sense_is_refused_by_name(random_checkpoint, capsys, words, said):
    assert evaluate(random_checkpoint, *words) == 2
    assert said in capsys.readouterr().err


def test_a_checkpoint_that_is_not_there_is_named(tmp_path, capsys):
    assert evaluate(tmp_path / 'nothing') == 2
    assert 'nothing' in capsys.readouterr().err


def outcomes(*results, error=None):
    def run(jobs, *_):
        assert len(jobs) == 4
        yield from results
        if error is not None:
            raise error
    return run


def result(method, seed, success):
    return episode(method, seed, success, [call()] * 30)


WORDS = ['--episodes', '2', '--methods', 'none,sp_vla']


def test_json_is_one_object_with_the_methods(random_checkpoint, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(runner, 'run', outcomes(
        *(result(m, s, s == 1) for s in (1, 2) for m in ('none', 'sp_vla'))))
    file = tmp_path / 'new' / 'report.json'
    assert evaluate(random_checkpoint, *WORDS, '--json', '--out', str(file)) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads(file.read_text())
    assert [m['method'] for m in printed['methods']] == ['none', 'sp_vla']
    assert printed['methods'][0]['success'] == 0.5
    assert printed['seeds'] == 'reporting'
    assert printed['complete'] is True


def test_an_interrupted_evaluation_reports_what_was_done(random_checkpoint, capsys, monkeypatch):
    monkeypatch.setattr(runner, 'run', outcomes(
        result('none', 1, True), error=KeyboardInterrupt()))
    assert evaluate(random_checkpoint, *WORDS) == 130
    said = capsys.readouterr()
    assert '1/1 = 100%' in said.out
    assert '1 of 4 episodes were run' in said.err


def test_tuning_seeds_are_said_to_be_such(random_checkpoint, capsys, monkeypatch):
    monkeypatch.setattr(runner, 'run', outcomes(result('none', 1, True)))
    assert evaluate(random_checkpoint, *WORDS, '--seed', '1000000') == 0
    assert 'tuning seeds from 1000000' in capsys.readouterr().out
