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

"""SmolVLA's denoising: the prefix projected for the cross layers once a chunk, and one step."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

import torch
from torch import Tensor

from vla_accel_ros.engines.interface import Tensors
from vla_accel_ros.engines.programs.decoder import memory_of
from vla_accel_ros.layers.interleaved import InterleavedExpert, Looks
from vla_accel_ros.layers.memory import Memory

Velocity = Callable[[Tensor, Tensor, Tensor, Memory, Collection[int]], tuple[Tensor, Looks]]


@dataclass(frozen=True)
class CrossPrefix:
    """Keys and values of the prefix as the expert's layers read them in every step of a chunk.

    In: `store` [slots, 2, B, kv heads, capacity, head width], what the language model's layers
    left, all of it finite. Out: `store` of the same shape, in which the slots of cross layers are
    projected by these. Where it is given as room, it is changed in place.

    Attributes:
        expert: The expert.
        held: Of each slot, the rows that it holds, where the host knows them; the others are left
            alone then.
    """

    expert: InterleavedExpert
    held: tuple[int, ...] | None = field(default=None, compare=False)
    name = 'cross_prefix'
    inputs = ('store',)
    outputs = ('store',)

    def run(self, given: Tensors, room: Tensors) -> dict[str, Tensor]:
        """Project; see `Program.run`."""
        store, cross = given['store'], self.expert.cross
        if 'store' not in room:
            parts = [
                self.expert.project(layer, part) if layer in cross else part
                for layer, part in enumerate(store.unbind(0))
            ]
            return {'store': torch.stack(parts)}
        inside = room['store']
        for layer in cross:
            rows = inside[layer]
            if self.held is not None:
                rows = rows[..., : self.held[layer], :]
            rows.copy_(self.expert.project(layer, rows))
        return {'store': inside}


@dataclass(frozen=True)
class InterleavedStep:
    """The velocity of a noisy chunk.

    In: `noisy` [B, chunk, action width]; `time` [B or 1, expert width], embedded; `positions` int
    [chunk], those behind the prefix; `store` as `CrossPrefix` gives it; `lengths` int64 [slots],
    the rows that each layer holds. Out: `velocity` [B, chunk, action width]; of each tapped layer
    `queries.l` [B, heads, chunk, head width] and, of a self layer, `own.l` [B, kv heads, chunk,
    head width], the actions' keys, both rotated.

    Attributes:
        velocity: The model's.
        cross: Layers, from 0, that have no keys of their own.
        taps: Layers, counted from 1, whose queries are wanted.
        held: See `decoder.Pass`.
    """

    velocity: Velocity
    cross: tuple[int, ...]
    taps: tuple[int, ...] = ()
    held: tuple[int, ...] | None = field(default=None, compare=False)
    name = 'flow_step'
    inputs = ('noisy', 'time', 'positions', 'store', 'lengths')

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the tensors that come out."""
        own = (f'own.{layer}' for layer in self.taps if layer - 1 not in self.cross)
        return ('velocity', *(f'queries.{layer}' for layer in self.taps), *own)

    def run(self, given: Tensors, room: Tensors) -> dict[str, Tensor]:
        """Run the expert; see `Program.run`."""
        memory = memory_of(given, {}, self.held)
        memory.begin(given['noisy'].shape[1])
        velocity, looks = self.velocity(
            given['noisy'], given['time'], given['positions'], memory, self.taps
        )
        queries = {f'queries.{layer}': asked for layer, (asked, _) in looks.items()}
        own = {f'own.{layer}': keys for layer, (_, keys) in looks.items() if keys is not None}
        return {'velocity': velocity, **queries, **own}
