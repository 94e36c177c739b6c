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


from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest
import torch

from vla_accel_ros.pruning.diversity import cosine_distances, diverse, max_min


def by_definition(distances, count, first):
    chosen = [first]
    while len(chosen) < count:
        gap = distances[chosen].min(0)
        gap[chosen] = -np.inf
        chosen.append(int(gap.argmax()))
    return np.isin(np.arange(len(distances)), chosen)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 100_000), st.integers(2, 80), st.integers(1, 6), st.booleans())
def test_the_one_whose_nearest_chosen_token_is_farthest_is_next(seed, tokens, width, coarse):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(tokens, width))
    if coarse:
        features = features.round()  # many exact ties and duplicates
    distances = cosine_distances(torch.from_numpy(features)).numpy()
    distances = (distances + distances.T) / 2
    count, first = int(rng.integers(1, tokens + 1)), int(rng.integers(tokens))
    got = max_min(distances, count, first)
    assert np.array_equal(got, by_definition(distances, count, first))
    assert got.sum() == count


def test_duplicates_are_chosen_last():
    features = torch.tensor([[[1.0, 0], [1, 0], [0, 1], [-1, 0], [0, 1]]])
    chosen = diverse(
        cosine_distances(features),
        torch.ones(1, 5, dtype=torch.bool),
        [3],
        torch.tensor([[9.0, 0, 0, 0, 0]]),
    )
    assert chosen.tolist() == [[True, False, True, True, False]]


def test_each_camera_has_its_budget_and_its_start():
    features = torch.randn(2, 10, 4, generator=torch.Generator().manual_seed(1))
    start = torch.zeros(2, 10)
    start[0, 7], start[1, 2] = 1, 1
    candidates = torch.ones(2, 10, dtype=torch.bool)
    candidates[0, :3] = False
    chosen = diverse(cosine_distances(features), candidates, [4, 6], start)
    assert chosen.sum(1).tolist() == [4, 6]
    assert chosen[0, 7] and chosen[1, 2] and not chosen[0, :3].any()


def test_zero_vectors_are_far_from_all():
    distances = cosine_distances(torch.tensor([[0.0, 0.0], [1.0, 0.0]]))
    assert distances[0].tolist() == [1.0, 1.0]


def test_some_tokens_are_compared_with_all():
    features = torch.randn(2, 10, 4, generator=torch.Generator().manual_seed(1))
    rows = torch.tensor([[3, 0], [9, 5]])
    got, whole = cosine_distances(features, rows), cosine_distances(features)
    assert got.shape == (2, 2, 10)
    torch.testing.assert_close(got, torch.stack([whole[0, [3, 0]], whole[1, [9, 5]]]))


def test_more_than_the_candidates_is_an_error():
    with pytest.raises(ValueError, match='3 tokens asked of 2 candidates'):
        max_min(np.zeros((2, 2)), 3, 0)
