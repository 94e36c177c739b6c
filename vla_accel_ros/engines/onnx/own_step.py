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

"""One pass of greedy decoding in operators that ONNX Runtime alone has; see `own_layers`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from vla_accel_ros.engines.interface import Tensors
from vla_accel_ros.engines.onnx.nodes import Nodes
from vla_accel_ros.engines.onnx.own_layers import Held, run_layers
from vla_accel_ros.engines.onnx.signature import Port
from vla_accel_ros.engines.onnx.step import Step
from vla_accel_ros.engines.programs.decoder import tapped

if TYPE_CHECKING:
    from onnxscript import ir


@dataclass(frozen=True)
class OwnStep(Step):
    """One pass of a loop; it can be exported, but not run.

    In: `token` and `position` as for `Loop`; `seen` int32 [slots], the rows that each slot holds,
    and `filled`, those with the new one; for each slot s `keys.s` and `values.s` [B, kv heads,
    capacity, head width]. Out: the same for the next pass, `peak` [B, 1], and `queries.l`
    [B, heads, 1, head width] of each tapped layer.
    """

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the tensors that go in."""
        return ('token', 'position', 'seen', 'filled', *self.made)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the tensors that come out."""
        queries = (f'queries.{layer}' for layer in self.loop.taps)
        return (*self.inputs, 'peak', *queries)

    def ports(self, inputs: Sequence[Port]) -> tuple[Port, ...]:
        """Give the inputs of a pass, from those of the loop; see `Step.ports`."""
        config, (token, position, store, _) = self.loop.decoder.config, inputs
        counts = (Port(name, torch.int32, (config.layers,)) for name in ('seen', 'filled'))
        rows = store.shape[2:]
        made = (Port(name, store.dtype, rows) for name in self.made)
        return (token, position, *counts, *made)

    def begin(self, nodes: Nodes, given: Sequence[ir.Value]) -> dict[str, ir.Value | None]:
        """Give what goes into the first pass; see `Step.begin`."""
        from onnxscript import ir

        token, position, store, lengths = given
        config, parts = self.loop.decoder.config, len(self.made)
        seen = nodes.add('Cast', [lengths], to=ir.DataType.INT32)
        one = nodes.constant('one', np.ones(1, np.int32))
        sizes = np.array([parts, 1, config.kv_heads, -1, config.head_width])
        rows = nodes.add('Reshape', [store, nodes.constant('sizes_of_parts', sizes)])
        axis = nodes.constant('axis_of_parts', np.zeros(1, np.int64))
        made = [
            nodes.add('Squeeze', [part, axis])
            for part in nodes.split('Split', [rows], parts, axis=0, num_outputs=parts)
        ]
        return {
            'token': token,
            'position': position,
            'seen': seen,
            'filled': nodes.add('Add', [seen, one]),
            **dict(zip(self.made, made, strict=True)),
        }

    def new(
        self, nodes: Nodes, state: Mapping[str, ir.Value | None], given: Sequence[ir.Value]
    ) -> ir.Value:
        """Give keys and values of all passes; see `Step.new`."""
        config, count, lengths = self.loop.decoder.config, self.loop.count, given[-1]
        axis = nodes.constant('axis_of_rows', np.ones(1, np.int64))
        begins = nodes.add('Unsqueeze', [lengths, axis])
        steps = nodes.constant('passes', np.arange(count)[None])
        places = nodes.add('Add', [begins, steps])
        first = nodes.constant('axis_of_slots', np.zeros(1, np.int64))
        rows = [
            nodes.add('Squeeze', [part, first])
            for part in nodes.split(
                'Split', [places], config.layers, axis=0, num_outputs=config.layers
            )
        ]
        found = [
            nodes.add('Gather', [state[name], rows[index // 2]], axis=2)
            for index, name in enumerate(self.made)
        ]
        sizes = np.array([config.layers, 2, 1, config.kv_heads, count, config.head_width])
        whole = nodes.joined(found, 0)
        return nodes.add('Reshape', [whole, nodes.constant('sizes_of_new', sizes)])

    def run(self, given: Tensors, room: Tensors) -> dict[str, Tensor]:
        """Run the pass, while it is traced; see `Program.run`."""
        decoder, taps = self.loop.decoder, self.loop.taps
        slots = range(len(self.made) // 2)
        parts = [(given[f'keys.{slot}'], given[f'values.{slot}']) for slot in slots]
        held = Held(parts, given['seen'], given['filled'])
        x = decoder.embed_tokens(given['token'])
        x, made, queries = run_layers(decoder, x, given['position'], held, taps)
        peak, token = self.loop.head(x)[:, 0].max(-1, keepdim=True)
        return {
            'token': token,
            'position': given['position'] + 1,
            'seen': given['filled'],
            'filled': given['filled'] + 1,
            **dict(zip(self.made, made, strict=True)),
            'peak': peak,
            **tapped(queries),
        }
