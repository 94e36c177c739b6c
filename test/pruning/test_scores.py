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
import pytest
import torch

from vla_accel_ros.pruning.scores import attention_rows, focus_of, token_scores


def eager(q, k, mask):
    k = k.repeat_interleave(q.shape[0] // k.shape[0], 0)
    products = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
    return products.masked_fill(~mask, float('-inf')).softmax(-1)


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 10_000), st.sampled_from([(1, 1), (4, 4), (4, 2), (6, 1)]), st.integers(1, 12)
)
def test_rows_equal_eager_attention_whatever_the_heads_and_gaps(seed, heads, length):
    generator = torch.Generator().manual_seed(seed)
    q = torch.randn(heads[0], length, 8, generator=generator, dtype=torch.float64)
    k = torch.randn(heads[1], length, 8, generator=generator, dtype=torch.float64)
    positions = torch.randperm(40, generator=generator)[:length].sort().values
    rows = torch.randperm(length, generator=generator)[: max(1, length // 2)]
    whole = eager(q, k, positions[None] <= positions[:, None])
    got = attention_rows(q[:, rows], k, positions[rows], positions)
    torch.testing.assert_close(got, whole[:, rows].float(), atol=1e-5, rtol=0)


@pytest.mark.parametrize('heads', [(4, 4), (4, 2)])
@pytest.mark.parametrize('rows', [1, 3, 7])
def test_only_keys_that_may_lie_behind_a_query_need_be_compared(heads, rows):
    generator = torch.Generator().manual_seed(rows)
    q = torch.randn(heads[0], 7, 8, generator=generator)
    k = torch.randn(heads[1], 7, 8, generator=generator)
    positions = torch.tensor([0, 2, 3, 7, 8, 11, 12])
    last = slice(7 - rows, None)
    found = attention_rows(q[:, last], k, positions[last], positions, doubtful=rows - 1)
    assert torch.equal(found, attention_rows(q[:, last], k, positions[last], positions))
    if rows > 1:
        fewer = attention_rows(q[:, last], k, positions[last], positions, doubtful=rows - 2)
        assert not torch.equal(found, fewer)


def test_without_positions_attention_is_bidirectional():
    q, k = torch.randn(2, 3, 4), torch.randn(2, 5, 4)
    whole = eager(q, k, torch.ones(3, 5, dtype=torch.bool))
    torch.testing.assert_close(attention_rows(q, k), whole)


def test_heads_that_do_not_divide_are_an_error():
    with pytest.raises(ValueError, match='3 query heads are no multiple of 2'):
        attention_rows(torch.zeros(3, 1, 4), torch.zeros(2, 1, 4))


def test_scores_stand_at_the_ids_of_the_present_tokens():
    weights = torch.tensor([[[0.1, 0.6, 0.2, 0.1]], [[0.3, 0.2, 0.4, 0.1]]])
    scores = token_scores(weights, 1, torch.tensor([1, 3]), cameras=2, tokens=2)
    torch.testing.assert_close(scores.received, torch.tensor([[0.0, 0.4], [0.0, 0.3]]))
    assert scores.entropy is None
    assert scores.present.tolist() == [[False, True], [False, True]]


def test_entropy_is_that_of_the_attention_among_visual_tokens():
    even = token_scores(torch.tensor([[[0.8, 0.05, 0.05, 0.1]]]), 1, torch.arange(2), 1, 2, True)
    assert float(even.entropy) == pytest.approx(0.6931, abs=1e-4)
    sure = token_scores(torch.tensor([[[0.5, 0.5, 0.0]]]), 1, torch.arange(2), 1, 2, True)
    assert float(sure.entropy) == pytest.approx(0.0, abs=1e-6)


def test_focus_is_how_unevenly_attention_comes_from_the_rows():
    even, one, nothing = [0.2, 0.2, 0.2], [0.3, 0.0, 0.0], [0.0, 0.0, 0.0]
    two = [0.1, 0.1, 0.0]
    got = focus_of(torch.tensor([even, one, nothing, two]).T)
    # Half and half of three rows: 1 - log 2 / log 3.
    torch.testing.assert_close(got, torch.tensor([0.0, 1.0, 1.0, 0.36907]), atol=1e-5, rtol=0)
    assert focus_of(torch.tensor([[0.2, 0.4]])).tolist() == [1.0, 1.0]
