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

"""`vla-accel tune --sim` from the command line to the files that it leaves."""

from dataclasses import replace
import json

import numpy as np
import pytest

from vla_accel_ros.acceleration import find
from vla_accel_ros.evaluation import runner
from vla_accel_ros.tuning.sim import SimPlan
from vla_accel_ros.tuning.target import Run, Stopped

TASK = 'pick up the red cube'
SIM = [
    '--sim',
    '--task',
    TASK,
    '--max-steps',
    '5',
    '--episodes',
    '2',
    '--trials',
    '3',
    '--confirm',
    '2',
    '--methods',
    'hold@v_min=0',
]


def results(tmp_path, out='out'):
    return json.loads((tmp_path / out / 'results.json').read_text())


def test_a_search_leaves_all_that_is_promised(tune, tmp_path, capsys):
    assert tune(*SIM) == 0
    found, out = results(tmp_path), tmp_path / 'out'
    assert found['complete'] and len(found['trials']) == 3
    # None of them succeeds, so nothing is lost; the first call is all that cannot be saved.
    assert found['baseline']['calls_a_step'] == 1
    assert found['front'][0]['cost'] < found['baseline']['cost']
    assert found['confirmed'][0]['facts']['episodes'] == 2
    assert found['chosen'] == found['confirmed'][0]['name']
    said = capsys.readouterr()
    # Two held-out episodes bear nothing out.
    assert f'best, not confirmed: {found["chosen"]} (' in said.out
    assert 'open: ' in said.out and 'chosen: ' not in said.out
    for name in ('arm.yaml', 'preset.yaml', 'pareto.png', 'presets/hold_v_min_0.yaml'):
        assert (out / name).stat().st_size > 100
    assert find(str(out / 'preset.yaml'))[0].scheduler.predictor == 'hold'


def test_the_same_search_gives_the_same_result_and_goes_on(tune, tmp_path):
    assert tune(*SIM) == tune(*SIM, out='other') == 0
    mine, other = results(tmp_path), results(tmp_path, 'other')
    for each in (*mine['trials'], *other['trials']):
        each['facts'].pop('load'), each['facts'].pop('call_ms')
    assert mine['trials'] == other['trials']
    assert tune(*SIM, '--trials', '5') == 0
    more = results(tmp_path)['trials']
    assert len(more) == 5
    assert [each['cost'] for each in more[:3]] == [each['cost'] for each in mine['trials']]


def test_two_processes_find_as_much_as_one(tune, tmp_path):
    assert tune(*SIM, '--workers', '2') == 0
    assert len(results(tmp_path)['trials']) == 3


def test_time_is_that_of_the_processor_and_the_machine_is_noted(tune, tmp_path):
    assert tune(*SIM, cost='time') == 0
    found = results(tmp_path)
    assert found['cost_unit'] == 'ms per success'
    assert found['baseline']['pace_ms'] > 0
    assert all(t['facts']['slower'] > 0 and t['facts']['load'] >= 0 for t in found['trials'])


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        ([], 'nothing to tune on, expected --bag BAG... or --sim'),
        (['--sim', '--trials', '0'], '--trials is 0, expected at least 1'),
        (['--sim', '--episodes', '0'], '0 episodes asked for'),
        (['--sim', '--seed', '2000000'], 'not all for tuning, expected seeds from 1000000'),
        (['--sim', '--seed', '5'], 'not all for tuning'),
        (
            ['--sim', '--confirm-seed', '1000005'],
            'seed 1000005 is searched on and to be confirmed on',
        ),
        (['--sim', '--confirm-seed', '7'], 'not all for tuning'),
        (['--sim', '--confirm-seed', '2000000'], 'not all for tuning'),
        (['--sim', '--confirm', '-1'], '--confirm is -1'),
        (['--sim', '--confirm-bag', 'b'], '--confirm-bag goes with --bag'),
        (['--sim', '--methods', 'hold,magic'], "method 'magic' is unknown"),
        (['--sim', '--methods', 'none'], 'has nothing to search'),
        (['--sim', '--range', 'v_min=3'], "range of v_min is '3', expected low:high"),
        (['--sim', '--choose', 'best', '3'], "--choose is 'best', expected one of fastest-within"),
        (['--sim', '--choose', 'fastest-within', 'x'], "--choose fastest-within 'x'"),
        (['--sim', '--hopeless', '0'], '--hopeless is 0.0, expected above 0'),
        (['--sim', '--workers', '0'], '--workers is 0'),
        (['--sim', '--task', 'juggle'], 'juggle'),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_line(tune, tmp_path, capsys, words, said):
    assert tune(*words) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and said in lines[0]
    assert not (tmp_path / 'out').exists()


