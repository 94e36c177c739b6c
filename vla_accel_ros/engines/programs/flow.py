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

"""Denoising: velocities of a flow over the keys and values of a prefix.

What does not change from step to step is no part of a step: the prefix is in the memory, rows that
know neither time nor noise are put there by `Rows` once a chunk, and what times give is made once
by `conditions`. A step's rows are written behind what the memory holds, the next one's over them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from torch import Tensor

from vla_accel_ros.engines.interface import Program, Tensors
from vla_accel_ros.engines.programs.call import Call
from vla_accel_ros.engines.programs.decoder import memory_of, tap_names, tapped
from vla_accel_ros.layers.memory import Memory
from vla_accel_ros.layers.shapes import DecoderConfig


class FlowNetwork(Protocol):
    """What denoises actions, a module.

    Attributes:
        memory: Shape of the keys and values of the prefix.
        before: Rows in front of the actions, which know neither time nor noise.
        width: Channels of an embedded time.
        rows: Actions of an answer.
        numbers: Columns of an action.
        columns: Columns of the state, zeros behind the robot's own.
        wide_conditions: Whether that is never less than float32.
        causal: Whether an action sees itself and those before it, or all of its chunk.
    """

    memory: DecoderConfig
    before: int
    width: int
    rows: int
    numbers: int
    columns: int
    wide_conditions: bool
    causal: bool

    @property
    def condition(self) -> tuple[int, ...]:
        """Shape of one of what `conditions` gives."""

    def conditions(self, embedded: Tensor) -> Tensor:
        """Give what embedded times [n, width] are to a step, [n, ...]."""

    def prepared(self, held: tuple[int, ...]) -> Program | None:
        """Give the program that changes the memory once a chunk, before all steps, if any.

        It takes `store` as `decoder.Pass` does and gives it changed, in place where it is room.

        Args:
            held: Of each slot, the rows of the prefix that it holds.
        """

    def leading(self, state: Tensor, position: Tensor, memory: Memory) -> None:
        """Run the rows before the actions.

        Args:
            state: [1, columns].
            position: int [1], the first position behind the prefix.
            memory: Takes in their keys and values.
        """

    def velocity(
        self,
        x: Tensor,
        condition: Tensor,
        position: Tensor,
        memory: Memory,
        taps: tuple[int, ...] = (),
    ) -> tuple[Tensor, dict[int, Tensor]]:
        """Give the velocity of noisy actions.

        Args:
            x: float32 [1, n, numbers].
            condition: One of what `conditions` gives, or one a row, [..., n, channels].
            position: int [1], the first position behind the prefix.
            memory: The prefix, and the rows before the actions.
            taps: Layers, counted from 1, whose queries are wanted.

        Returns:
            float32 [1, n, numbers], and by tapped layer the action rows' rotated queries
            [1, heads, n, head width].
        """


def conditions(network: FlowNetwork) -> Call:
    """Give the program from embedded times `embedded` [n, width] to `conditions` [n, ...]."""
    return Call('conditions', network.conditions, ('embedded',), 'conditions')


@dataclass(frozen=True)
class Leading:
    """The rows in front of the actions: pi0's state.

    In: `state` [1, columns]; `position` int [1], the first position behind the prefix; `store` and
    `lengths` as for `decoder.Pass`. Out: `new` [slots, 2, 1, kv heads, rows, head width]. For the
    store as room and for `held` see `decoder.Pass`.

    Attributes:
        network: What denoises.
        held: The numbers in `lengths`, where the host knows them.
    """

    network: FlowNetwork
    held: tuple[int, ...] | None = field(default=None, compare=False)
    name = 'leading'
    inputs = ('state', 'position', 'store', 'lengths')
    outputs = ('new',)

    def run(self, given: Tensors, room: Tensors) -> dict[str, Tensor]:
        """Run the rows; see `Program.run`."""
        memory = memory_of(given, room, self.held, self.network.causal)
        self.network.leading(given['state'], given['position'], memory)
        return {'new': memory.new}


@dataclass(frozen=True)
class Velocity:
    """One evaluation of the velocity field.

    In: `x` float32 [1, n, numbers], noisy actions; `condition`, one of what `conditions` gives;
    `position` int [1], the first position behind the prefix; `store` and `lengths` as for
    `decoder.Pass`, with the rows in front of the actions. Out: `velocity` float32 [1, n, numbers];
    with taps `new` [slots, 2, 1, kv heads, n, head width] and `queries.l` [1, heads, n,
    head width], rotated, of the action rows. For the store as room and for `held` see
    `decoder.Pass`.

    Attributes:
        network: What denoises.
        taps: Layers, counted from 1, whose queries are wanted.
        held: The numbers in `lengths`, where the host knows them.
        by_row: Whether each row has a condition of its own, [..., n, channels].
    """

    network: FlowNetwork
    taps: tuple[int, ...] = ()
    held: tuple[int, ...] | None = field(default=None, compare=False)
    by_row: bool = False
    name = 'velocity'
    inputs = ('x', 'condition', 'position', 'store', 'lengths')

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the tensors that come out."""
        new = ('new',) if self.taps else ()
        return ('velocity', *new, *tap_names(self.taps))

    def run(self, given: Tensors, room: Tensors) -> dict[str, Tensor]:
        """Run the rows; see `Program.run`."""
        memory = memory_of(given, room, self.held, self.network.causal)
        velocity, queries = self.network.velocity(
            given['x'], given['condition'], given['position'], memory, self.taps
        )
        new = {'new': memory.new} if self.taps else {}
        return {'velocity': velocity, **new, **tapped(queries)}
