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
"""Labels agree with the tokeniser, and standing still has a token of its own."""

import numpy as np
import pytest
from spaces import TWO_ARMS
import torch

from vla_accel_ros.models.action_tokens import ActionStatistics, ActionTokens
from vla_accel_ros.training.tokens import jitter, places, soft_cross_entropy, statistics


def test_a_place_is_the_index_that_the_tokeniser_gives():
    tokens = ActionTokens(300, 256)
    values = np.random.default_rng(0).uniform(-1, 1, 1000)
    index = 299 - tokens.encode(values)
    assert np.abs(places(values) - index).max() <= 0.5 + 1e-9


def test_standing_still_is_the_centre_of_a_bin():
    labels = np.random.default_rng(1).normal([0.002, 0, 0, 0, 0, 0, 0.5], 0.01, (500, 7))
    stats = ActionStatistics.from_dict(statistics(labels)['action'])
    still = places(stats.normalise(np.zeros(7)))
    np.testing.assert_allclose(still[:6], 127.0, atol=1e-9)
    assert not stats.mask[6]


def test_a_column_that_never_moves_has_a_range():
    stats = statistics(np.zeros((10, 7)))['action']
    assert min(stats['q99'][:3]) > 0
    assert min(stats['q99'][3:6]) == pytest.approx(0.02)
    assert stats['mask'] == [True] * 6 + [False]


def test_soft_cross_entropy_is_zero_at_the_label_and_grows_away():
    bins = torch.arange(255.0)
    vocabulary = torch.full((300,), -1e4)
    vocabulary[-255:] = (-0.5 * ((bins - 100.0) / 3.0) ** 2).flip(0)
    at = soft_cross_entropy(vocabulary, torch.tensor(100.0), 3.0)
    near = soft_cross_entropy(vocabulary, torch.tensor(103.0), 3.0)
    far = soft_cross_entropy(vocabulary, torch.tensor(110.0), 3.0)
    assert abs(float(at)) < 1e-4
    # Two Gaussians of one width: the divergence is half the squared distance in widths.
    assert float(near) == pytest.approx(0.5, abs=0.02)
    assert float(far) == pytest.approx(0.5 * (10 / 3) ** 2, abs=0.05)


def test_the_loss_is_about_the_token_that_policies_decode():
    tokens = ActionTokens(300, 256)
    place = torch.tensor(float(places(np.array(0.3))))
    logits = torch.zeros(300)
    logits[int(tokens.encode(np.array(0.3)))] = 20.0
    right = soft_cross_entropy(logits, place, 0.5)
    logits = logits.roll(9)
    assert float(right) < float(soft_cross_entropy(logits, place, 0.5)) - 5


def test_jitter_moves_inputs_by_a_few_bins_and_repeats():
    target = torch.full((2000,), 127.0)
    moved = jitter(target, 2.0, torch.Generator().manual_seed(0))
    again = jitter(target, 2.0, torch.Generator().manual_seed(0))
    assert torch.equal(moved, again)
    assert 1.7 < float(moved.float().std()) < 2.3
    assert torch.equal(jitter(target, 0.0, torch.Generator()), target.long())
    edge = jitter(torch.full((100,), 254.4), 5.0, torch.Generator().manual_seed(1))
    assert int(edge.max()) == 254


def test_statistics_of_two_arms_leave_both_grippers_as_they_are():
    found = statistics(np.zeros((9, 14)), TWO_ARMS)['action']
    assert [i for i, on in enumerate(found['mask']) if not on] == [*TWO_ARMS.grippers]
    assert found['q99'] == TWO_ARMS.spread(1e-3, 0.02, gripper=1.0).tolist()
