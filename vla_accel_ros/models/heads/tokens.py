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
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from vla_accel_ros.decoding.interface import Decoded, TokenDecoder
from vla_accel_ros.engines import host
from vla_accel_ros.engines.eager import EAGER
from vla_accel_ros.engines.interface import Engine, Tensors
from vla_accel_ros.engines.programs.scores import ACTIONS, of_names
from vla_accel_ros.layers.cache import KVCache
from vla_accel_ros.models.action_rows import ActionRows
from vla_accel_ros.models.cost.workload import Workload
from vla_accel_ros.models.families.openvla.model import OpenVLA
from vla_accel_ros.models.inference import Inference, Watch
from vla_accel_ros.models.passes import CachedPasses
from vla_accel_ros.models.pruned import encode, prefill
from vla_accel_ros.models.rows import prompt_rows
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
        round_trips: Copies from the device to the host that the pruner took, at most one for
            each place where it may drop and one at the end where it learns from the answer; see
            `choice.Choice`.
    """

    decoded: Decoded
    kept_ids: Tensor
    work: Workload
    round_trips: int


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
    engine: Engine = EAGER,
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
        engine: What runs the model's programs.
    """
    count, language = model.config.action_dims, model.language_model
    draft_in_prefill = decoder.draft_in_prefill(draft, count, blank)
    drafted, layout = len(draft_in_prefill), pruner.layout
    inference = Inference(model, pruner, scene, engine, watch)
    needs = inference.choice.needs
    visual, present, projected = encode(inference, pixels, ids)
    # Positions do not close up over dropped tokens.
    first, attention = ids.shape[1] + layout.total, ActionRows(needs.decode)
    with watch('prefill'):
        # Behind the prompt, so that every row of it sees what it would see without them.
        behind = torch.tensor([draft_in_prefill], dtype=ids.dtype, device='cpu')
        whole = torch.cat([ids, host.send(behind, ids.device)], 1)
        x = inference.run(model.prompt(), {'ids': whole, 'visual': visual})['x']
        cache = new_cache(x.shape[1])
        rows = prompt_rows(ids.shape[1] - 1, drafted)
        prompt = prefill(inference, x, present, cache, rows, read=1 + drafted)
        hidden = prompt.hidden[0, -1 - drafted :]
        logits = inference.run(model.logits_of(), {'rows': hidden})['logits']
        attention.add(first - 1, 1 + drafted, prompt.queries)
    with watch('decode'):
        passes = CachedPasses(language, cache, first, engine, attention)
        decoded = decoder.decode(logits, draft_in_prefill, draft, count, passes)
    with watch('selection'):
        scores: Tensors = {}
        if needs.decode:
            held = [positions[: len(positions) - drafted] for positions in prompt.positions]
            scores = inference.run(
                *attention.score(first - 1, count, cache, held, prompt.ids, layout)
            )

        def told(got: Tensors) -> None:
            pruner.after_decode({layer: of_names(layer, ACTIONS, got) for layer in needs.decode})

        inference.choice.tell('the answer', scores, told)
        tokens, peaks = inference.choice.finish([decoded.tokens, decoded.peaks])
    work = Workload(ids.shape[1], prompt.seen, projected, drafted, tuple(passes.made), needs)
    return Answer(
        replace(decoded, tokens=tokens, peaks=peaks),
        prompt.kept_ids,
        work,
        inference.choice.round_trips,
    )
