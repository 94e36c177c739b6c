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

"""One inference of a token-by-token model: from pixels to the tokens of an action."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from vla_accel_ros.decoding.interface import Decoded, TokenDecoder
from vla_accel_ros.layers.cache import KVCache
from vla_accel_ros.models.attention_taps import ActionAttention
from vla_accel_ros.models.cost.workload import Workload
from vla_accel_ros.models.families.openvla.model import OpenVLA
from vla_accel_ros.models.passes import CachedPasses
from vla_accel_ros.models.pruned import Watch, encode, prefill, prompt_rows
from vla_accel_ros.pruning.base import Pruner
from vla_accel_ros.pruning.interface import Scene


@dataclass(frozen=True)
class Answer:
    """What an inference gives.

    Attributes:
        decoded: The tokens, and what they took.
        kept_ids: int64 [kept], visual tokens that the decoder's last layer saw, ascending.
        work: What was done, for the cost model; it holds the visual tokens that each decoder
            layer saw.
    """

    decoded: Decoded
    kept_ids: Tensor
    work: Workload


def answer(
    model: OpenVLA,
    pixels: Tensor,
    ids: Tensor,
    scene: Scene,
    pruner: Pruner,
    decoder: TokenDecoder,
    draft: Sequence[int] | None,
    blank: int,
    new_cache: Callable[[int], KVCache],
    watch: Watch = nullcontext,
) -> Answer:
    """Run towers, projector and decoder, pruning and drafting on the way.

    Args:
        model: The model.
        pixels: [1, channels, H, W].
        ids: int64 [1, T], the prompt, BOS first.
        scene: What the pruner may look at.
        pruner: How visual tokens are pruned.
        decoder: How tokens are decoded.
        draft: The proposed tokens, None without any.
        blank: A token to propose where nothing better is known.
        new_cache: Gives an empty cache for a sequence of that length and its answer.
        watch: Called with a stage's name, gives the context that times it.
    """
    count, language = model.config.action_dims, model.language_model
    draft_in_prefill = decoder.draft_in_prefill(draft, count, blank)
    with watch('selection'):
        needs = pruner.begin(scene)
    visual, present, projected = encode(model, pixels, model.language(ids), pruner, needs, watch)
    # Positions do not close up over dropped tokens.
    first = ids.shape[1] + pruner.layout.total
    with ActionAttention(
        language.model, needs.decode, first - 1, count, len(draft_in_prefill)
    ) as attention:
        with watch('prefill'):
            # Behind the prompt, so that every row of it sees what it would see without them.
            x = model.embed_prompt(torch.cat([ids, ids.new_tensor([draft_in_prefill])], 1), visual)
            cache = new_cache(x.shape[1])
            prompt = prefill(
                model,
                x,
                present,
                cache,
                pruner,
                needs,
                prompt_rows(ids.shape[1] - 1, len(draft_in_prefill)),
                watch=watch,
            )
            logits = language.lm_head(prompt.hidden[0, -1 - len(draft_in_prefill) :])
            attention.prefilled()
        with watch('decode'):
            passes = CachedPasses(model, cache, first, attention)
            decoded = decoder.decode(logits, draft_in_prefill, draft, count, passes)
    with watch('selection'):
        pruner.after_decode(attention.scores(cache, prompt.positions, prompt.ids, pruner.layout))
    work = Workload(
        ids.shape[1], prompt.seen, projected, len(draft_in_prefill), tuple(passes.made), needs
    )
    return Answer(decoded, prompt.kept_ids, work)
