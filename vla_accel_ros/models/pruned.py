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


"""The way from pixels to the prompt's hidden states, with visual tokens dropped on it.

Positions are absolute and stay so: a token keeps the position it had. Layers before a drop keep
all their tokens in the cache, those after it fewer, so that each layer has positions of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from vla_accel_ros.layers.cache import KVCache
from vla_accel_ros.models.attention_taps import QueryTap, TowerTap
from vla_accel_ros.models.families.openvla.model import OpenVLA
from vla_accel_ros.models.row_scores import row_scores
from vla_accel_ros.pruning.base import Pruner
from vla_accel_ros.pruning.interface import Layout, Needs, Rows
from vla_accel_ros.pruning.kept import all_ids, narrow
from vla_accel_ros.pruning.scores import TokenScores

Watch = Callable[[str], AbstractContextManager]


def prompt_rows(text: int, drafted: int = 0) -> dict[Rows, slice]:
    """Say which rows of the sequence are which, counted from its end so that drops do not matter.

    Args:
        text: Prompt tokens after the visual ones.
        drafted: Draft tokens that ride behind the prompt; they count for no score.
    """
    end = -drafted or None
    return {
        Rows.ALL: slice(None, end),
        Rows.TEXT: slice(-text - drafted, end),
        Rows.LAST: slice(-1 - drafted, end),
    }


def chunk_rows(text: int, slots: int) -> dict[Rows, slice]:
    """Say which rows of a single-pass model's sequence are which, counted from its end.

    Args:
        text: Prompt tokens after the visual ones.
        slots: Action slots, which stand between prompt and stop token. A number is read from
            the row before its slot, so that the first one's query is the last prompt token.
    """
    last = -2 - slots
    return {
        Rows.ALL: slice(None, last + 1),
        Rows.TEXT: slice(last + 1 - text, last + 1),
        Rows.LAST: slice(last, last + 1),
        Rows.ACTION: slice(last, -2),
    }


@dataclass(frozen=True)
class Prefilled:
    """What a prefill leaves.

    Attributes:
        hidden: [1, S, width] of what is left of the sequence, after the final norm.
        positions: For each layer, the absolute positions int [S_l] of the keys in the cache.
        ids: For each layer, the visual tokens among them, camera * tokens + index.
        kept_ids: Visual tokens still there at the end, as `ids`.
    """

    hidden: Tensor
    positions: tuple[Tensor, ...]
    ids: tuple[Tensor, ...]
    kept_ids: Tensor

    @property
    def seen(self) -> tuple[int, ...]:
        """Visual tokens that each decoder layer saw."""
        return tuple(len(present) for present in self.ids)


def encode(
    model: OpenVLA,
    pixels: Tensor,
    language: Tensor | None,
    pruner: Pruner,
    needs: Needs,
    watch: Watch = nullcontext,
) -> tuple[Tensor, Tensor, int]:
    """Run towers and projector.

    Args:
        model: The model.
        pixels: [1, channels, H, W].
        language: [1, width] for FiLM, None without.
        pruner: Its `begin` was called.
        needs: What that gave.
        watch: Called with a stage's name, gives the context that times it.

    Returns:
        Visual tokens [1, n, width], which they are, int64 [n] ascending, and how many went
        through the projector.
    """
    layout = pruner.layout
    ids = all_ids(layout.cameras, layout.tokens, pixels.device)
    with watch('towers'), TowerTap(model) if needs.tower_attention else nullcontext() as tap:
        features = model.tower_features(pixels, language)
    with watch('selection'):
        kept = pruner.after_towers(tap.received() if tap is not None else None)
    if kept is not None:
        ids = kept.ids.to(ids.device)
    with watch('projector'):
        visual = model.project(features, None if kept is None else ids)
    projected = len(ids)
    with watch('selection'):
        whole = None
        if needs.projected and kept is None:
            whole = visual.view(layout.cameras, layout.tokens, -1)
        kept = pruner.after_projector(whole)
        if kept is not None:
            places = narrow(ids, kept.ids.to(ids.device))
            visual, ids = visual[:, places], ids[places]
    return visual, ids, projected


def prefill(
    model: OpenVLA,
    x: Tensor,
    ids: Tensor,
    cache: KVCache,
    pruner: Pruner,
    needs: Needs,
    rows: Mapping[Rows, slice],
    causal: bool = True,
    watch: Watch = nullcontext,
) -> Prefilled:
    """Run the decoder over a prompt, dropping visual tokens as the pruner says.

    Args:
        model: The model.
        x: [1, S, width]: BOS, the visual tokens `ids`, then whatever follows.
        ids: int64 [n], which visual tokens these are, ascending.
        cache: Empty; filled.
        pruner: Its `begin` was called.
        needs: What that gave.
        rows: Which rows are which, from the end.
        causal: False where every row sees every other one (single-pass models).
        watch: Called with a stage's name, gives the context that times it.
    """
    decoder, layout = model.language_model.model, pruner.layout
    after = layout.total + 1 + torch.arange(x.shape[1] - 1 - len(ids), device=x.device)
    positions = torch.cat([after.new_zeros(1), 1 + ids, after])
    rope = decoder.rope(positions[None], x)
    all_positions, all_present = [], []
    calls = {*needs.layers, *needs.drops}
    with QueryTap(decoder, needs.layers) as tap:
        for index, layer in enumerate(decoder.layers):
            x = layer(x, rope, None, causal, cache, index)
            all_positions.append(positions)
            all_present.append(ids)
            if index + 1 not in calls:
                continue
            with watch('selection'):
                scores = _scores(
                    model, index + 1, tap, needs, rows, cache, positions, rope, ids, layout, causal
                )
                kept = pruner.after_layer(index + 1, scores)
                if kept is not None:
                    places = narrow(ids, kept.ids.to(ids.device))
                    stay = torch.cat(
                        [
                            places.new_zeros(1),
                            1 + places,
                            torch.arange(1 + len(ids), x.shape[1], device=x.device),
                        ]
                    )
                    x, positions, ids = x[:, stay], positions[stay], ids[places]
                    rope = tuple(part[:, :, stay] for part in rope)
    return Prefilled(decoder.norm(x), tuple(all_positions), tuple(all_present), ids)


def _scores(
    model: OpenVLA,
    layer: int,
    tap: QueryTap,
    needs: Needs,
    rows: Mapping[Rows, slice],
    cache: KVCache,
    positions: Tensor,
    rope: tuple[Tensor, Tensor],
    ids: Tensor,
    layout: Layout,
    causal: bool,
) -> dict[Rows, TokenScores]:
    wanted = needs.layers.get(layer, ())
    if not wanted:
        return {}
    queries = tap.take(layer)
    return {
        kind: row_scores(
            model.language_model.model,
            layer,
            queries,
            rows[kind],
            positions,
            rope,
            cache,
            ids,
            layout,
            causal,
            layer in needs.entropy,
        )
        for kind in wanted
    }
