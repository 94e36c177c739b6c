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

import pytest
import torch
import torch.nn.functional as F

from vla_accel_ros.training.attention import BLOCKS, attend, blocks, fast_attention

ROWS = 37


def causal(dtype: torch.dtype, hidden: slice = slice(0, 0)) -> torch.Tensor:
    """A sequence's mask, added to the scores; some keys hidden from the later half."""
    sees = torch.ones(ROWS, ROWS, dtype=torch.bool).tril()
    sees[ROWS // 2 :, hidden] = False
    return torch.zeros(ROWS, ROWS, dtype=dtype).masked_fill(~sees, float('-inf'))[None, None]


def inputs(dtype: torch.dtype) -> list[torch.Tensor]:
    torch.manual_seed(0)
    return [torch.randn(2, 3, ROWS, 8, dtype=dtype, requires_grad=True) for _ in 'qkv']


MASKS = {
    'none': None,
    'causal': causal(torch.float64),
    'branches': causal(torch.float64, slice(5, 9)),
    'padding': (torch.arange(ROWS) < torch.tensor([[30], [20]]))[:, None, None],
}


@pytest.mark.parametrize('mask', MASKS.values(), ids=MASKS)
def test_answers_and_gradients_are_those_of_fused_attention(mask):
    q, k, v = inputs(torch.float64)
    grad = torch.randn(2, 3, ROWS, 8, dtype=torch.float64)
    fused = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    ours = attend(q, k, v, mask)
    torch.testing.assert_close(ours, fused)
    torch.testing.assert_close(
        torch.autograd.grad(ours, (q, k, v), grad), torch.autograd.grad(fused, (q, k, v), grad)
    )


def test_in_bfloat16_gradients_are_as_near_as_bfloat16_allows():
    wide, mask = inputs(torch.float32), causal(torch.float32)
    grad = torch.randn(2, 3, ROWS, 8) + 0.5
    exact = torch.autograd.grad(F.scaled_dot_product_attention(*wide, attn_mask=mask), wide, grad)
    narrow = [x.detach().bfloat16().requires_grad_() for x in wide]
    given = torch.autograd.grad(attend(*narrow, mask.bfloat16()), narrow, grad.bfloat16())
    for ours, right in zip(given, exact, strict=True):
        assert (ours.float() - right).norm() < 0.02 * right.norm()


def test_a_causal_mask_is_cut_into_blocks_that_leave_later_keys_out():
    parts = blocks(MASKS['branches'], ROWS, ROWS)
    assert len(parts) == BLOCKS
    assert [start for start, _, _ in parts] == [0, *(end for _, end, _ in parts[:-1])]
    assert all(end == keys for _, end, keys in parts)
    assert parts[-1][1] == ROWS


def test_a_mask_that_shows_one_later_key_is_not_cut():
    mask = causal(torch.float64)
    mask[..., 3, 20] = 0.0
    assert blocks(mask, ROWS, ROWS) == [(0, ROWS, ROWS)]


def test_while_training_on_a_cpu_fused_calls_are_answered_by_it():
    q, k, v = inputs(torch.float32)
    with fast_attention(torch.device('cpu')):
        ours = F.scaled_dot_product_attention(q, k, v, attn_mask=causal(torch.float32))
        flagged = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        with torch.no_grad():
            asked = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    after = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    assert 'Attend' in type(ours.grad_fn).__name__
    assert 'Attend' not in type(flagged.grad_fn).__name__ + type(after.grad_fn).__name__
    torch.testing.assert_close(ours, flagged)
    assert torch.equal(asked, after)
