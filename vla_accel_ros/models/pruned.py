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

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from vla_accel_ros.engines import host
from vla_accel_ros.engines.interface import Tensors
from vla_accel_ros.engines.programs.call import Narrow
from vla_accel_ros.engines.programs.decoder import Span
from vla_accel_ros.engines.programs.scores import LayerScores, RowKind, RowScores, of_names
from vla_accel_ros.engines.programs.vision import PatchAttention, TokenDistances
from vla_accel_ros.layers.cache import KVCache
from vla_accel_ros.models.choice import Told
from vla_accel_ros.models.inference import Inference
from vla_accel_ros.models.rows import Slices, kinds_at, wanted_rows
from vla_accel_ros.pruning.interface import Rows
from vla_accel_ros.pruning.kept import Kept, all_ids, narrow


@dataclass(frozen=True)
class Prefilled:
    """What a prefill leaves.

    Attributes:
        hidden: [1, r, width] of the last rows of the sequence, at least those that the head reads,
            after the final norm; None where only keys and values were wanted.
        positions: For each layer, the absolute positions int [S_l] of the keys in the cache.
        ids: For each layer, the visual tokens among them, camera * tokens + index.
        kept_ids: Visual tokens still there at the end, as `ids`, on the host.
        queries: Of the layers tapped for decoding, [1, heads, n, head width], rotated, of the
            rows from the last prompt token on.
    """

    hidden: Tensor | None
    positions: tuple[Tensor, ...]
    ids: tuple[Tensor, ...]
    kept_ids: Tensor
    queries: dict[int, Tensor]

    @property
    def seen(self) -> tuple[int, ...]:
        """Visual tokens that each decoder layer saw."""
        return tuple(len(present) for present in self.ids)


def encode(inference: Inference, pixels: Tensor, ids: Tensor) -> tuple[Tensor, Tensor, int]:
    """Run towers and projector.

    Args:
        inference: The inference.
        pixels: [1, channels, H, W].
        ids: int64 [1, T], the prompt, which the towers see where the model has FiLM.

    Returns:
        Visual tokens [1, n, width] on the device, which they are, int64 [n] ascending on the
        host, and how many went through the projector.
    """
    run, watch, model = inference.run, inference.watch, inference.model
    choice, pruner = inference.choice, inference.choice.pruner
    needs, layout, early = choice.needs, pruner.layout, 0 in choice.needs.drops
    present, kept = all_ids(layout.cameras, layout.tokens, 'cpu'), None
    given = {'pixels': pixels}
    model.check_pixels(pixels)
    if model.config.film:
        given |= run(model.instruction(), {'ids': ids})
    with watch('towers'):
        seen = run(model.vision(needs.tower_attention), given)
        features = seen.pop('features')
    with watch('selection'):
        received = run(PatchAttention(model.prefixes), seen) if needs.tower_attention else {}
        choice.tell('the towers', received, lambda got: pruner.after_towers(got.get('received')))
        if early:
            kept = choice.settle()
    given = {'features': features}
    if kept is not None:
        present = kept.ids
        given['ids'] = host.send(present, pixels.device)
    with watch('projector'):
        visual = run(model.projection(kept is not None), given)['visual']
    projected = len(present)
    with watch('selection'):
        distances: Tensors = {}
        if needs.distances and kept is None:
            distances = run(TokenDistances(layout.cameras, needs.from_pivots), {'visual': visual})
        choice.tell(
            'the projector',
            distances,
            lambda got: pruner.after_projector(got.get('distances'), got.get('pivots')),
        )
        kept = choice.settle() if early else None
        if kept is not None:
            places = narrow(present, kept.ids)
            visual = run(Narrow(), {'x': visual, 'stay': host.send(places, visual.device)})['x']
            present = present[places]
    return visual, present, projected


