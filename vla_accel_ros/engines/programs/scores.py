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

"""The scores that pruning methods ask for, from queries and keys that the model has anyway."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import Tensor

from vla_accel_ros.engines.interface import Tensors
from vla_accel_ros.engines.programs.decoder import tap_names
from vla_accel_ros.pruning.interface import Rows
from vla_accel_ros.pruning.scores import (
    TokenScores,
    attention_rows,
    entropy_of,
    focus_of,
    placed,
    token_scores,
)

# The weights of so many rows of all heads stay in a core's cache; those of all rows at once do
# not, and take four times as long.
BLOCK = 64


def blocks(begin: int, end: int, cut: int) -> list[tuple[int, int]]:
    """Cut rows [begin, end) into the blocks that are scored at once, none of them across `cut`."""
    edges = sorted({*range(begin, end, BLOCK), end, min(max(cut, begin), end)})
    return list(pairwise(edges))


def score_names(layer: int, kind: str, *more: str) -> tuple[str, ...]:
    """Name the outputs that hold the scores of a layer, `entropy` and `focus` where wanted."""
    return tuple(f'{name}.{layer}.{kind}' for name in ('received', 'present', *more))


def named(layer: int, kind: str, scores: TokenScores) -> dict[str, Tensor]:
    """Give scores by the names of `score_names`."""
    parts = {name: getattr(scores, name) for name in ('received', 'present', 'entropy', 'focus')}
    return {f'{name}.{layer}.{kind}': part for name, part in parts.items() if part is not None}


def of_names(layer: int, kind: str, given: Tensors) -> TokenScores:
    """Give the scores of a layer out of tensors by name."""
    return TokenScores(
        given[f'received.{layer}.{kind}'],
        given[f'present.{layer}.{kind}'],
        given.get(f'entropy.{layer}.{kind}'),
        given.get(f'focus.{layer}.{kind}'),
    )


@dataclass(frozen=True)
class RowKind:
    """Which rows of a sequence count.

    Attributes:
        kind: Their name.
        start: First of them, as a slice has it.
        stop: The row behind them, as a slice has it.
    """

    kind: Rows
    start: int | None
    stop: int | None


@dataclass(frozen=True)
class LayerScores:
    """What is wanted of a layer.

    Attributes:
        layer: Counted from 1.
        place: Of its keys in `new` of the span.
        rows: Which query rows.
        entropy: Whether their entropy is wanted, too.
        focus: Whether the focus of the TEXT rows is wanted, too.
    """

    layer: int
    place: int
    rows: tuple[RowKind, ...]
    entropy: bool = False
    focus: bool = False

    def more(self, kind: Rows) -> tuple[str, ...]:
        """Name what is wanted of rows beside the attention that they give."""
        focus = self.focus and kind is Rows.TEXT
        return ('entropy',) * self.entropy + ('focus',) * focus


@dataclass(frozen=True)
class RowScores:
    """How much attention visual tokens receive from some rows of a span.

    In: `queries.l` of each layer and `new`, both as `Span` gives them for one sequence, the
    queries of the last rows at least that are to be scored; `positions` int [n], absolute,
    ascending; `ids` int [m], which visual tokens the sequence has behind the `before` rows in
    front of them, ascending. Out, of each layer and kind of rows: `received.l.kind` float32
    [cameras, tokens], `present.l.kind` bool, where wanted `entropy.l.kind` float32 [] and
    `focus.l.text` float32 [cameras, tokens]; see
    `pruning.scores.TokenScores`.

    Attributes:
        wanted: The layers, and what of each.
        cameras: Cameras.
        tokens: Visual tokens of one camera.
        causal: Whether a query sees only keys at its own position or before.
        before: Rows in front of the visual tokens.
        apart: Last rows that only they themselves see, where rows are not causal.
    """

    wanted: tuple[LayerScores, ...]
    cameras: int
    tokens: int
    causal: bool
    before: int = 1
    apart: int = 0
    name = 'row_scores'

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the tensors that go in."""
        taps = tap_names(tuple(want.layer for want in self.wanted))
        return (*taps, 'new', 'positions', 'ids')

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the tensors that come out."""
        return tuple(
            name
            for want in self.wanted
            for rows in want.rows
            for name in score_names(want.layer, rows.kind.value, *want.more(rows.kind))
        )

    def run(self, given: Tensors, room: Tensors) -> dict[str, Tensor]:
        """Score each layer; see `Program.run`."""
        result: dict[str, Tensor] = {}
        for want in self.wanted:
            queries = given[f'queries.{want.layer}'][0]
            keys = given['new'][want.place, 0, 0]
            for rows in want.rows:
                scores = self._score(queries, keys, given, rows, want.more(rows.kind))
                result |= named(want.layer, rows.kind.value, scores)
        return result

    def _score(
        self, queries: Tensor, keys: Tensor, given: Tensors, rows: RowKind, more: tuple[str, ...]
    ) -> TokenScores:
        positions, ids = given['positions'], given['ids']
        begin, end, _ = slice(rows.start, rows.stop).indices(len(positions))
        # Of a layer that was run for its last rows only, the queries of those before are missing.
        missing = len(positions) - queries.shape[1]
        open_to_all = len(positions) - self.apart
        means, shares, entropies, looks = [], [], [], []
        for start, stop in blocks(begin, end, open_to_all):
            # What no row of a block sees need not even be multiplied.
            seen = stop if self.causal else open_to_all if stop <= open_to_all else len(positions)
            # A single row sees all that is left, with no mask.
            masked = self.causal and stop - start > 1
            weights = attention_rows(
                queries[:, start - missing : stop - missing],
                keys[:, :seen],
                positions[start:stop] if masked else None,
                positions[:seen] if masked else None,
                doubtful=stop - start,
            )
            visual = weights[..., self.before : self.before + len(ids)]
            means.append(visual.mean((0, 1)))
            shares.append((stop - start) / (end - begin))
            if 'entropy' in more:
                entropies.append(entropy_of(visual) * shares[-1])
            if 'focus' in more:
                looks.append(visual.mean(0))
        received = means[0]
        if len(means) > 1:
            received = queries.new_zeros(max(map(len, means)), dtype=torch.float32)
            for mean, share in zip(means, shares, strict=True):
                received[: len(mean)].add_(mean, alpha=share)
        entropy = torch.stack(entropies).sum() if entropies else None
        present = ids[: len(received)]
        scores = placed(received, present, self.cameras, self.tokens, entropy)
        if not looks:
            return scores
        # Text stands behind all visual tokens, so that each of its rows sees all of them.
        focus = torch.zeros_like(scores.received).view(-1)
        focus = focus.index_copy(0, ids, focus_of(torch.cat(looks)))
        return replace(scores, focus=focus.view_as(scores.received))


# The name of the rows in the outputs of `ActionScores`.
ACTIONS = 'actions'


@dataclass(frozen=True)
class ActionScores:
    """How much attention visual tokens receive from the action-decoding queries.

    In: `positions` int [r], absolute; of each layer `queries.l` [1, heads, r, head width],
    rotated; `past.l` [2, 1, kv heads, n, head width], what the layer holds, prompt and answer;
    `prompt.l` int [p], positions of the prompt's keys, and `ids.l` int [m], the visual tokens
    among them. Out, of each layer: `received.l.actions` float32 [cameras, tokens],
    `present.l.actions` bool.

    Attributes:
        layers: Counted from 1.
        cameras: Cameras.
        tokens: Visual tokens of one camera.
    """

    layers: tuple[int, ...]
    cameras: int
    tokens: int
    name = 'action_scores'

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the tensors that go in."""
        kinds = ('queries', 'past', 'prompt', 'ids')
        return ('positions', *(f'{kind}.{layer}' for layer in self.layers for kind in kinds))

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the tensors that come out."""
        return tuple(name for layer in self.layers for name in score_names(layer, ACTIONS))

    def run(self, given: Tensors, room: Tensors) -> dict[str, Tensor]:
        """Score each layer; see `Program.run`."""
        result: dict[str, Tensor] = {}
        for layer in self.layers:
            prompt, keys = given[f'prompt.{layer}'], given[f'past.{layer}'][0, 0]
            answered = torch.arange(1, 1 + keys.shape[1] - len(prompt), device=keys.device)
            weights = attention_rows(
                given[f'queries.{layer}'][0],
                keys,
                given['positions'],
                torch.cat([prompt, prompt[-1:] + answered]),
                doubtful=len(answered),
            )
            scores = token_scores(weights, 1, given[f'ids.{layer}'], self.cameras, self.tokens)
            result |= named(layer, ACTIONS, scores)
        return result
