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

"""Spans of decoder layers, and passes of a few tokens over what the layers hold."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import cast

import torch
from torch import Tensor, nn

from vla_accel_ros.engines.interface import Program, Tensors
from vla_accel_ros.layers.attending import Attend, Keeps, Own, run_layers
from vla_accel_ros.layers.llama import DecoderLayer, LlamaDecoder
from vla_accel_ros.layers.memory import Held, Masked, Memory, Placed
from vla_accel_ros.layers.rotary import Rope


def tap_names(taps: tuple[int, ...]) -> tuple[str, ...]:
    """Name the outputs that hold the queries of layers."""
    return tuple(f'queries.{layer}' for layer in taps)


@dataclass(frozen=True)
class Span:
    """Layers [first, last) over a whole sequence, which may have lost rows before.

    In: `x` [B, S, width], `positions` int [n], absolute; with `narrowed` `stay` int [n], the rows
    of `x` that are left (n = S without); with `norm`, and with `keys_only` where its last layer is
    tapped, `rows` int [r], ascending, the last r of the
    n rows, those that are wanted behind the last layer: it gives keys and values of all n, and
    queries, output and MLP of these only. Out: `x` [B, n, width], with `norm` [B, r, width] after
    the final norm; `new` [slots, 2, B, kv heads, n, head width], the keys (rotated) and values of
    the layers that have attention, for which room may be given (without such a layer there is no
    `new`); `queries.l` [B, heads, n, head width], rotated, of each tapped layer, with `norm`
    [B, heads, r, head width] of the last one. With `keys_only` there is no `x`.

    Attributes:
        decoder: The decoder.
        first: First layer, from 0.
        last: The layer behind the last one.
        causal: False where every row sees every other one.
        narrowed: Whether rows were dropped before.
        norm: Whether the final norm follows.
        taps: Layers, counted from 1, whose queries are wanted.
        keys_only: Whether the last layer, which has attention, gives keys and values only, for
            whoever reads nothing else of the sequence; there is no `norm` then.
        apart: Last rows that only they themselves see, and that see all; where rows are not
            causal.
    """

    decoder: LlamaDecoder
    first: int
    last: int
    causal: bool = True
    narrowed: bool = False
    norm: bool = False
    taps: tuple[int, ...] = ()
    keys_only: bool = False
    apart: int = 0
    name = 'span'

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the tensors that go in."""
        stay = ('stay',) if self.narrowed else ()
        rows = ('rows',) if self.norm or (self.keys_only and self.last in self.taps) else ()
        return ('x', 'positions', *stay, *rows)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the tensors that come out."""
        x = () if self.keys_only else ('x',)
        new = ('new',) if self.slots else ()
        return (*x, *new, *tap_names(self.taps))

    @property
    def slots(self) -> range:
        """Places of the layers with attention among all that have it."""
        config = self.decoder.config
        return range(config.slot(self.first), config.slot(self.last))

    def run(self, given: Tensors, room: Tensors) -> dict[str, Tensor]:
        """Run the layers; see `Program.run`."""
        x, rows = given['x'], given.get('rows')
        if self.narrowed:
            x = x.index_select(1, given['stay'])
        rope = self.decoder.rope(given['positions'][None], x)
        attend = Own(self.slots, self.causal, rows, room.get('new'), self.apart)
        x, queries = self.run_rows(x, rope, attend, rows)
        given_on = {} if self.keys_only else {'x': x}
        new = {'new': attend.new} if self.slots else {}
        return {**given_on, **new, **tapped(queries)}

    def run_rows(
        self, x: Tensor, rope: Rope, attend: Keeps, rows: Tensor | None
    ) -> tuple[Tensor, dict[int, Tensor]]:
        """Run the layers, and the norm where there is one, over rows that may be of several.

        Args:
            x: [1, S, width], those that stay.
            rope: Of their positions.
            attend: What queries look at; takes in the last layer's keys where `keys_only`.
            rows: int [r], those that are wanted.

        Returns:
            [1, S or r, width], nothing that counts where `keys_only`, and by tapped layer the
            rotated queries.
        """
        whole = self.last - self.keys_only
        until = None if self.keys_only else rows
        x, queries = run_layers(self.decoder, self.first, whole, x, rope, attend, self.taps, until)
        if self.keys_only:
            self._keep_last(x, rope, rows, attend, queries)
        elif self.norm:
            x = self.decoder.norm(x)
        return x, queries

    def _keep_last(
        self, x: Tensor, rope: Rope, rows: Tensor | None, attend: Keeps, queries: dict[int, Tensor]
    ) -> None:
        layer = cast(DecoderLayer, self.decoder.layers[self.last - 1])
        attention = layer.self_attn
        if attention is None:
            return
        x = layer.input_layernorm(x)
        if self.last in self.taps:
            queries[self.last] = attention.queries_of(x, rope, rows)
        attend.keep(self.slots[-1], *attention.keys_and_values(x, rope))


def tapped(queries: dict[int, Tensor]) -> dict[str, Tensor]:
    """Give queries by the names of their layers."""
    return {f'queries.{layer}': part for layer, part in queries.items()}


def memory_of(
    given: Tensors, room: Tensors, held: tuple[int, ...] | None, causal: bool = True
) -> Memory:
    """Give the form of a memory that fits what is known of it; see `Pass` and `Memory`."""
    inside, lengths = 'store' in room, given['lengths']
    store = room['store'] if inside else given['store']
    if held is not None:
        return Held(store, held, inside, causal)
    return Placed(store, lengths, causal) if inside else Masked(store, lengths, causal=causal)


@dataclass(frozen=True)
class Pass:
    """All layers over a few tokens, each seeing what came before and those up to itself.

    In: `tokens` int [B, k]; `positions` int [B or 1, k], absolute; `store` [slots, 2, B,
    kv heads, capacity, head width], the whole memory, all of it finite; `lengths` int64 [slots],
    the rows that each layer holds. Out: `logits` [B, k, vocabulary]; `new` [slots, 2, B,
    kv heads, k, head width]; `queries.l` [B, heads, k, head width], rotated, of each tapped
    layer. Where the store is given as room, the new keys and values are written to it, too, behind
    what each layer holds.

    With `held` only what is filled of the store is looked at, in shapes that differ from pass to
    pass: the form for eager. Without it no shape depends on what is filled: the form to be
    exported or captured. Both are equal as programs, and their results but for rounding.

    Attributes:
        decoder: The decoder.
        head: From hidden rows to logits.
        taps: Layers, counted from 1, whose queries are wanted.
        held: The numbers in `lengths`, where the host knows them.
    """

    decoder: LlamaDecoder
    head: nn.Module
    taps: tuple[int, ...] = ()
    held: tuple[int, ...] | None = field(default=None, compare=False)
    name = 'pass'
    inputs = ('tokens', 'positions', 'store', 'lengths')

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the tensors that come out."""
        return ('logits', 'new', *tap_names(self.taps))

    def run(self, given: Tensors, room: Tensors) -> dict[str, Tensor]:
        """Run the tokens; see `Program.run`."""
        memory = memory_of(given, room, self.held)
        memory.begin(given['tokens'].shape[1])
        logits, queries = self.run_rows(given['tokens'], given['positions'], memory)
        return {'logits': logits, 'new': memory.new, **tapped(queries)}

    def run_rows(
        self, tokens: Tensor, positions: Tensor, attend: Attend
    ) -> tuple[Tensor, dict[int, Tensor]]:
        """Run tokens [B, k] at positions [B or 1, k], which may be of several sequences.

        Returns:
            Logits [B, k, vocabulary], and by tapped layer the rotated queries.
        """
        decoder = self.decoder
        x = decoder.embed_tokens(tokens)
        rope, depth = decoder.rope(positions, x), decoder.config.layers
        x, queries = run_layers(decoder, 0, depth, x, rope, attend, self.taps)
        return self.head(decoder.norm(x)), queries


