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

"""Drafts: from metres, radians and gripper to the tokens that the model would say."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from vla_accel_ros.models.action_tokens import ActionStatistics, ActionTokens, from_si, to_si
from vla_accel_ros.models.heads.drafts import GIVEN, NONE, PREVIOUS, Drafts
from vla_accel_ros.models.policy import Policy
from vla_accel_ros.observations import Observation

TOKENS = ActionTokens(300, 256)
STATISTICS = ActionStatistics.from_dict(
    {
        'q01': [-0.03, -0.02, -0.05, -0.1, -0.2, 0.0, 0.0],
        'q99': [0.03, 0.04, 0.01, 0.1, 0.1, 0.5, 1.0],
        'mask': [True] * 6 + [False],
    }
)
INSTRUCTION = 'pick up the red cube'


@pytest.fixture(params=[True, False])
def config(small_config, request):
    return replace(small_config, gripper_open_is_one=request.param)


@pytest.fixture
def drafts(config):
    return Drafts(TOKENS, STATISTICS, config)


# A gripper that is stored as it is, between 0 and 1, uses the upper half of the bins alone.
@given(motion=st.lists(st.integers(1, 255), min_size=6, max_size=6), gripper=st.integers(128, 255))
@pytest.mark.parametrize('open_is_one', [True, False])
def test_the_tokens_of_an_action_come_back(small_config, open_is_one, motion, gripper):
    config = replace(small_config, gripper_open_is_one=open_is_one)
    ids = TOKENS.vocab - np.array([*motion, gripper])
    values = to_si(TOKENS.decode(ids), STATISTICS, config)
    drafts = Drafts(TOKENS, STATISTICS, config)
    assert drafts.propose(GIVEN, values) == ids.tolist()


def test_from_si_is_the_inverse_of_to_si(config):
    normalised = np.array([-0.9, -0.5, 0.0, 0.3, 0.7, 0.99, 0.25])
    values = to_si(normalised, STATISTICS, config)
    assert from_si(values, STATISTICS, config) == pytest.approx(normalised)


def test_of_the_ids_of_one_value_the_model_is_taken_to_say_again_what_it_said(drafts, config):
    edge, last_bin, below = TOKENS.first, TOKENS.first + 1, TOKENS.vocab - 1
    for said in ((edge,) * 7, (last_bin,) * 7, (edge,) * 6 + (below,), (2,) * 7):
        ids = np.array(said)
        drafts.learn(ids)
        held = to_si(TOKENS.decode(ids), STATISTICS, config)
        assert drafts.propose(GIVEN, held) == list(said)
    # Another value is none of these.
    moved = held - [1e-3, 0, 0, 0, 0, 0, 0]
    assert drafts.propose(GIVEN, moved)[0] != said[0]
    assert drafts.propose(GIVEN, moved)[1:] == list(said[1:])


def test_values_beyond_the_range_are_drafted_as_its_ends(drafts):
    ids = drafts.propose(GIVEN, np.array([9.0, -9.0, 0, 0, 0, 0, 5.0]))
    assert ids[0] == TOKENS.first and ids[1] == TOKENS.vocab - 1
    assert all(TOKENS.first <= i < TOKENS.vocab for i in ids)


def test_a_draft_that_is_not_finite_is_none(drafts):
    assert drafts.propose(GIVEN, np.array([0, 0, np.nan, 0, 0, 0, 0])) is None
    assert drafts.propose(GIVEN, np.array([0, np.inf, 0, 0, 0, 0, 0])) is None


def test_a_draft_of_another_size_is_refused(drafts):
    with pytest.raises(ValueError, match=r'draft has shape \[6\], expected \[7\]'):
        drafts.propose(GIVEN, np.zeros(6))


def test_sources(drafts):
    assert drafts.propose(PREVIOUS, np.zeros(7)) is None
    drafts.learn(np.arange(200, 207))
    assert drafts.propose(PREVIOUS, None) == list(range(200, 207))
    assert drafts.propose(NONE, np.zeros(7)) is None
    assert drafts.propose(GIVEN, None) is None
    drafts.forget()
    assert drafts.propose(PREVIOUS, None) is None


@pytest.fixture
def policy(embedded_folder):
    return Policy.load(embedded_folder)


@pytest.mark.parametrize('name', ['verify', 'jacobi', 'relaxed'])
def test_its_own_action_as_draft_is_confirmed_in_one_pass(policy, views, name):
    observation = Observation(views, INSTRUCTION)
    plain = policy.predict(observation)
    assert (plain.passes, plain.accepted) == (7, 0)
    policy.set_decoder(name, draft='previous')
    drafted = policy.predict(observation)
    assert (drafted.token_ids == plain.token_ids).all()
    assert (drafted.passes, drafted.accepted) == (1, 7)


def test_a_given_draft_changes_no_action(policy, views):
    observation = Observation(views, INSTRUCTION)
    plain = policy.predict(observation)
    policy.set_decoder('verify')
    for seed in range(5):
        draft = np.random.default_rng(seed).uniform(-0.1, 0.1, 7)
        drafted = policy.predict(observation, draft=draft)
        assert (drafted.chunk_values == plain.chunk_values).all()
        assert 1 <= drafted.passes <= 7
    assert policy.predict(observation).passes == 7


def test_an_episode_begins_without_a_previous_answer(policy, views):
    policy.set_decoder('verify', draft='previous')
    passes = [policy.predict(Observation(views, INSTRUCTION)).passes for _ in range(2)]
    policy.reset()
    assert passes == [7, 1]
    assert policy.predict(Observation(views, INSTRUCTION)).passes == 7


def test_a_decoder_that_is_refused_leaves_what_was_in_use(policy, views):
    policy.set_decoder('verify', draft='previous')
    policy.predict(Observation(views, INSTRUCTION))
    for wrong in (('magic',), ('relaxed', -1), ('verify', 2, 'crystal ball')):
        with pytest.raises(ValueError, match=r"decoder is|bins|draft is 'crystal ball'"):
            policy.set_decoder(*wrong)
    assert policy.predict(Observation(views, INSTRUCTION)).accepted == 7
