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

"""A request reaches the policy whole, and what the policy did is told."""

import numpy as np
import pytest

from vla_accel_ros.actions import Action
from vla_accel_ros.models.cost.workload import one_by_one
from vla_accel_ros.models.policy import Policy
from vla_accel_ros.models.serving import serve
from vla_accel_ros.observations import Observation
from vla_accel_ros.scheduling.decision import Request

INSTRUCTION = 'pick up the red cube'


@pytest.fixture
def policy(embedded_folder):
    return Policy.load(embedded_folder)


@pytest.fixture
def ask(policy, views):
    """Serve a request about the same views."""

    def serve_it(last=None, draft=None):
        return serve(
            policy, Request(7, INSTRUCTION, last, draft), Observation(views, INSTRUCTION, 7), 0.05
        )

    return serve_it


def test_a_draft_that_is_right_is_confirmed_in_one_pass(policy, ask):
    policy.set_decoder('verify')
    first = ask()
    again = ask(Action(np.zeros(7)), first.chunk_values[0])
    assert (first.passes, first.accepted) == (7, 0)
    assert (again.passes, again.accepted) == (1, 7)
    np.testing.assert_array_equal(first.token_ids, again.token_ids)


def test_motion_steers_pruning(policy, ask):
    policy.set_pruning('sp_vla', edges=False, round_up=False)
    assert ask().pruning == 'first_step'
    assert ask(Action(np.zeros(7))).pruning == 'slow'
    assert ask(Action(np.array([0.03, 0, 0, 0, 0, 0, 0]))).pruning == 'pruned'


def test_the_first_step_of_an_episode_begins_anew(policy, ask):
    policy.set_decoder('verify', draft='previous')
    ask()
    assert ask(Action(np.zeros(7))).accepted == 7
    assert ask().accepted == 0


def test_what_was_done_is_told(policy, ask):
    whole = ask().work
    assert whole.visual == (policy.config.visual_tokens,) * 2
    assert whole.projected == policy.config.visual_tokens
    assert whole.passes == one_by_one(7)
    policy.set_pruning('random', keep=0.5, round_up=False)
    policy.set_decoder('jacobi')
    less = ask().work
    assert less.visual == (policy.config.visual_tokens // 2,) * 2
    assert less.projected == policy.config.visual_tokens // 2
    assert less.draft_in_prefill == 6
    assert all(0 < count <= 6 - before for before, count in less.passes)
