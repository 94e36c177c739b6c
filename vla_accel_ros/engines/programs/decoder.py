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

from dataclasses import dataclass

import torch
from torch import nn

from vla_accel_ros.engines.interface import Tensors
from vla_accel_ros.layers.llama import LlamaDecoder, run_layers


def tap_names(taps: tuple[int, ...]) -> tuple[str, ...]:
    """Name the outputs that hold the queries of layers."""
    return tuple(f'queries.{layer}' for layer in taps)


@dataclass(frozen=True)
class Span:
    """Layers [first, last) over a whole sequence, which may have lost rows before.

    In: `x` [B, S, width], `positions` int [n], absolute; with `narrowed` `stay` int [n], the rows
    of `x` that are left (n = S without). Out: `x` [B, n, width], after the final norm where
    `norm` says so; `new` [layers, 2, B, kv heads, n, head width], the keys (rotated) and values,
    for which room may be given; `queries.l` [B, heads, n, head width], rotated, of each tapped
    layer.

    Attributes:
        decoder: The decoder.
        first: First layer, from 0.
        last: The layer behind the last one.
        causal: False where every row sees every other one.
        narrowed: Whether rows were dropped before.
        norm: Whether the final norm follows.
        taps: Layers, counted from 1, whose queries are wanted.
    """

    decoder: LlamaDecoder
    first: int
    last: int
    causal: bool = True
    narrowed: bool = False
    norm: bool = False
    taps: tuple[int, ...] = ()
    name = 'span'

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the tensors that go in."""
        return ('x', 'positions', 'stay') if self.narrowed else ('x', 'positions')

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the tensors that come out."""
        return ('x', 'new', *tap_names(self.taps))

    def run(self, given: Tensors, room: Tensors) -> dict[str, torch.Tensor]:
        """Run the layers; see `Program.run`."""
        x, positions = given['x'], given['positions']
        if self.narrowed:
            x = x[:, given['stay']]
        rope = self.decoder.rope(positions[None], x)
        ran = run_layers(
            self.decoder,
            self.first,
            self.last,
            x,
            rope,
            causal=self.causal and x.shape[1] > 1,
            room=room.get('new'),
            taps=self.taps,
        )
        x = self.decoder.norm(ran.x) if self.norm else ran.x
        queries = {f'queries.{layer}': ran.queries[layer] for layer in self.taps}
        return {'x': x, 'new': ran.new, **queries}


@dataclass(frozen=True)
class Pass:
    """All layers over a few tokens, each seeing what came before and those up to itself.

    In: `tokens` int [B, k]; `positions` int [B or 1, k], absolute; for each group of layers
    [f, l) that hold equally many tokens `past.f` [l - f, 2, B, kv heads, n, head width]. Out:
    `logits` [B, k, vocabulary]; for each group `new.f` [l - f, 2, B, kv heads, k, head width],
    for which room may be given, the memory of `past.f` with k rows behind it; `queries.l`
    [B, heads, k, head width], rotated, of each tapped layer.

    Attributes:
        decoder: The decoder.
        head: From hidden rows to logits.
        groups: The groups, in order, together all layers.
        taps: Layers, counted from 1, whose queries are wanted.
    """

    decoder: LlamaDecoder
    head: nn.Module
    groups: tuple[tuple[int, int], ...]
    taps: tuple[int, ...] = ()
    name = 'pass'

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the tensors that go in."""
        return ('tokens', 'positions', *(f'past.{first}' for first, _ in self.groups))

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the tensors that come out."""
        new = (f'new.{first}' for first, _ in self.groups)
        return ('logits', *new, *tap_names(self.taps))

    def run(self, given: Tensors, room: Tensors) -> dict[str, torch.Tensor]:
        """Run the tokens; see `Program.run`."""
        x = self.decoder.embed_tokens(given['tokens'])
        count, rope, causal = x.shape[1], self.decoder.rope(given['positions'], x), None
        if count > 1:
            # All of the past and, of the new tokens, those up to oneself. A layer that holds less
            # takes the right part: fused attention's own flag would align at the left.
            keys = count + max(given[f'past.{first}'].shape[4] for first, _ in self.groups)
            causal = torch.ones(count, keys, dtype=torch.bool, device=x.device).tril(keys - count)
        result: dict[str, torch.Tensor] = {}
        for first, last in self.groups:
            past = given[f'past.{first}']
            ran = run_layers(
                self.decoder,
                first,
                last,
                x,
                rope,
                None if causal is None else causal[:, -count - past.shape[4] :],
                past=past,
                room=room.get(f'new.{first}'),
                taps=self.taps,
            )
            x = ran.x
            result[f'new.{first}'] = ran.new
            result |= {f'queries.{layer}': queries for layer, queries in ran.queries.items()}
        result['logits'] = self.head(self.decoder.norm(x))
        return result
