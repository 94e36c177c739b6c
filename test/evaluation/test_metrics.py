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
"""Summaries add up."""

from dataclasses import replace

from episodes import call, episode
import numpy as np
import pytest

from vla_accel_ros.acceleration import find
from vla_accel_ros.evaluation.episode import jerk
from vla_accel_ros.evaluation.latency import Fixed
from vla_accel_ros.evaluation.metrics import summarise
from vla_accel_ros.evaluation.piloted import Piloted


def test_a_summary_counts_model_time_of_failures_too():
    summary = summarise(
        'none',
        [
            episode('none', 1, True, [call(10), None, call(20), None]),
            episode('none', 2, False, [call(30)] * 6),
        ],
    )
    assert summary['success'] == 0.5
    assert summary['steps'] == 10
    assert summary['steps_per_success'] == 4
    assert summary['model_calls'] == 8
    assert summary['model_ms_per_step'] == pytest.approx(21.0)
    assert summary['model_ms_per_success'] == pytest.approx(210.0)
    assert summary['call_ms_p50'] == 30.0
    assert summary['decisions'] == {'deliberative': 0.8, 'intuitive': 0.2}
    assert summary['failed_seeds'] == [2]


def test_what_has_no_value_is_none():
    summary = summarise('none', [episode('none', 1, False, [None] * 3)])
    assert summary['model_ms_per_success'] is None
    assert summary['call_ms_p95'] is None
    with pytest.raises(ValueError, match='no episode'):
        summarise('none', [])


def test_costs_are_of_calls_and_shares_of_steps():
    summary = summarise(
        'hold',
        [
            episode(
                'hold',
                1,
                True,
                [call(10), call(30, keep=0.5, passes=3, accepted=4, pruning='pruned'), None, None],
                jerk=[1, 2, 3],
            )
        ],
    )
    assert summary['keep_ratio'] == 0.75
    assert summary['tokens_kept'] == 54
    assert summary['passes_per_call'] == 5
    assert summary['accepted_per_call'] == 2
    assert summary['pruning'] == {'keep_all': 0.5, 'pruned': 0.5}
    assert summary['gflops_per_call'] == pytest.approx(1.0)
    assert summary['gflops_per_step'] == pytest.approx(0.5)
    assert summary['jerk_p95'] == pytest.approx(2.9)
    assert summary['call_ms_quantiles'][::10] == [10, 20, 30]


def test_the_path_is_what_was_told_in_episodes_that_succeed():
    moves = np.zeros((4, 7))
    moves[:2, 0], moves[2, 1:3], moves[:, 3] = 0.01, (0.03, -0.04), 1.0
    won, lost = (episode('none', seed, seed == 1, [call()] * 4) for seed in (1, 2))
    summary = summarise('none', [replace(won, actions=moves), replace(lost, actions=9 * moves)])
    assert summary['path_per_success'] == pytest.approx(0.07)
    assert summarise('none', [lost])['path_per_success'] is None


def test_a_method_is_compared_on_the_seeds_that_both_have():
    def run(method, outcomes, ms):
        return [episode(method, s, won, [call(ms)] * 10) for s, won in outcomes.items()]

    none = run('none', dict.fromkeys(range(40), True), 20)
    half = {seed: seed % 2 == 0 for seed in range(20)}
    summary = summarise('hold', run('hold', half, 10), none)
    assert summary['difference'] == -0.5
    low, high = summary['difference_ci']
    assert low < -0.5 < high < 0
    # Half the time a call, half the successes.
    assert summary['gain'] == pytest.approx(1.0)
    low, high = summary['gain_ci']
    assert low < 1 < high
    low, high = summary['model_ms_per_success_ci']
    assert low < 200 < high


def test_success_is_told_by_kind_and_by_instruction():
    results = [
        episode('none', seed, won, [call()], instruction)
        for seed, (won, instruction) in enumerate(
            [(True, 'lift red'), (False, 'lift blue'), (True, 'stack red'), (True, 'lift red')]
        )
    ]
    summary = summarise('none', results, kind_of=lambda text: text.split()[0])
    assert {k: (v['successes'], v['episodes']) for k, v in summary['by_kind'].items()} == {
        'lift': (2, 3),
        'stack': (1, 1),
    }
    assert summary['by_instruction']['lift red']['success'] == 1
    assert len(summary['by_kind']['lift']['success_ci']) == 2


def test_jerk_is_the_third_derivative_of_the_position():
    step_s, times = 0.05, np.arange(8) * 0.05
    positions = [np.array([t**3, 0.0, 2.0]) for t in times]
    np.testing.assert_allclose(jerk(positions, step_s), 6, rtol=1e-6)
    assert len(jerk(positions, step_s)) == 5
    assert len(jerk([*positions, None], step_s)) == len(jerk(positions[:3], step_s)) == 0


def test_what_was_lost_again_before_the_end_counts_as_success_but_not_at_the_end():
    made = [episode('none', seed, True, [call(1.0)]) for seed in range(3)]
    lost, kept = (replace(made[i], at_end=end) for i, end in ((0, False), (1, True)))
    found = summarise('none', [lost, kept, made[2]], ())
    assert found['successes'] == 3 and found['successes_at_end'] == 2


class Growing(Piloted):
    """Answers chunks of 16 actions: each of the n-th chunk moves by n mm."""

    def __init__(self, method, latency):
        super().__init__(method, latency)
        self.asked = 0

    def answer(self, request, observe):
        self.asked += 1
        values = np.zeros((16, 7))
        values[:, 0] = 1e-3 * self.asked
        return values, call(stamp_ns=request.stamp_ns)


def driven(words, latency_ms, steps=40):
    """Give an episode of `Growing`, frames 50 ms apart."""
    (method,) = find(words)
    driver = Growing(method, None if latency_ms is None else Fixed(latency_ms))
    driver.reset('pick up the red cube')
    stamps = [1_000_000_000 + 50_000_000 * k for k in range(steps)]
    records = tuple(driver.step(stamp, stamp, lambda: None) for stamp in stamps)
    return replace(episode('fast', 1, True, []), records=records, actions=np.zeros((steps, 7)))


@pytest.mark.parametrize('latency_ms', [None, 50, 100, 110])
@pytest.mark.parametrize('words', ['flow_fast@seam=none,overlap=true', 'fast'])
def test_a_seam_is_the_step_from_one_chunk_to_the_next_however_late_the_answer(words, latency_ms):
    made = driven(words, latency_ms)
    assert len(made.calls) > 2
    assert len(made.seams) >= len(made.calls) - 2
    assert 1e3 * made.seams == pytest.approx(np.ones(len(made.seams)))
    assert summarise('fast', [made])['seam_p95'] == pytest.approx(1e-3)


def test_an_arm_that_stood_still_and_an_answer_that_was_discarded_make_no_seam():
    made = driven('flow_fast@seam=none,overlap=true', 100)
    still = tuple(replace(r, action=None, sent_ns=None) for r in made.records)
    lost = tuple(replace(r, discarded='stale_answer') for r in made.records)
    assert len(made.seams)
    assert not len(replace(made, records=still).seams)
    assert not len(replace(made, records=lost).seams)
