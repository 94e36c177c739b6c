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

from bench_subject import TINY
import pytest
import torch

from vla_accel_ros.bench.subjects import of_config
from vla_accel_ros.engines.eager import EAGER
from vla_accel_ros.engines.planner import JUDGED, REMEMBERED, Costs, Curve
from vla_accel_ros.models import planned
from vla_accel_ros.pruning.registry import own_values

FLAT, STEEP = Curve(((1, 1.0),)), Curve(((1, 1.0), (64, 1000.0)))


@pytest.fixture(scope='module')
def subject():
    return of_config('tiny', TINY, 'cpu', torch.float32)


def answers(subject, monkeypatch, layer, count, method, **parameters):
    """Answer frames on a device where a decoder layer takes what the curve says."""
    made = []

    def costs(model, engine, *rest):
        made.append(engine)
        return Costs(TINY.decoder.layers, layer, FLAT, 0.0)

    monkeypatch.setattr(planned, 'kept_or_measured', costs)
    policy = subject.policy()
    policy.set_pruning(method, **own_values(method, {'keep': 0.25, **parameters}))
    found = []
    for index in range(count):
        frame = subject.scene.frame(index)
        found.append(policy.predict(frame.observation, motion=frame.motion))
    return found, made


@pytest.mark.parametrize('method', ['random', 'sp_vla', 'fastv', 'vla_pruner', 'dart'])
def test_a_drop_that_does_not_pay_is_skipped_with_all_that_it_needs(subject, monkeypatch, method):
    found, made = answers(subject, monkeypatch, FLAT, 16, method, planner=True)
    reasons = [answer.pruning for answer in found]
    assert made == [EAGER]
    judged = REMEMBERED if method == 'vla_pruner' else JUDGED
    assert reasons.count('pruned') == judged and reasons[-1] == 'does_not_pay'
    last = found[-1]
    assert last.kept == TINY.visual_tokens and last.plan.startswith('does not pay')
    needs = last.work.needs
    assert not (needs.layers or needs.decode or needs.distances or needs.tower_attention)


def test_a_drop_that_pays_is_made(subject, monkeypatch):
    found, _ = answers(subject, monkeypatch, STEEP, 6, 'fastv', planner=True)
    assert {answer.pruning for answer in found} == {'pruned'}
    assert found[0].plan == 'measuring' and found[-1].plan.startswith('pays: 16 of 64')


def test_without_a_planner_the_method_is_as_published(subject, monkeypatch):
    found, made = answers(subject, monkeypatch, FLAT, 6, 'fastv')
    assert not made and {(answer.pruning, answer.plan) for answer in found} == {('pruned', '')}


def test_another_engine_has_a_planner_of_its_own(subject, monkeypatch):
    monkeypatch.setattr(
        planned, 'kept_or_measured', lambda *rest: Costs(TINY.decoder.layers, STEEP, FLAT, 0.0)
    )
    plans = planned.Plans(subject.model, subject.policy()._caches)
    pruner = subject.policy()._pruners.take()
    first = plans.planner(EAGER, pruner)
    assert plans.planner(EAGER, pruner) is first
    assert plans.planner(type(EAGER)(), pruner) is not first
