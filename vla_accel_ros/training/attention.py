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

"""Attention as plain matrix products, with a backward pass that a CPU is quick at (ours).

The fused kernel's backward pass takes most of a training step on a CPU. Products of matrices in
bfloat16 are fast there, so what counts is how often the scores are walked over in between: here
twice forward and once backward, and where later keys are hidden from earlier queries, only
over the blocks that hold anything.
"""

from __future__ import annotations

import contextlib
from itertools import pairwise

import torch
from torch import Tensor
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode

# Into how many blocks the queries of a causal sequence are cut.
BLOCKS = 3


def blocks(mask: Tensor | None, queries: int, keys: int) -> list[tuple[int, int, int]]:
    """Return which queries are to be taken together, and how many keys these can see.

    Args:
        mask: Added to the scores; None where every query sees every key.
        queries: How many.
        keys: How many.

    Returns:
        First query, the one behind the last, and the keys, for each block.
    """
    whole = mask is not None and queries == keys and mask.shape[-2:] == (queries, keys)
    if not whole or not _causal(mask):
        return [(0, queries, keys)]
    ends = [round(queries * part / BLOCKS) for part in range(BLOCKS + 1)]
    return [(start, end, end) for start, end in pairwise(ends)]


def _causal(mask: Tensor) -> bool:
    later = torch.ones(mask.shape[-2:], dtype=torch.bool, device=mask.device).triu(1)
    return bool(mask.isneginf()[..., later].all())


class _Attend(torch.autograd.Function):
    """Softmax of scaled products, times values; see `attend`."""

    @staticmethod
    def forward(ctx, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
        scale = q.shape[-1] ** -0.5
        if mask is not None and mask.dtype is torch.bool:
            mask = q.new_zeros(mask.shape).masked_fill(~mask, float('-inf'))
        ctx.parts = blocks(mask, q.shape[-2], k.shape[-2])
        shares, out = [], torch.empty_like(q)
        for start, end, keys in ctx.parts:
            scores = (q[..., start:end, :] * scale) @ k[..., :keys, :].transpose(-1, -2)
            if mask is not None:
                scores += mask if len(ctx.parts) == 1 else mask[..., start:end, :keys]
            share = scores.softmax(-1)
            out[..., start:end, :] = share @ v[..., :keys, :]
            shares.append(share)
        ctx.scale = scale
        ctx.save_for_backward(q, k, v, out, *shares)
        return out

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, ...]:
        q, k, v, out, *shares = ctx.saved_tensors
        grad_q, grad_k, grad_v = torch.empty_like(q), torch.zeros_like(k), torch.zeros_like(v)
        # Further channels of a product take the subtraction that softmax's derivative wants.
        wider = torch.cat([grad, *_less(grad, out)], dim=-1)
        ones = F.pad(v, (0, wider.shape[-1] - grad.shape[-1]), value=1.0)
        for (start, end, keys), share in zip(ctx.parts, shares, strict=True):
            rows = grad[..., start:end, :]
            grad_v[..., :keys, :] += share.transpose(-1, -2) @ rows
            scores = wider[..., start:end, :] @ ones[..., :keys, :].transpose(-1, -2)
            scores.mul_(share)
            grad_q[..., start:end, :] = (scores @ k[..., :keys, :]) * ctx.scale
            grad_k[..., :keys, :] += (scores.transpose(-1, -2) @ q[..., start:end, :]) * ctx.scale
        return grad_q, grad_k, grad_v, None


def _less(grad: Tensor, out: Tensor) -> tuple[Tensor, Tensor]:
    """Return two columns that together are minus the sum over channels of both's product.

    It is subtracted from what is nearly as large: what the first rounds off is in the second.
    """
    wide = torch.promote_types(grad.dtype, torch.float32)
    inner = -(grad.to(wide) * out).sum(-1, keepdim=True)
    first = inner.to(grad.dtype)
    return first, (inner - first).to(grad.dtype)


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    """Attend from queries to keys.

    Args:
        q: [B, heads, queries, width].
        k: [B, heads, keys, width].
        v: [B, heads, keys, width].
        mask: [..., queries or 1, keys], bool, True where a query sees a key, or added to the
            scores; None for none.

    Returns:
        [B, heads, queries, width], differentiable in q, k and v.
    """
    return _Attend.apply(q, k, v, mask)


class _Quick(TorchFunctionMode):
    """Answers fused attention's calls by `attend`."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func is F.scaled_dot_product_attention and self._plain(args, kwargs):
            return attend(*args[:3], kwargs.get('attn_mask'))
        return func(*args, **kwargs)

    @staticmethod
    def _plain(args: tuple, kwargs: dict) -> bool:
        plain = {'attn_mask', 'is_causal', 'enable_gqa'}
        other = kwargs.get('is_causal') or kwargs.get('enable_gqa') or set(kwargs) - plain
        return len(args) == 3 and not other and torch.is_grad_enabled()


def fast_attention(device: torch.device) -> contextlib.AbstractContextManager:
    """Return what makes attention fast in training on this device."""
    return _Quick() if device.type == 'cpu' else contextlib.nullcontext()
