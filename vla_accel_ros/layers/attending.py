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

"""Runs of decoder layers, and what the queries of new rows look at.

`run_layers` computes queries, keys and values of new rows layer by layer. Which keys the queries
meet is up to what it is given: the sequence's own (`Own`), or a memory of rows that came before
(`layers.memory`).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

import torch
from torch import Tensor

from vla_accel_ros.layers.llama import DecoderLayer, LlamaDecoder, fused
from vla_accel_ros.layers.rotary import Rope


class Attend(Protocol):
    """What the queries of a layer look at."""

    def __call__(self, slot: int, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Take in keys and values of the new rows, and give what their queries read.

        Args:
            slot: The layer, counted from 0 among those that have attention.
            queries: [B, heads, r, head width], rotated, of the last r of the k new rows.
            keys: [B, kv heads, k, head width], rotated.
            values: As the keys.

        Returns:
            [B, heads, r, head width].
        """


class Keeps(Attend, Protocol):
    """What can also take in keys and values that no query of theirs meets."""

    def keep(self, slot: int, keys: Tensor, values: Tensor) -> object:
        """Take in keys and values of a layer; see `__call__`."""


def run_layers(
    decoder: LlamaDecoder,
    first: int,
    last: int,
    x: Tensor,
    rope: Rope,
    attend: Attend,
    taps: Collection[int] = (),
    rows: Tensor | None = None,
) -> tuple[Tensor, dict[int, Tensor]]:
    """Run layers [first, last), counted from 0.

    Args:
        decoder: The decoder.
        first: First layer.
        last: The layer behind the last one.
        x: [B, k, width].
        rope: Of the k positions.
        attend: What queries look at.
        taps: Layers, counted from 1, whose queries are wanted.
        rows: int [r], ascending and the last ones of the k: those wanted behind the last layer.
            From the last attention on only these are computed, but for keys and values. All if
            None.

    Returns:
        [B, k or r, width], and by tapped layer the rotated queries [B, heads, k or r, head width].
    """
    queries, config = {}, decoder.config
    end = config.slot(last)
    if rows is not None and config.slot(first) == end:
        x = x.index_select(1, rows)
    for index in range(first, last):
        layer: DecoderLayer = decoder.layers[index]
        if layer.self_attn is None:
            x = layer.finish(x)
            continue
        slot = config.slot(index)
        wanted = rows if slot == end - 1 else None
        q, k, v = layer.self_attn.project(layer.input_layernorm(x), rope, wanted)
        if index + 1 in taps:
            queries[index + 1] = q
        if wanted is not None:
            x = x.index_select(1, wanted)
        x = layer.finish(x, attend(slot, q, k, v))
    return x, queries


class Own:
    """The keys of a sequence itself.

    Args:
        slots: Those of the layers that are run.
        causal: Whether a row sees only itself and those before it.
        rows: As for `run_layers`.
        room: [slots, 2, B, kv heads, S, head width], memory for keys and values; None to make
            new.
        apart: Last rows that only they themselves see, where rows are not causal.
    """

    def __init__(
        self,
        slots: range,
        causal: bool,
        rows: Tensor | None = None,
        room: Tensor | None = None,
        apart: int = 0,
    ) -> None:
        self._slots, self._causal, self._room = slots, causal, room
        self._rows, self._apart = rows, apart
        self._made: list[Tensor] = []

    @property
    def new(self) -> Tensor:
        """Keys and values [slots, 2, B, kv heads, S, head width], of one slot at least."""
        return torch.stack(self._made) if self._room is None else self._room

    def keep(self, slot: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Take in keys and values of a layer, and give them where they are kept."""
        if self._room is None:
            self._made.append(torch.stack([keys, values]))
            return keys, values
        own = self._room[slot - self._slots.start]
        own[0], own[1] = keys, values
        return own[0], own[1]

    def __call__(self, slot: int, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Attend; see `Attend`."""
        keys, values = self.keep(slot, keys, values)
        fewer = self._rows if slot == self._slots[-1] else None
        if not self._apart and (not self._causal or fewer is None):
            return fused(queries, keys, values, causal=self._causal)
        places = torch.arange(keys.shape[2], device=keys.device)
        rows = places if fewer is None else fewer
        if self._causal:
            return fused(queries, keys, values, places <= rows[:, None])
        open_to_all = len(places) - self._apart
        seen = (places < open_to_all) | (rows >= open_to_all)[:, None]
        return fused(queries, keys, values, seen)
