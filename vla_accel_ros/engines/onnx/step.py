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

"""One pass of greedy decoding, as it is traced: in ONNX's operators alone, for any runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from vla_accel_ros.engines.interface import Tensors
from vla_accel_ros.engines.onnx.nodes import Nodes
from vla_accel_ros.engines.onnx.signature import Port
from vla_accel_ros.engines.programs.decoder import Loop, tapped
from vla_accel_ros.layers.attending import run_layers
from vla_accel_ros.layers.memory import Masked

if TYPE_CHECKING:
    from onnxscript import ir


@dataclass(frozen=True)
class Step:
    """One pass of a loop.

    In: `token`, `position`, `store` and `lengths` as for `Loop`; for each slot s `keys.s` and
    `values.s` [B, kv heads, n, head width], those of earlier passes. Out: `token` and `position`
    of the next pass, `peak` [B, 1], `keys.s` and `values.s` with a row more, and `queries.l`
    [B, heads, 1, head width] of each tapped layer.

    Attributes:
        loop: The loop.
    """

    loop: Loop
    name = 'step'

    @property
    def made(self) -> tuple[str, ...]:
        """Names of keys and values, slot by slot."""
        slots = range(len(self.loop.decoder.config.attending))
        return tuple(f'{kind}.{slot}' for slot in slots for kind in ('keys', 'values'))

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the tensors that go in."""
        return (*self.loop.inputs, *self.made)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the tensors that come out."""
        queries = (f'queries.{layer}' for layer in self.loop.taps)
        return ('token', 'position', 'peak', *self.made, *queries)

    def ports(self, inputs: Sequence[Port]) -> tuple[Port, ...]:
        """Give the inputs of a pass, from those of the loop."""
        config = self.loop.decoder.config
        rows = 1, config.kv_heads, 'made', config.head_width
        return (*inputs, *(Port(name, inputs[2].dtype, rows) for name in self.made))

    def begin(self, nodes: Nodes, given: Sequence[ir.Value]) -> dict[str, ir.Value | None]:
        """Give what goes into the first pass: no other one came before it.

        Args:
            nodes: Receives nodes that it takes.
            given: The inputs of the loop.

        Returns:
            By name; None for what has no rows.
        """
        inputs = dict(zip(self.loop.inputs, given, strict=True))
        return {**dict.fromkeys(self.made), **inputs}

    def new(
        self, nodes: Nodes, state: Mapping[str, ir.Value | None], given: Sequence[ir.Value]
    ) -> ir.Value:
        """Give keys and values of all passes, `new` of the loop.

        Args:
            nodes: Receives the nodes that it takes.
            state: What came out of the last pass, by name.
            given: The inputs of the loop.
        """
        config = self.loop.decoder.config
        rows = nodes.joined([state[name] for name in self.made], 0)
        sizes = [len(self.made) // 2, 2, 1, config.kv_heads, self.loop.count, config.head_width]
        return nodes.add('Reshape', [rows, nodes.constant('sizes_of_new', np.array(sizes))])

    def run(self, given: Tensors, room: Tensors) -> dict[str, Tensor]:
        """Run the pass; see `Program.run`."""
        loop, decoder = self.loop, self.loop.decoder
        slots = range(len(self.made) // 2)
        made = {slot: (given[f'keys.{slot}'], given[f'values.{slot}']) for slot in slots}
        memory = Masked(given['store'], given['lengths'], made)
        memory.begin(1)
        x = decoder.embed_tokens(given['token'])
        rope, depth = decoder.rope(given['position'], x), decoder.config.layers
        x, queries = run_layers(decoder, 0, depth, x, rope, memory, loop.taps)
        peak, token = loop.head(decoder.norm(x))[:, 0].max(-1, keepdim=True)
        grown = [part for slot in slots for part in memory.made[slot]]
        return {
            'token': token,
            'position': given['position'] + 1,
            'peak': peak,
            **dict(zip(self.made, grown, strict=True)),
            **tapped(queries),
        }
