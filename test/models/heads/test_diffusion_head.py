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

"""The head that denoises: noise, steps, guidance, grippers, and what pruning methods get."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from vla_accel_ros.models.cost.stages import CostModel
from vla_accel_ros.models.heads.diffusion import StepsError
from vla_accel_ros.models.policy import Policy
from vla_accel_ros.models.random_weights import random_model
from vla_accel_ros.models.tokenizer import FixedPrompt
from vla_accel_ros.motion import Motion
from vla_accel_ros.observations import Observation
from vla_accel_ros.pruning.registry import METHODS

MOTION = Motion((0.05, 0.0, 0.02), (0.0, 0.0, 0.0), 0.1)
# Pictures of noise are full of edges and of change, by which these methods would keep all.
OPTIONS = {
    'sp_vla': {'edges': False, 'budget': 'fixed', 'keep': 0.5},
    'specprune': {'k_global': 2, 'k_dynamic': 1, 'k_local': 2},
}
PROMPT = [1, 9, 4, 7, 5, 2]


def policy_of(config):
    return Policy(random_model(config), FixedPrompt(PROMPT))


@pytest.fixture(scope='module')
def policy(cogact_config):
    return policy_of(cogact_config)


@pytest.fixture(autouse=True)
def afresh(request):
    if 'policy' in request.fixturenames:
        policy = request.getfixturevalue('policy')
        policy.set_pruning('none')
        policy._head.noise = None
        policy._head.denoise_in(0)
        policy.reset()


@pytest.fixture(scope='module')
def view():
    return np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), np.uint8)


def ask(policy, view, stamp=0, **options):
    return policy.predict(Observation(tuple(view), 'go', stamp_ns=stamp), **options)


def test_it_answers_a_chunk_within_the_statistics(policy, view):
    answer = ask(policy, view)
    assert answer.chunk_values.shape == (4, 7) and answer.passes == 1
    assert np.abs(answer.chunk_values[:, :3]).max() <= 0.03
    assert set(np.unique(answer.chunk_values[:, 6])) <= {0.0, 1.0}


def test_each_answer_has_noise_of_its_own_and_an_episode_can_be_run_again(policy, view):
    first, second = (ask(policy, view).chunk_values for _ in range(2))
    assert (first != second).any()
    policy.reset()
    np.testing.assert_array_equal(ask(policy, view).chunk_values, first)
    np.testing.assert_array_equal(ask(policy, view).chunk_values, second)


def test_another_seed_gives_other_noise_and_fixed_noise_is_kept(policy, view):
    first = ask(policy, view).chunk_values
    policy._head.seed = 1
    policy.reset()
    assert (ask(policy, view).chunk_values != first).any()
    policy._head.seed = 0
    policy._head.noise = torch.zeros(1, 4, 7)
    one, two = (ask(policy, view).chunk_values for _ in range(2))
    np.testing.assert_array_equal(one, two)


def test_warming_up_uses_no_noise_up(policy, view):
    first = ask(policy, view).chunk_values
    policy.reset()
    policy._rehearse()
    np.testing.assert_array_equal(ask(policy, view).chunk_values, first)


def test_steps_are_a_live_setting(policy, view):
    whole = ask(policy, view)
    policy._head.denoise_in(2)
    policy.reset()
    fewer = ask(policy, view)
    assert (whole.work.steps, fewer.work.steps) == (5, 2)
    assert (whole.chunk_values != fewer.chunk_values).any()
    with pytest.raises(StepsError, match='11 steps of denoising'):
        policy._head.denoise_in(11)
    assert policy._head.steps == 2
    policy._head.denoise_in(0)
    assert policy._head.steps == 5


def test_the_image_changes_the_answer(policy):
    assert policy.self_test(cameras=2) > 0


def test_guidance_changes_the_answer_and_takes_one_pass_of_two_samples(cogact_config, view):
    seen, answers = [], []
    for scale in (1.5, 1.0, 0.0):
        config = replace(cogact_config, head=replace(cogact_config.head, guidance=scale))
        policy = policy_of(config)
        net = policy.model.action_model
        net.register_forward_pre_hook(lambda _, given: seen.append(len(given[0])))
        answers.append(ask(policy, view).chunk_values)
    assert seen == [2] * 5 + [1] * 10
    assert (answers[0] != answers[1]).any()
    np.testing.assert_array_equal(answers[1], answers[2])


@pytest.mark.parametrize('method', METHODS)
def test_every_pruning_method_runs_on_the_prefix(policy, view, method):
    policy._head.noise = torch.randn(1, 4, 7, generator=torch.Generator().manual_seed(3))
    whole = ask(policy, view)
    policy.reset()
    policy.set_pruning(method, round_up=False, **OPTIONS.get(method, {}))
    for step in range(5):
        answer = ask(policy, view, step * 10**8, motion=MOTION)
    dropped = answer.kept < policy.config.visual_tokens
    assert dropped or method == 'none', answer.pruning
    assert (answer.chunk_values != whole.chunk_values).any() == dropped


def test_vla_pruner_learns_from_what_the_cognition_token_looks_at(policy, view):
    policy.set_pruning('vla_pruner', window=2, keep=0.25, layer=1, round_up=False)
    reasons = [ask(policy, view, step).pruning for step in range(4)]
    assert reasons == ['warm_up', 'warm_up', 'pruned', 'pruned']


def test_vla_pruner_takes_what_the_cognition_token_looks_at_at_once(policy, view):
    policy.set_pruning(
        'vla_pruner', action_rows='prompt', rows='last_row', keep=0.25, layer=1, round_up=False
    )
    first, second = (ask(policy, view, step) for step in range(2))
    assert (first.pruning, second.pruning) == ('pruned', 'pruned')
    assert first.kept == second.kept < policy.config.visual_tokens
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        with FlopCounterMode(display=False) as counter:
            work = ask(policy, view, 2).work
    total = CostModel(policy.config).total(work).flops
    assert total == pytest.approx(counter.get_total_flops(), rel=0.02)


@pytest.mark.parametrize('scale', [1.5, 0.0])
@pytest.mark.parametrize('steps', [1, 4])
def test_its_cost_is_what_torch_counts(cogact_config, view, scale, steps):
    from vla_accel_ros.models.heads.diffusion_head import DiffusionHead

    head = replace(cogact_config.head, guidance=scale)
    config = replace(cogact_config, head=head)
    policy = policy_of(config)
    policy._head.denoise_in(steps)
    policy.set_pruning('vla_pruner', window=1, keep=0.25, layer=1, round_up=False)
    for _ in range(2):
        answer = ask(policy, view)
    work = answer.work
    model = policy.model
    mine = DiffusionHead(model, policy.statistics)
    mine.denoise_in(steps)
    feature, noise = torch.zeros(1, config.decoder.width), torch.zeros(1, 4, 7)
    with (
        torch.inference_mode(),
        torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH),
    ):
        mine.denoised(feature, noise)
        with FlopCounterMode(display=False) as counter:
            mine.denoised(feature, noise)
    costs = CostModel(config).inference(work)
    assert costs['decode'].flops == pytest.approx(counter.get_total_flops(), rel=0.02)
    assert costs['selection'].flops > 0 and work.steps == steps
    weights = sum(p.numel() for p in model.action_model.parameters())
    dit = model.action_model
    once = [*dit.t_embedder.parameters(), *dit.z_embedder.parameters()]
    a_step = weights - sum(p.numel() for p in once)
    read = (costs['decode'].weights - dit.z_embedder.linear.weight.numel()) / steps
    assert read == pytest.approx(a_step, rel=0.02)


def test_the_whole_inference_is_counted(cogact_config, view):
    policy = policy_of(cogact_config)
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        work = ask(policy, view).work
        with FlopCounterMode(display=False) as counter:
            ask(policy, view)
    total = CostModel(cogact_config).total(work).flops
    assert total == pytest.approx(counter.get_total_flops(), rel=0.02)


def test_in_bfloat16_the_head_stays_float32(cogact_config, view):
    model = random_model(cogact_config, dtype=torch.bfloat16)
    kinds = {weight.dtype for weight in model.action_model.parameters()}
    assert kinds == {torch.float32} and model.dtype == torch.bfloat16
    answer = ask(Policy(model, FixedPrompt(PROMPT)), view)
    assert np.isfinite(answer.chunk_values).all()


def test_nothing_of_the_noise_is_drawn_for_what_is_only_looked_at(policy, view):
    first = ask(policy, view).chunk_values
    policy.reset()
    policy.logits(Observation(tuple(view), 'go'))
    np.testing.assert_array_equal(ask(policy, view).chunk_values, first)


def test_a_head_without_a_flow_does_not_begin_with_given_rows(policy):
    with pytest.raises(ValueError, match="rtc is 'prefix', but this checkpoint has no flow"):
        policy.sibling().set_continuation(rtc='prefix')