@dataclass(frozen=True)
class Loop:
    """Greedy decoding: `count` passes of one token each, the most likely one run next.

    In: `token` int [B, 1]; `position` int [B or 1, 1], its place, absolute; `store` and `lengths`
    as for `Pass`. Out: `tokens` int [B, count], what follows the token; `peaks` [B, count], the
    logit of each; `new` [slots, 2, B, kv heads, count, head width] and `queries.l` [B, heads,
    count, head width] of the tokens that were run, which are the given one and all but the last
    that follow. For the store as room and for `held` see `Pass`.

    Attributes:
        decoder: The decoder.
        head: From hidden rows to logits.
        count: Passes.
        taps: Layers, counted from 1, whose queries are wanted.
        held: The numbers in `lengths`, where the host knows them.
    """

    decoder: LlamaDecoder
    head: nn.Module
    count: int
    taps: tuple[int, ...] = ()
    held: tuple[int, ...] | None = field(default=None, compare=False)
    name = 'loop'
    inputs = ('token', 'position', 'store', 'lengths')

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the tensors that come out."""
        return ('tokens', 'peaks', 'new', *tap_names(self.taps))

    def run(self, given: Tensors, room: Tensors) -> dict[str, Tensor]:
        """Run the passes; see `Program.run`."""
        decoder, memory = self.decoder, memory_of(given, room, self.held)
        token, depth, looks = given['token'], decoder.config.layers, []
        places = given['position'] + torch.arange(self.count, device=token.device)
        cosines, sines = decoder.rope(places, decoder.embed_tokens.weight)
        tokens, peaks = [], []
        for step in range(self.count):
            memory.begin(1)
            rope = cosines.narrow(2, step, 1), sines.narrow(2, step, 1)
            x = decoder.embed_tokens(token)
            x, queries = run_layers(decoder, 0, depth, x, rope, memory, self.taps)
            peak, token = self.head(decoder.norm(x))[:, 0].max(-1, keepdim=True)
            tokens.append(token)
            peaks.append(peak)
            looks.append(queries)
        whole = {layer: torch.cat([step[layer] for step in looks], 2) for layer in self.taps}
        return {
            'tokens': torch.cat(tokens, 1),
            'peaks': torch.cat(peaks, 1),
            'new': memory.new,
            **tapped(whole),
        }


def general(program: Program) -> Program:
    """Give a program's form in which nothing but the inputs' shapes decides on a shape.

    It is the one for engines that keep what they built by program: `held` is left out.
    """
    has = getattr(program, 'held', None) is not None
    # Each program is a frozen dataclass.
    return replace(program, held=None) if has else program  # type: ignore[type-var]
