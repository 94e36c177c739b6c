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
import os
import signal

from episodes import call, episode
import pytest
from random_checkpoints import write_random

from vla_accel_ros.cli import main
from vla_accel_ros.evaluation import runner
from vla_accel_ros.sim.tasks import all_instructions

WORDS = ['--task', 'lift', '--max-steps', '6']


def evaluate(folder, *words):
    return main(['eval', '--checkpoint', str(folder), '--workers', '1', *WORDS, *words])


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        (['--episodes', '0'], '0 episodes asked for'),
        (['--methods', 'none,magic'], "method 'magic' is unknown, expected some of: none, ridge"),
        (['--methods', ','], 'no method is given'),
        (['--methods', 'none,none'], "name 'none' twice"),
        (['--methods', 'fastv@layer=40'], "method 'fastv@layer=40': layer is 40"),
        (['--task', 'juggle'], "unknown instruction 'juggle'"),
        (['--env', 'kitchen'], 'kitchen'),
        (['--seed', '-1'], 'seed -1, expected 0 or more'),
        (['--seed', 'lucky'], "--seed is 'lucky', expected a number or one of: training"),
        (['--seed', '2999999', '--episodes', '2'], 'not all for reporting'),
        (['--workers', '0'], '0 workers'),
        (['--max-steps', '0'], '--max-steps is 0'),
        (['--image-size', '0'], '--image-size is 0'),
        (['--image-size', '1'], 'expected'),
        (['--latency-ms', '20'], 'is for --clock real'),
        (['--clock', 'real', '--latency-ms', 'soon'], "--latency-ms is 'soon'"),
        (['--resume'], 'expected both'),
        (['--unnorm-key', 'elsewhere'], 'elsewhere'),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(random_checkpoint, capsys, tmp_path, words, said):
    out = tmp_path / 'new' / 'report.json'
    assert (
        evaluate(random_checkpoint, *words, *([] if '--resume' in words else ['--out', str(out)]))
        == 2
    )
    error = capsys.readouterr().err
    assert said in error
    assert [
        line for line in error.splitlines() if not line.startswith(('starting ', 'engine: '))
    ] == [error.splitlines()[-1]]
    assert not out.parent.exists()


def test_a_folder_is_no_report(random_checkpoint, tmp_path, capsys):
    assert evaluate(random_checkpoint, '--out', str(tmp_path)) == 2
    assert 'expected a file' in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_that_is_not_there_is_named(tmp_path, capsys):
    assert evaluate(tmp_path / 'nothing') == 2
    assert 'nothing' in capsys.readouterr().err


def test_a_checkpoint_that_does_not_know_the_words_is_refused(tmp_path, capsys):
    assert evaluate(write_random(tmp_path, ['pick up the red cube'])) == 2
    assert "does not know the words ['blue']" in capsys.readouterr().err


def test_a_checkpoint_with_more_cameras_than_there_are_is_refused(tmp_path, capsys):
    assert evaluate(write_random(tmp_path, all_instructions('lift'), cameras=3)) == 2
    assert 'wants 3 cameras, tabletop has 2: agent, wrist' in capsys.readouterr().err


def outcomes(*results, error=None):
    def run(jobs, *_):
        yield from results
        if error is not None:
            raise error

    return run


def result(method, seed, success):
    return episode(method, seed, success, [call()] * 30)


TWO = ['--episodes', '2', '--methods', 'none,sp_vla', '--seed', 'tuning']
FIRST = 1_000_000


