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


"""Pruning as a policy's user sees it."""

import numpy as np
import pytest
import torch

from vla_accel_ros.models.policy import Policy
from vla_accel_ros.motion import Motion
from vla_accel_ros.observations import Observation
from vla_accel_ros.pruning.registry import METHODS

FAST = Motion((0.05, 0.0, 0.02), (0.0, 0.0, 0.0), 0.1)
INSTRUCTION = 'pick up the red cube'
STEP = 10**8


@pytest.fixture
def policy(embedded_folder):
    return Policy.load(embedded_folder)


def observed(views, step=0):
    return Observation(views, INSTRUCTION, stamp_ns=step * STEP)


@pytest.mark.parametrize('name', METHODS)
def test_every_method_runs_an_episode_on_the_embedded_model(policy, views, name):
    total = policy.config.visual_tokens
    options = {'edges': False} if name == 'sp_vla' else {}
    policy.set_pruning(name, round_up=False, **options)
    predictions = [policy.predict(observed(views, step), motion=FAST) for step in range(5)]
    assert (predictions[-1].kept == total) is (name == 'none')
    for prediction in predictions:
        assert prediction.chunk_values.shape == (1, 7)
        assert len(prediction.kept_ids) == prediction.kept > 0
        assert (np.diff(prediction.kept_ids) > 0).all()


@pytest.mark.parametrize('name', METHODS)
def test_every_method_runs_in_bfloat16(embedded_folder, views, name):
    policy = Policy.load(embedded_folder, dtype=torch.bfloat16)
    policy.set_pruning(name, round_up=False)
    for step in range(4):
        prediction = policy.predict(observed(views, step), motion=FAST)
    assert np.isfinite(prediction.chunk_values).all() and prediction.kept > 0


def test_kept_tokens_and_their_reason_are_told(policy, views):
    policy.set_pruning('fastv', keep=0.5)
    prediction = policy.predict(observed(views))
    assert prediction.pruning == 'pruned'
    assert prediction.kept == policy.config.visual_tokens // 2
    assert prediction.timings_ms['selection'] > 0


def test_a_new_method_holds_from_the_next_inference_on(policy, views):
    total = policy.config.visual_tokens
    assert policy.predict(observed(views)).kept == total
    policy.set_pruning('random', keep=0.5)
    assert policy.predict(observed(views)).kept == total // 2
    policy.set_pruning('none')
    assert policy.predict(observed(views)).kept == total


def test_what_is_chosen_in_the_middle_of_an_inference_waits_for_the_next(
    policy, views, monkeypatch
):
    total, towers = policy.config.visual_tokens, policy.model.vision
    policy.set_pruning('fastv', keep=0.5)
    before = policy.predict(observed(views))
    choices = [
        lambda: policy.set_decoder('verify', draft='previous'),
        lambda: policy.set_pruning('fastv', keep=0.25),
    ]

    def interrupted(*given):
        if choices:
            choices.pop(0)()
        return towers(*given)

    monkeypatch.setattr(policy.model, 'vision', interrupted)
    found = [policy.predict(observed(views)) for _ in range(3)]
    assert before.passes == found[0].passes == 7
    assert found[1].passes == 1
    assert [p.kept for p in found] == [total // 2, total // 2, total // 4]


def test_new_parameters_of_the_same_method_keep_the_episode(policy, views):
    policy.set_pruning('vla_pruner', keep=0.5)
    for step in range(3):
        assert policy.predict(observed(views, step)).pruning == 'warm_up'
    policy.set_pruning('vla_pruner', keep=0.25)
    assert policy.predict(observed(views, 3)).kept == policy.config.visual_tokens // 4
    policy.reset()
    assert policy.predict(observed(views, 4)).pruning == 'warm_up'


def test_refused_pruning_leaves_what_was_in_use(policy, views):
    policy.set_pruning('random', keep=0.5)
    for name, options in (('magic', {}), ('random', {'keep': 0.0}), ('fastv', {'layer': 40})):
        with pytest.raises(ValueError, match=r'method is|keep is|layer is'):
            policy.set_pruning(name, **options)
    assert policy.predict(observed(views)).kept == policy.config.visual_tokens // 2
