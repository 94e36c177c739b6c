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

"""An engine against eager: what counts as the same, as a tie, and as too far."""

import numpy as np
import pytest
import torch
from toy_engine import Changing, failing, lying, not_finite

from vla_accel_ros.engines.eager import EAGER
from vla_accel_ros.engines.fallback import Fallback
from vla_accel_ros.engines.interface import EngineError
from vla_accel_ros.models.parity.engines import EXACT, NEAR, REDUCED, Agreement, Bound, compare
from vla_accel_ros.models.parity.frames import few_frames, recorded
from vla_accel_ros.models.policy import Policy


@pytest.fixture
def policy(embedded_folder):
    return Policy.load(embedded_folder, threads=1)


def shifted(amount):
    """Give an engine whose logits favour the neighbour of each token by so much."""

    def change(name, done):
        if name != 'lm_head':
            return done
        logits = done['logits'].clone()
        best, second = logits.topk(2).values[-1]
        logits[-1, logits[-1].topk(2).indices[1]] += best - second + amount
        return {'logits': logits}

    return Changing(change)


def test_eager_agrees_with_itself_by_every_way_of_asking(policy):
    frames = [recorded(policy, step) for step in range(10)]
    found = compare(policy, Changing(), frames)
    assert (found.frames, found.same, found.changed, found.kept) == (10, 10, 0, 0)
    assert found.tokens == 70 and found.objection(EXACT) is None


def test_a_lying_engine_is_found_out_whatever_prunes(policy):
    for prepare in (
        lambda each: None,
        lambda each: each.set_pruning('fastv', keep=0.5, layer=1, round_up=False),
    ):
        found = compare(policy, Changing(lying), few_frames(policy), prepare)
        assert found.changed and 'tokens differ from those of eager' in found.objection(EXACT)


@pytest.mark.parametrize('wrapped', [False, True])
def test_an_engine_that_gives_nan_is_not_taken_for_eager_that_answers_in_its_place(
    policy, wrapped
):
    engine = Changing(not_finite)
    found = compare(policy, Fallback(engine, EAGER) if wrapped else engine, few_frames(policy))
    assert found.not_finite and 'NaN or infinity' in found.objection(EXACT)
    assert 'NaN or infinity' in found.objection(REDUCED)


def test_the_second_best_token_is_a_tie_only_where_both_are_as_good(policy, monkeypatch):
    frames = [recorded(policy)]
    found = compare(policy, shifted(1e-6), frames)
    assert (found.same, found.ties) == (0, 0) and found.changed >= 1
    monkeypatch.setattr('vla_accel_ros.models.parity.engines.NEAR', 100.0)
    found = compare(policy, shifted(1e-6), frames)
    assert (found.same, found.ties, found.changed, found.tokens) == (0, 1, 0, 0)
    assert 0 < NEAR < 1e-2


def test_settings_and_memory_of_the_policy_stay(policy):
    policy.set_decoder('verify', draft='previous')
    policy.assume_previous(np.full(7, 100))
    before = policy.in_use
    compare(policy, Changing(), few_frames(policy))
    assert policy.in_use is before
    assert policy.predict(recorded(policy).observation).passes >= 1


def test_an_engine_that_cannot_run_says_so(policy):
    with pytest.raises(EngineError, match='no'):
        compare(policy, Changing(failing('span', 'no')), few_frames(policy))


@pytest.mark.parametrize(
    ('changes', 'bound', 'objects'),
    [
        ({}, EXACT, False),
        ({'ties': 2, 'same': 2}, EXACT, False),
        ({'changed': 1}, EXACT, True),
        ({'changed': 9, 'mean_bins': 0.9}, REDUCED, False),
        ({'changed': 9, 'mean_bins': 1.1}, REDUCED, True),
        ({'changed': 9, 'mean_bins': float('inf')}, REDUCED, True),
        ({'tokens': 0, 'numbers': 9e-4}, EXACT, False),
        ({'tokens': 0, 'numbers': 2e-3}, EXACT, True),
        ({'tokens': 0, 'numbers': 0.09}, REDUCED, False),
        ({'tokens': 0, 'numbers': float('nan')}, REDUCED, True),
    ],
)
def test_a_bound_holds_for_tokens_or_for_numbers(changes, bound, objects):
    values = dict.fromkeys(('frames', 'same', 'ties', 'changed', 'kept'), 0)
    found = Agreement(**{**values, 'tokens': 28, 'mean_bins': 0.0, 'numbers': 0.0, **changes})
    assert (found.objection(bound) is not None) == objects


def test_what_is_not_exact_has_a_bound_of_its_own():
    engine = Changing()
    assert Bound.of(engine) == EXACT
    engine.exact = False
    assert Bound.of(engine) == REDUCED


def test_regressed_numbers_are_compared_normalised(toy_checkpoint):
    policy = Policy.load(toy_checkpoint, threads=1)

    def noisy(name, done):
        return {key: part + 0.5 if key == 'x' else part for key, part in done.items()}

    assert compare(policy, Changing(), few_frames(policy)).numbers == 0
    found = compare(policy, Changing(noisy), few_frames(policy))
    assert found.tokens == 0 and found.same == 0 and 1e-3 < found.numbers < 3
    assert 'normalised numbers are up to' in found.objection(EXACT)
    assert torch.is_grad_enabled()