def test_json_is_one_object_with_the_methods(random_checkpoint, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(
        runner,
        'run',
        outcomes(*(result(m, FIRST + s, s == 1) for s in (0, 1) for m in ('none', 'sp_vla'))),
    )
    file = tmp_path / 'new' / 'report.json'
    assert evaluate(random_checkpoint, *TWO, '--json', '--out', str(file)) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads(file.read_text())
    none, sp_vla = printed['methods']
    assert (none['method'], sp_vla['method']) == ('none', 'sp_vla')
    assert none['success'] == 0.5
    assert none['difference'] is None
    assert sp_vla['difference'] == 0
    assert sp_vla['settings']['pruning'] == 'sp_vla'
    assert none['by_kind']['lift']['episodes'] == 2
    assert (printed['clock'], printed['complete']) == ('step', True)
    assert printed['seeds'] == 'tuning'
    assert any('tuning' in note for note in printed['notes'])


def test_an_interrupted_evaluation_reports_what_was_done(random_checkpoint, capsys, monkeypatch):
    monkeypatch.setattr(
        runner, 'run', outcomes(result('none', FIRST, True), error=KeyboardInterrupt())
    )
    assert evaluate(random_checkpoint, *TWO) == 130
    said = capsys.readouterr()
    assert '1/1 = 100.0%' in said.out
    assert '1 of 4 episodes were run' in said.err
    monkeypatch.setattr(runner, 'run', outcomes(error=KeyboardInterrupt()))
    assert evaluate(random_checkpoint, *TWO) == 130
    assert 'before the first episode' in capsys.readouterr().err


def test_an_evaluation_that_fails_midway_reports_what_was_done(
    random_checkpoint, capsys, monkeypatch, tmp_path
):
    file = tmp_path / 'report.json'
    lost = runner.WorkerLostError('a worker process ended on its own')
    monkeypatch.setattr(runner, 'run', outcomes(result('none', FIRST, True), error=lost))
    assert evaluate(random_checkpoint, *TWO, '--out', str(file)) == 1
    said = capsys.readouterr()
    assert '1/1 = 100.0%' in said.out
    assert 'ended on its own: 1 of 4 episodes were run' in said.err
    assert json.loads(file.read_text())['complete'] is False


def test_an_interrupted_evaluation_goes_on_where_it_stopped(
    random_checkpoint, capsys, monkeypatch, tmp_path
):
    file, real = tmp_path / 'report.json', runner.run

    def stops(jobs, *others):
        for done, result in enumerate(real(jobs, *others)):
            yield result
            if done:
                raise KeyboardInterrupt

    words = [*TWO, '--json', '--out', str(file), '--resume']
    monkeypatch.setattr(runner, 'run', stops)
    assert evaluate(random_checkpoint, *words) == 130
    assert json.loads(capsys.readouterr().out)['complete'] is False
    assert evaluate(random_checkpoint, *words) == 0
    gone_on = json.loads(capsys.readouterr().out)
    monkeypatch.undo()
    assert evaluate(random_checkpoint, *TWO, '--json') == 0
    at_once = json.loads(capsys.readouterr().out)
    for whole in (gone_on, at_once):
        assert whole.pop('complete') is True
        del whole['seconds'], whole['date'], whole['versions']
        for row in whole['methods']:
            for key in [key for key in row if '_ms' in key or 'gain' in key]:
                del row[key]
    assert gone_on == at_once

    assert evaluate(random_checkpoint, *words, '--clock', 'real', '--latency-ms', '5') == 2
    assert 'methods.none.latency was None' in capsys.readouterr().err


def test_the_real_clock_repeats_under_a_given_latency(random_checkpoint, capsys, tmp_path):
    report = tmp_path / 'report.json'
    assert evaluate(random_checkpoint, *TWO, '--out', str(report)) == 0
    runs = []
    for _ in range(2):
        assert (
            evaluate(
                random_checkpoint, *TWO, '--json', '--clock', 'real', '--latency-ms', str(report)
            )
            == 0
        )
        runs.append(json.loads(capsys.readouterr().out.splitlines()[-1]))
    for one, other in zip(*(run['methods'] for run in runs), strict=True):
        assert one['latency']['quantiles_ms'] == other['latency']['quantiles_ms']
        for key in ('decisions', 'steps', 'model_calls', 'jerk_p95', 'latency_ms_p95'):
            assert one[key] == other[key]
    assert not any('measured' in note for note in runs[0]['notes'])


def test_measured_latencies_are_said_to_differ_from_run_to_run(random_checkpoint, capsys):
    assert evaluate(random_checkpoint, '--episodes', '1', '--clock', 'real') == 0
    out = capsys.readouterr().out
    assert 'real clock' in out
    assert 'as measured' in out
    assert 'reporting seeds from 2000000' in out


@pytest.mark.parametrize(
    ('option', 'name', 'held'),
    [
        ('--out', 'r.json', '{"mine": 1}'),
        ('--out', 'r.json.episodes.jsonl', 'notes'),
        ('--report', 'page.html', '<html>mine</html>'),
        ('--report', 'report.html', 'mine'),
    ],
)
def test_what_others_made_is_refused_before_anything_is_run(
    random_checkpoint, tmp_path, capsys, monkeypatch, option, name, held
):
    monkeypatch.setattr(runner, 'prepare', None)
    (tmp_path / name).write_text(held)
    given = {'r.json.episodes.jsonl': 'r.json', 'report.html': '.'}.get(name, name)
    assert evaluate(random_checkpoint, *TWO, option, str(tmp_path / given)) == 2
    assert name in capsys.readouterr().err
    assert [(f.name, f.read_text()) for f in tmp_path.iterdir()] == [(name, held)]


def test_a_second_run_into_the_same_file_is_refused_at_once(
    random_checkpoint, tmp_path, capsys, monkeypatch
):
    def meanwhile(jobs, *_):
        assert evaluate(random_checkpoint, *TWO, '--out', str(tmp_path / 'r.json')) == 2
        yield result('none', FIRST, True)

    monkeypatch.setattr(runner, 'run', meanwhile)
    assert evaluate(random_checkpoint, *TWO, '--out', str(tmp_path / 'r.json')) == 130
    assert 'another run, process' in capsys.readouterr().err
    assert sorted(file.name for file in tmp_path.iterdir()) == ['r.json', 'r.json.episodes.jsonl']


def test_names_that_differ_behind_a_dot_have_episodes_of_their_own(
    random_checkpoint, tmp_path, monkeypatch
):
    monkeypatch.setattr(runner, 'run', outcomes(result('none', FIRST, True)))
    for name in ('keep_0.25', 'keep_0.5'):
        assert evaluate(random_checkpoint, *TWO, '--out', str(tmp_path / name)) == 130
    assert len(list(tmp_path.glob('*.episodes.jsonl'))) == 2


def test_json_to_the_standard_output_is_there_once(random_checkpoint, capsys, monkeypatch):
    monkeypatch.setattr(runner, 'run', outcomes(result('none', FIRST, True)))
    assert evaluate(random_checkpoint, *TWO, '--json', '--out', '/dev/stdout') == 130
    assert json.loads(capsys.readouterr().out)['checkpoint']


def test_a_signal_leaves_the_episode_under_way_and_keeps_the_others(
    random_checkpoint, tmp_path, capfd, monkeypatch
):
    run, runs = runner.Worker.run, []

    def asked(worker, job, stop):
        runs.append(job)
        if len(runs) == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return run(worker, job, stop)

    monkeypatch.setattr(runner.Worker, 'run', asked)
    assert evaluate(random_checkpoint, *TWO, '--out', str(tmp_path / 'r.json')) == 143
    said = capfd.readouterr().err
    assert 'starting 1 worker for 4 episodes' in said and 'stopping: ' in said
    assert '1 of 4 episodes were run; --resume goes on' in said
    assert json.loads((tmp_path / 'r.json').read_text())['complete'] is False
