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

import random

import numpy as np
import pytest

from vla_accel_ros.bench.cases import cases, on_engine
from vla_accel_ros.bench.contestants import Contestant, Group
from vla_accel_ros.bench.rounds import measure as measure_teams
from vla_accel_ros.bench.turns import Here
from vla_accel_ros.engines.interface import EngineError

METHODS = 'none,random,fastv'


def groups_of(methods=METHODS, decoders='greedy,verify', **options):
    return cases(methods, ['0.5'], decoders, **options)


def measure(subject, groups, rounds, **options):
    return measure_teams([(Here(subject), groups)], rounds, **options)


@pytest.fixture
def asked(monkeypatch):
    """List each question: the case, the frame's stamp."""
    found = []
    answer = Contestant.answer

    def noted(self, frame, right=None):
        found.append((self.case.name, frame.observation.stamp_ns))
        return answer(self, frame, right)

    monkeypatch.setattr(Contestant, 'answer', noted)
    return found


def test_every_case_answers_every_frame_and_no_case_runs_ahead(subject, asked):
    groups = groups_of()
    samples, complete = measure(subject, groups, 4, warm_up=2)
    assert complete
    count = sum(map(len, groups))
    rounds = [asked[i : i + count] for i in range(0, len(asked), count)]
    assert len(rounds) == 6
    for questions in rounds:
        assert len({stamp for _, stamp in questions}) == 1
        assert {name for name, _ in questions} == {c.name for group in groups for c in group}
    assert len({questions[0][1] for questions in rounds}) == 6
    assert all(len(of_case) == 4 for of_case in samples.values())


def test_the_order_is_another_one_each_round_and_the_same_for_a_seed(subject, asked):
    orders = []
    for _ in range(2):
        asked.clear()
        measure(subject, groups_of(), 4, warm_up=0, seed=5)
        orders.append([name for name, _ in asked])
    assert orders[0] == orders[1]
    rounds = [tuple(orders[0][i : i + 6]) for i in range(0, 24, 6)]
    assert len(set(rounds)) > 1


def test_a_right_draft_is_confirmed_whole_and_a_wrong_one_not_at_all(subject):
    groups = groups_of(decoders='greedy,verify,jacobi', given=['right', 'wrong'])
    samples, _ = measure(subject, groups, 3, warm_up=1)
    by_way = {}
    for case, of_case in samples.items():
        by_way.setdefault(case.decoding, []).extend(of_case)
    assert {s.passes for s in by_way['greedy']} == {7}
    for right in ('verify, right draft', 'jacobi, right draft'):
        assert {(s.passes, s.accepted) for s in by_way[right]} == {(1, 7)}
    assert {(s.passes, s.accepted) for s in by_way['verify, wrong draft']} == {(7, 0)}


def test_a_right_draft_needs_no_greedy_line(subject, asked):
    samples, _ = measure(subject, groups_of('none,fastv', 'verify'), 2, warm_up=0)
    assert {case.decoding for case in samples} == {'verify, right draft'}
    assert {s.passes for of_case in samples.values() for s in of_case} == {1}
    # Its greedy answer is the draft, and was asked for first.
    assert sum(name == 'verify' for name, _ in asked) == 2 * 2


def test_decoders_answer_alike_with_the_same_tokens_kept(subject):
    group = Group(subject, groups_of('vla_pruner', 'greedy,verify,jacobi')[0])
    draw = random.Random(0)
    for index in range(6):
        answers = group.answer(subject.scene.frame(index), draw)
        for answer in answers[1:]:
            np.testing.assert_array_equal(answer.tokens, answers[0].tokens)
            assert answer.work.visual == answers[0].work.visual
    assert answers[0].pruning == 'pruned'


def test_a_single_pass_model_is_measured_too(oft_subject):
    groups = cases(f'transformers,{METHODS}', ['0.25'], 'greedy', single_pass=True)
    samples, _ = measure(oft_subject, groups, 2, warm_up=1)
    kept = {case.pruner: of_case[-1].work.visual[-1] for case, of_case in samples.items()}
    total = oft_subject.model.config.visual_tokens
    assert kept['none'] == kept['transformers'] == total
    assert kept['random'] == kept['fastv'] == total // 4


def test_an_interrupted_run_keeps_its_whole_rounds(subject):
    def interrupt(done):
        if done == 4:
            raise KeyboardInterrupt

    samples, complete = measure(subject, groups_of(), 9, warm_up=1, ended=interrupt)
    assert not complete
    assert {len(of_case) for of_case in samples.values()} == {3}


@pytest.mark.parametrize(('rounds', 'warm_up'), [(0, 1), (-1, 0), (3, -1)])
def test_no_round_at_all_is_an_error(subject, rounds, warm_up):
    with pytest.raises(ValueError, match=f'{rounds} rounds after {warm_up}'):
        measure(subject, groups_of(), rounds, warm_up=warm_up)


class Failing(Here):
    """Turns that fail from a question on."""

    def __init__(self, subject, good):
        super().__init__(subject)
        self.good = good

    def answer(self, group, index, seed):
        self.good -= 1
        if self.good < 0:
            raise EngineError('it is out of memory')
        return super().answer(group, index, seed)


@pytest.mark.parametrize('good', [0, 3, 5])
def test_an_engine_that_fails_is_left_out_and_the_others_are_measured(subject, good):
    groups, told = groups_of('none,random', 'greedy'), []
    first, failing = Here(subject), Failing(subject, good)
    teams = [(first, groups), (failing, on_engine(groups, 'mine')), (Here(subject), [])]
    samples, complete = measure_teams(
        teams, 4, warm_up=1, left_out=lambda turns, error: told.append((turns, str(error)))
    )
    assert complete and told == [(failing, 'it is out of memory')]
    assert {case.engine for case in samples} == {'eager'}
    assert {len(of_case) for of_case in samples.values()} == {4}


def test_an_engine_that_dies_between_two_answers_is_left_out_too(subject):
    class Dying(Here):
        def pause(self, measure):
            raise EngineError('its process is gone')

    groups, told = groups_of('none', 'greedy'), []
    teams = [(Here(subject), groups), (Dying(subject), on_engine(groups, 'mine'))]
    samples, complete = measure_teams(
        teams, 2, warm_up=0, left_out=lambda turns, error: told.append(str(error))
    )
    assert complete and told == ['its process is gone']
    assert [len(of_case) for of_case in samples.values()] == [2]


def test_what_fails_ends_a_run_that_leaves_nothing_out_and_so_does_the_first_engine(subject):
    groups = groups_of('none', 'greedy')
    other = on_engine(groups, 'mine')
    with pytest.raises(EngineError, match='out of memory'):
        measure_teams([(Here(subject), groups), (Failing(subject, 0), other)], 2)
    with pytest.raises(EngineError, match='out of memory'):
        measure_teams(
            [(Failing(subject, 0), groups), (Here(subject), other)], 2, left_out=lambda *_: None
        )
