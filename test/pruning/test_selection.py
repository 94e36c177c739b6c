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


from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
import numpy as np
import torch

from vla_accel_ros.pruning.selection import extend, has_contrast, mass, ranks, top

positive = npst.arrays(
    np.float64,
    st.tuples(st.integers(1, 3), st.integers(1, 20)),
    elements=st.integers(1, 50).map(float),
)


def test_ranks_count_from_the_highest_and_break_ties_by_index():
    assert ranks(torch.tensor([[3.0, 9.0, 3.0, 1.0]])).tolist() == [[1, 0, 2, 3]]


def test_top_takes_a_count_a_camera_and_more_than_exist_is_all():
    scores = torch.tensor([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])
    assert top(scores, torch.tensor([[1], [2]])).tolist() == [
        [False, False, True],
        [True, True, False],
    ]
    assert top(scores, 10).all()
    assert not top(scores, 0).any()


def test_mass_keeps_the_fewest_that_reach_the_threshold():
    scores = torch.tensor([[0.1, 0.4, 0.2, 0.3]])
    assert mass(scores, 0.4).tolist() == [[False, True, False, False]]
    assert mass(scores, 0.41).tolist() == [[False, True, False, True]]
    assert mass(scores, 1.0).all()
    assert not mass(scores, 0.0).any()


@given(positive, st.floats(0, 1))
def test_mass_reaches_its_threshold_and_would_not_without_the_least_of_it(values, threshold):
    scores = torch.from_numpy(values)
    chosen = mass(scores, threshold)
    for row, mark in zip(scores, chosen, strict=True):
        share = row[mark].sum() / row.sum()
        assert share >= threshold - 1e-9
        if mark.any() and threshold < 1:
            assert (row[mark].sum() - row[mark].min()) / row.sum() < threshold
        assert not mark.any() or mark.all() or row[mark].min() >= row[~mark].max()


@given(positive, st.randoms(), st.integers(1, 70))
def test_extend_keeps_exactly_the_count_marked_tokens_first(values, random, count):
    scores = torch.from_numpy(values)
    mask = torch.tensor([[random.random() < 0.4 for _ in row] for row in values])
    result = extend(mask, scores, count)
    assert int(result.sum()) == min(count, scores.numel())
    if count >= int(mask.sum()):
        assert bool((result | ~mask).all())
    else:
        assert bool((mask | ~result).all())


def test_extend_never_adds_a_token_that_is_not_there():
    scores = torch.tensor([[5.0, float('-inf'), 1.0]])
    assert extend(torch.zeros(1, 3, dtype=torch.bool), scores, 3).tolist() == [[True, False, True]]


def test_contrast_is_asked_of_every_camera_and_of_present_tokens_only():
    assert not has_contrast(torch.full((1, 4), 0.25))
    assert has_contrast(torch.tensor([[0.2, 0.3]]))
    assert not has_contrast(torch.tensor([[0.2, 0.3], [0.5, 0.5]]))
    present = torch.tensor([[True, True, False]])
    assert not has_contrast(torch.tensor([[0.2, 0.2, 0.0]]), present)