def test_a_folder_of_another_search_is_refused(tune, tmp_path, capsys):
    assert tune(*SIM) == 0
    capsys.readouterr()
    assert tune(*SIM, '--episodes', '3') == 2
    assert 'holds another search: its episodes is 2, here it is 3' in capsys.readouterr().err


def test_a_bound_that_nothing_meets_chooses_nothing(tune, tmp_path, capsys):
    assert tune(*SIM) == 0
    # From the same trials: what was chosen before must not stand for it.
    assert tune(*SIM, '--choose', 'closest-within', '0.001') == 1
    assert not (tmp_path / 'out' / 'arm.yaml').exists()
    assert not (tmp_path / 'out' / 'preset.yaml').exists()
    assert 'no setting that closest-within 0.001 admits has held' in capsys.readouterr().err


def test_ctrl_c_keeps_what_was_done(tune, tmp_path, capsys, monkeypatch):
    import os
    import signal

    run, runs = runner.Worker.run, []

    def interrupted(worker, job, *others):
        runs.append(job)
        if len(runs) == 6:
            os.kill(os.getpid(), signal.SIGINT)
        return run(worker, job, *others)

    monkeypatch.setattr(runner.Worker, 'run', interrupted)
    assert tune(*SIM) == 130
    assert 'the same command goes on' in capsys.readouterr().err
    found = results(tmp_path)
    # Two episodes each: the unaccelerated policy, one setting, and one that was not kept.
    assert not found['complete'] and len(found['trials']) in (1, 2)
    assert tune(*SIM) == 0
    assert results(tmp_path)['complete']


@pytest.fixture
def plan(random_checkpoint):
    return SimPlan(
        runner.Setup(str(random_checkpoint), max_steps=4),
        (TASK,),
        range(1_000_000, 1_000_010),
        'calls',
        20.0,
    )


def test_a_setting_that_must_lose_too_much_is_given_up(plan, monkeypatch):
    target = plan.build({'per': [1] * 10, 'costs': [4.0] * 10, 'pace_ms': None}, lambda: False)
    run = target.measure(find('hold')[0], lambda: False)
    # Two of ten may fail; the third is one too many.
    assert run.stopped and run.facts['episodes'] == 3 and run.loss == 100
    # What failed without acceleration, too, is not held against it.
    target.baseline['per'] = [0] * 10
    assert not target.measure(find('hold')[0], lambda: False).stopped


def test_who_asks_to_end_is_heard_between_episodes(plan):
    target = plan.build({'per': [1] * 10, 'costs': [4.0] * 10, 'pace_ms': None}, lambda: False)
    asked = []
    with pytest.raises(Stopped):
        target.measure(find('hold')[0], lambda: asked.append(1) or len(asked) > 2)
    with pytest.raises(Stopped):
        plan.build(None, lambda: True)


def test_held_out_seeds_are_run_to_the_end(plan):
    assert plan.held_out() is None
    held = replace(plan, confirming=range(1_500_000, 1_500_003)).held_out()
    assert (len(held.seeds), held.hopeless) == (3, np.inf)


def test_the_interval_is_that_of_the_paired_difference(plan):
    losses = [np.array([value]) for value in (100.0, 0.0, 0.0, -100.0)]
    low, high = plan.interval(Run(losses, [], []))
    assert low == pytest.approx(-high) and 0 < high < 100


def test_steps_and_rows_of_a_policy_that_denoises_chunks_are_searched(tune, tmp_path):
    words = [*SIM[:-2], '--methods', 'flow_fast', '--checkpoint', 'tabletop-flow']
    # Five steps are too few for a setting to hold: only what was tried counts.
    assert tune(*words) in (0, 1)
    tried = results(tmp_path)['trials']
    assert set(tried[0]['values']) == {'execute_rows', 'overlap', 'flow_steps'}
    assert len({str(trial['values']) for trial in tried}) == 3