def prefill(
    inference: Inference,
    x: Tensor,
    ids: Tensor,
    cache: KVCache,
    rows: Slices,
    read: int | None = None,
    causal: bool = True,
    keys_only: bool = False,
) -> Prefilled:
    """Run the decoder over a prompt, dropping visual tokens as the pruner says.

    From one layer after which it may drop to the next the decoder runs as one span. The last
    layer runs for those rows only that the head reads or scores are made from.

    Args:
        inference: The inference.
        x: [1, S, width]: what stands before the visual tokens (BOS, or nothing), the visual tokens
            `ids`, then whatever follows.
        ids: int64 [n], which visual tokens these are, ascending, on the host.
        cache: Empty; filled.
        rows: Which rows are which, from the end.
        read: Last rows that the head reads; None for all that are left.
        causal: False where every row sees every other one.
        keys_only: Whether the head reads keys and values only, and scores of the answer come from
            rows of its own: the last layer does no more than that, and `read` is 0.
    """
    decoder = inference.model.language_model.model
    choice, layout = inference.choice, inference.choice.pruner.layout
    needs, depth = choice.needs, layout.layers
    decode = () if keys_only else needs.decode
    length = x.shape[1]
    front = torch.arange(layout.before, device='cpu')
    after = layout.total + torch.arange(layout.before, length - len(ids), device='cpu')
    positions = torch.cat([front, layout.before + ids, after])
    stay: Tensor | None = None
    all_positions: list[Tensor] = []
    held_ids: list[Tensor] = []
    queries: dict[int, Tensor] = {}
    cuts = sorted({0, depth, *(layer for layer in needs.drops if 0 < layer <= depth)})
    for first, last in pairwise(cuts):
        span = range(first + 1, last + 1)
        taps = tuple(k for k in span if k in needs.layers or k in decode)
        given = {'x': x, 'positions': host.send(positions, x.device)}
        if stay is not None:
            given['stay'] = host.send(stay, x.device)
        if last == depth and (not keys_only or depth in taps):
            left = len(positions)
            # Behind the last attention, which may be that of an earlier layer, rows stand alone.
            kinds = kinds_at(needs, decoder.config.attending[-1] + 1, not keys_only)
            wanted = wanted_rows(left, rows, kinds, read)
            given['rows'] = torch.arange(left - wanted, left, device=x.device)
        ends = last == depth
        program = Span(
            decoder,
            first,
            last,
            causal,
            stay is not None,
            ends and not keys_only,
            taps,
            ends and keys_only,
        )
        # Layers that are without attention have nothing to keep.
        room = {'new': cache.room(first, last, len(positions))} if program.slots else {}
        done = inference.run(program, given, room)
        cache.grow(len(positions), first, last)
        here = host.send(ids, x.device)
        x, stay = done.get('x'), None
        all_positions += [given['positions']] * len(span)
        held_ids += [here] * len(span)
        # Copies, so that the rows that are not wanted can be freed.
        answering = rows[Rows.LAST].start
        queries |= {k: done[f'queries.{k}'][:, :, answering:].clone() for k in taps if k in decode}
        with inference.watch('selection'):
            _tell(inference, first, last, done, given['positions'], here, rows, causal)
            kept = choice.settle() if last in needs.drops else None
            if kept is not None:
                places = narrow(ids, kept.ids)
                behind = torch.arange(layout.before + len(ids), len(positions), device='cpu')
                stay = torch.cat([front, layout.before + places, behind])
                positions, ids = positions[stay], ids[places]
    return Prefilled(x, tuple(all_positions), tuple(held_ids), ids, queries)


def _tell(
    inference: Inference,
    first: int,
    last: int,
    done: Tensors,
    positions: Tensor,
    ids: Tensor,
    rows: Slices,
    causal: bool,
) -> None:
    """Let the pruner know the scores of a span's layers."""
    choice, layout = inference.choice, inference.choice.pruner.layout
    needs, span = choice.needs, range(first + 1, last + 1)
    slot = inference.model.config.decoder.slot
    wanted = tuple(
        LayerScores(
            layer,
            slot(layer - 1) - slot(first),
            tuple(
                RowKind(kind, rows[kind].start, rows[kind].stop) for kind in needs.layers[layer]
            ),
            layer in needs.entropy,
            layer in needs.focus,
        )
        for layer in span
        if needs.layers.get(layer)
    )
    scores: Tensors = {}
    if wanted:
        program = RowScores(wanted, layout.cameras, layout.tokens, causal, layout.before)
        given = {f'queries.{want.layer}': done[f'queries.{want.layer}'] for want in wanted}
        given |= {'new': done['new'], 'positions': positions, 'ids': ids}
        scores = inference.run(program, given)
    for layer in span:
        kinds = needs.layers.get(layer, ())
        if kinds or layer in needs.drops:
            own = {name: part for name, part in scores.items() if name.split('.')[1] == str(layer)}
            choice.tell(f'layer {layer}', own, _after_layer(inference, layer, kinds))


def _after_layer(inference: Inference, layer: int, kinds: tuple[Rows, ...]) -> Told:
    def told(got: Tensors) -> Kept | None:
        scores = {kind: of_names(layer, kind.value, got) for kind in kinds}
        return inference.choice.pruner.after_layer(layer, scores)

    return told
