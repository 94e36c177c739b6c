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


"""How much attention visual tokens receive from the few query rows that matter.

`softmax(q_rows K^T)` is computed for the rows asked for, at the layers asked for. The full map
of a layer exists only where a method wants all of its rows; maps of all layers never do.
"""

from __future__ import annotations

from dataclasses import dataclass
import math

import torch
from torch import Tensor


@dataclass(frozen=True)
class TokenScores:
    """Attention that visual tokens receive from some query rows of one layer.

    Attributes:
        received: float32 [cameras, tokens], mean over heads and rows of the softmax over all
            keys; 0 where a token is absent.
        present: bool [cameras, tokens], False where a token was dropped before this layer.
        entropy: float32 [], mean over heads and rows of the entropy, in nats, of the attention
            renormalised over the present visual tokens; None unless asked for.
        focus: float32 [cameras, tokens], see `focus_of`; 0 where a token is absent; None unless
            asked for.
    """

    received: Tensor
    present: Tensor
    entropy: Tensor | None = None
    focus: Tensor | None = None


def attention_rows(
    q: Tensor,
    k: Tensor,
    query_positions: Tensor | None = None,
    key_positions: Tensor | None = None,
    scale: float | None = None,
    doubtful: int | None = None,
) -> Tensor:
    """Give attention weights of a few queries.

    Args:
        q: [heads, rows, width], rotated.
        k: [kv heads, keys, width], rotated; kv heads divide heads (grouped queries).
        query_positions: int [rows], absolute; with `key_positions` a query sees only keys at
            its own position or before. None: attention is bidirectional.
        key_positions: int [keys], absolute, with gaps where tokens were dropped.
        scale: Factor on the products, width ** -0.5 if None.
        doubtful: Only the last so many keys may lie behind a query; None for all.

    Returns:
        float32 [heads, rows, keys].

    Raises:
        ValueError: When the heads do not divide.
    """
    heads, rows, width = q.shape
    groups = k.shape[0]
    if heads % groups:
        raise ValueError(f'{heads} query heads are no multiple of {groups} key heads')
    # The few queries are scaled rather than their products with all keys, and only keys that may
    # have to be hidden are compared: a pass over [heads, rows, keys] costs as much as the softmax.
    grouped = (q * (scale or width**-0.5)).reshape(groups, heads // groups * rows, width)
    products = (grouped @ k.transpose(-1, -2)).view(heads, rows, -1).float()
    if query_positions is not None and key_positions is not None and doubtful != 0:
        behind = slice(None if doubtful is None else -doubtful, None)
        hidden = key_positions[None, behind] > query_positions[:, None]
        products[..., behind].masked_fill_(hidden, float('-inf'))
    return products.softmax(-1)


def token_scores(
    weights: Tensor, first: int, ids: Tensor, cameras: int, tokens: int, entropy: bool = False
) -> TokenScores:
    """Reduce attention weights to what each visual token receives.

    Args:
        weights: [heads, rows, keys] from `attention_rows`.
        first: Key column of the first visual token; the others follow.
        ids: int [present], which visual tokens these are, camera * tokens + index, ascending.
        cameras: Cameras.
        tokens: Visual tokens of one camera.
        entropy: Whether to compute the entropy, which costs more than all the rest.
    """
    visual = weights[..., first : first + len(ids)]
    spread = entropy_of(visual) if entropy else None
    return placed(visual.mean((0, 1)), ids, cameras, tokens, spread)


def placed(
    received: Tensor, ids: Tensor, cameras: int, tokens: int, entropy: Tensor | None = None
) -> TokenScores:
    """Give what the present tokens receive its places among all.

    Args:
        received: float32 [present].
        ids: int [present], as for `token_scores`.
        cameras: Cameras.
        tokens: Visual tokens of one camera.
        entropy: As in `TokenScores`.
    """
    if len(ids) == cameras * tokens:
        present = torch.ones_like(received, dtype=torch.bool)
    else:
        received = received.new_zeros(cameras * tokens).index_copy(0, ids, received)
        present = torch.zeros_like(received, dtype=torch.bool).index_fill(0, ids, True)
    return TokenScores(received.view(cameras, tokens), present.view(cameras, tokens), entropy)


def entropy_of(visual: Tensor) -> Tensor:
    """Give the entropy of rows over the visual tokens, in nats, mean over heads and rows.

    Args:
        visual: [heads, rows, tokens], attention weights of the tokens.
    """
    share = visual / visual.sum(-1, keepdim=True).clamp_min(1e-12)
    # No xlogy: on a CPU it takes twice as long. 0 log 0 is 0 here, too.
    return -(share * share.clamp_min(1e-30).log()).sum(-1).mean()


def focus_of(weights: Tensor) -> Tensor:
    """Give how unevenly the attention that a token receives comes from the rows.

    Of the attention that token m receives from n rows, mean over heads, row t has the share p_t.
    The focus is 1 - H / log n with the entropy H = - sum_t p_t log p_t: 0 where all rows look at
    the token alike, 1 where only one does (VLA-InfoEntropy's attention information).

    Args:
        weights: [rows, tokens], mean over heads.

    Returns:
        float32 [tokens]; 1 of a token that nothing looks at, and of all tokens with a single row.
    """
    rows = len(weights)
    share = weights / weights.sum(0).clamp_min(1e-30)
    entropy = -(share * share.clamp_min(1e-30).log()).sum(0)
    return 1 - entropy / max(math.log(rows), 1e-30)
