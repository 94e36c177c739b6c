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
"""An expert in the model's place: what it is asked, and what its summaries say."""

import numpy as np
import pytest

from vla_accel_ros.acceleration import find
from vla_accel_ros.environments.tabletop import TabletopKind
from vla_accel_ros.evaluation.expert_driver import ExpertDriver, compare

LIFT = 'pick up the red cube'
SEEDS = range(2_000_000, 2_000_003)


@pytest.fixture(scope='module')
def environment():
    environment = TabletopKind().make(32, None)
    yield environment
    environment.close()


def test_the_expert_is_asked_only_when_the_schedule_asks(environment, monkeypatch):
    asked, act = [], environment.expert_action
    monkeypatch.setattr(environment, 'expert_action', lambda: asked.append(1) or act())
    shown = []
    plain, held = compare(environment, find('none,hold@v_min=0.05'), SEEDS, (LIFT,), shown.append)
    assert plain['calls_per_step'] == 1.0 and plain['successes'] == plain['episodes'] == 3
    assert 0.1 < held['calls_per_step'] < 1.0
    assert len(asked) == plain['steps'] + round(held['calls_per_step'] * held['steps'])
    assert shown == [1, 2, 3, 4, 5, 6]
    assert held['difference'] is not None and plain['difference'] is None


def test_nothing_is_drawn_for_an_expert(environment, monkeypatch):
    monkeypatch.setattr(environment, 'observe', lambda: pytest.fail('drawn'))
    compare(environment, find('none'), SEEDS[:1], (LIFT,), lambda _: None)


def test_an_answer_is_the_experts_action_and_costs_no_model():
    driver = ExpertDriver(lambda: np.arange(7), find('none')[0])
    driver.reset(LIFT)
    record = driver.step(1, 1, lambda: pytest.fail('drawn'))
    assert record.action.tolist() == list(range(7))
    assert record.call.model_ms == record.call.flops == 0 and record.call.pruning == 'no_model'
