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

"""Passes of a few tokens over a filled cache, as decoding asks for them."""

from __future__ import annotations

import torch
from torch import Tensor

from vla_accel_ros.engines.eager import EAGER
from vla_accel_ros.engines.interface import Engine, call
from vla_accel_ros.engines.programs.decoder import Loop, Pass
from vla_accel_ros.layers.cache import KVCache
from vla_accel_ros.layers.llama import LanguageModel
from vla_accel_ros.models.action_rows import ActionRows


def extend(
    language: LanguageModel,
    tokens: Tensor,
    positions: Tensor,
    cache: KVCache,
    engine: Engine = EAGER,
    taps: tuple[int, ...] = (),
) -> tuple[Tensor, dict[int, Tensor]]:
    """Run a few tokens over a cache whose layers may differ in length.

    Args:
        language: Decoder and head.
        tokens: int [B, k].
        positions: int [1 or B, k], absolute.
        cache: Holds what came before; each layer grows by k.
        engine: What runs the pass.
        taps: Layers, counted from 1, whose queries are wanted.

    Returns:
        Logits [B, k, vocabulary], and by layer queries [B, heads, k, head width], rotated.
    """
    count = tokens.shape[1]
    cache.check_room(count)
    program = Pass(language.model, language.lm_head, taps, cache.held)
    given = {'tokens': tokens, 'positions': positions}
    given |= {'store': cache.store, 'lengths': cache.lengths}
    done = call(engine, program, given, {'store': cache.store})
    cache.grow(count)
    return done['logits'], {layer: done[f'queries.{layer}'] for layer in taps}


def greedily(
    language: LanguageModel,
    token: Tensor,
    position: Tensor,
    count: int,
    cache: KVCache,
    engine: Engine = EAGER,
    taps: tuple[int, ...] = (),
) -> tuple[Tensor, Tensor, dict[int, Tensor]]:
    """Decode greedily over a cache whose layers may differ in length.

    Args:
        language: Decoder and head.
        token: int [B, 1], run first.
        position: int [1 or B, 1], its absolute position.
        count: Passes, each of one token.
        cache: As for `extend`; each layer grows by `count`.
        engine: What runs the passes.
        taps: As for `extend`.

    Returns:
        Tokens int [B, count] that follow, the logit of each [B, count], and by layer queries
        [B, heads, count, head width], rotated, of the tokens that were run.
    """
    cache.check_room(count)
    program = Loop(language.model, language.lm_head, count, taps, cache.held)
    given = {'token': token, 'position': position}
    given |= {'store': cache.store, 'lengths': cache.lengths}
    done = call(engine, program, given, {'store': cache.store})
    cache.grow(count)
    queries = {layer: done[f'queries.{layer}'] for layer in taps}
    return done['tokens'], done['peaks'], queries


class CachedPasses:
    """`decoding.interface.Passes` of a model and the cache that a prefill filled.

    Args:
        language: Decoder and head.
        cache: Holds the prompt, and the draft tokens behind it.
        first: Absolute position of the answer's first token, the prompt's full length.
        engine: What runs the passes.
        rows: Takes in the queries of the layers that it wants; None where none are wanted.

    Attributes:
        made: What each pass ran: the answer's tokens before it, and its own.
    """

    def __init__(
        self,
        language: LanguageModel,
        cache: KVCache,
        first: int,
        engine: Engine = EAGER,
        rows: ActionRows | None = None,
    ) -> None:
        self._language, self._cache, self._first = language, cache, first
        self._engine, self._rows = engine, ActionRows(()) if rows is None else rows
        self.made: list[tuple[int, int]] = []

    def extend(self, tokens: Tensor, start: int) -> Tensor:
        """Run tokens [k] of the answer, give logits [k, vocabulary]; see `Passes.extend`."""
        self.made.append((start, len(tokens)))
        begin = self._first + start
        positions = torch.arange(begin, begin + len(tokens), device=tokens.device)
        logits, queries = extend(
            self._language,
            tokens[None],
            positions[None],
            self._cache,
            self._engine,
            self._rows.layers,
        )
        self._rows.add(begin, len(tokens), queries)
        return logits[0]

    def greedy(self, token: Tensor, start: int, count: int) -> tuple[Tensor, Tensor]:
        """Decode tokens [count] with their logits [count]; see `Passes.greedy`."""
        self.made += [(place, 1) for place in range(start, start + count)]
        begin = self._first + start
        tokens, peaks, queries = greedily(
            self._language,
            token[None],
            torch.full((1, 1), begin, device=token.device),
            count,
            self._cache,
            self._engine,
            self._rows.layers,
        )
        self._rows.add(begin, count, queries)
        return tokens[0], peaks[0]

    def rollback(self, count: int) -> None:
        """Forget the newest tokens of the cache."""
        self._cache.drop_last(count)
