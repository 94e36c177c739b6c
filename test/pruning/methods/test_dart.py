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


"""DART: pivots, turns, budgets."""

import numpy as np
from pruning_harness import drive
import pytest
import torch

from vla_accel_ros.engines.programs.vision import TokenDistances
from vla_accel_ros.pruning.methods.dart import least_alike
from vla_accel_ros.pruning.registry import create


def plainly(similarity, pivots, count):
    """Choose as the released code does: one pivot after the other, the least similar first."""
    kept, left = list(pivots), [i for i in range(similarity.shape[1]) if i not in pivots]
    for turn, row in enumerate(similarity):
        share, rest = divmod(count - len(pivots), len(pivots))
        chosen = sorted(left, key=lambda i: row[i])[: share + (turn < rest)]
        kept += chosen
        left = [i for i in left if i not in chosen]
    return sorted(kept)


@pytest.mark.parametrize(('pivots', 'count'), [(1, 1), (1, 7), (4, 4), (4, 13), (8, 40)])
def test_each_pivot_in_turn_takes_the_least_similar_that_are_left(pivots, count):
    features = torch.randn(2, 40, 6, generator=torch.Generator().manual_seed(count))
    got = TokenDistances(2, pivots).run({'visual': features.view(1, 80, 6)}, {})
    for camera in range(2):
        norms = features[camera].abs().sum(-1)
        wanted = sorted(range(40), key=lambda i: -norms[i])[:pivots]
        assert got['pivots'][camera].tolist() == wanted
        similarity = torch.cosine_similarity(
            features[camera, wanted][:, None], features[camera][None], dim=-1
        )
        torch.testing.assert_close(got['distances'][camera], 1 - similarity)
        mask = least_alike(got['distances'][camera].numpy(), np.array(wanted), count)
        assert mask.nonzero()[0].tolist() == plainly(similarity, wanted, count)


def test_of_tokens_in_pairs_one_of_each_pair_stays(layout):
    # Each token twice, the second one shorter: a pivot's twin is what resembles it most.
    half = torch.eye(128)[None] * torch.linspace(2, 3, 128)[:, None]
    visual = torch.cat([half, 0.1 * half], 1) + 0.01
    pruner = create('dart', layout, keep=0.5, pivots=128, round_up=False)
    assert drive(pruner, visual=visual).mask.nonzero()[:, 1].tolist() == list(range(128))


def test_it_asks_for_no_attention_and_drops_before_the_decoder(two_cameras):
    seen = drive(create('dart', two_cameras, keep=0.25))
    needs = seen.needs
    assert not (needs.tower_attention or needs.layers or needs.decode)
    assert (needs.distances, needs.from_pivots, needs.drops) == (True, 8, (0,))
    assert list(seen.kept) == ['projector']
    assert seen.mask.sum(1).tolist() == [64, 64]


def test_a_budget_below_the_pivots_keeps_pivots(small):
    seen = drive(create('dart', small, keep=0.125, round_up=False))
    assert seen.needs.from_pivots == 4
    assert seen.mask.sum(1).tolist() == [5, 4]


def test_where_all_is_kept_nothing_is_computed(small):
    pruner = create('dart', small, keep=1.0)
    assert not drive(pruner).needs.distances
    assert pruner.reason == 'keep_all'


def test_tokens_that_are_all_alike_stay(small):
    pruner = create('dart', small)
    assert drive(pruner, visual=torch.ones(2, 36, 8)).count == 72
    assert pruner.reason == 'no_contrast'
