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

"""Attention weights written down plainly, for scores to be compared with."""

import torch


def eager_rows(layer, x, rope, mask=None):
    """Give all attention weights of a decoder layer, without fused attention and cache.

    Args:
        layer: The layer.
        x: [B, S, width], what enters it.
        rope: Cosine and sine of the S positions.
        mask: bool [S, S], True where a query sees a key; causal in order when None.

    Returns:
        float32 [B, heads, S, S].
    """
    attention = layer.self_attn
    x = layer.input_layernorm(x)
    q, k = attention.queries(x, rope), attention.keys(x, rope)
    k = k.repeat_interleave(attention.heads // attention.kv_heads, dim=1)
    scores = (q @ k.transpose(-1, -2)).float() * attention.head_width**-0.5
    if mask is None:
        mask = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).tril()
    return scores.masked_fill(~mask, float('-inf')).softmax(-1)
