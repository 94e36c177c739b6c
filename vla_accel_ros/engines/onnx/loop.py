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

"""The graph of greedy decoding: that of one pass, as often as there are passes.

Tracing all passes takes five times as long as tracing one and copying it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor, nn

from vla_accel_ros.engines.interface import Tensors
from vla_accel_ros.engines.onnx.export import export
from vla_accel_ros.engines.onnx.signature import Port
from vla_accel_ros.engines.onnx.weights import Weights
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


def unrolled(
    program: Loop,
    model: nn.Module,
    inputs: tuple[Port, ...],
    weights: Weights,
    opset: int,
    packed: bool = True,
) -> ir.Model:
    """Make the graph of a loop; see `export.export`."""
    from onnxscript import ir

    step, config = Step(program), program.decoder.config
    rows = 1, config.kv_heads, 'made', config.head_width
    made = tuple(Port(name, inputs[2].dtype, rows) for name in step.made)
    graph = export(step, model, (*inputs, *made), weights, opset, packed).graph
    own = [ir.val(value.name, value.dtype, value.shape) for value in graph.inputs[: len(inputs)]]
    constants = {
        value: ir.val(value.name, value.dtype, value.shape, const_value=value.const_value)
        for value in graph.initializers.values()
    }
    sizes = np.array(
        [len(step.made) // 2, 2, 1, config.kv_heads, program.count, config.head_width]
    )
    sizes_of_new = ir.val('sizes_of_new', const_value=ir.tensor(sizes))
    nodes: list[ir.Node] = []

    def joined(parts: Sequence[ir.Value], axis: int) -> ir.Value:
        nodes.append(ir.node('Concat', parts, {'axis': axis}))
        return nodes[-1].outputs[0]

    # The first pass comes after no other one.
    state: dict[str, ir.Value | None] = dict.fromkeys(step.made)
    state |= dict(zip(program.inputs, own, strict=True))
    found: dict[str, list[ir.Value]] = {name: [] for name in step.outputs}
    for number in range(program.count):
        given = dict(zip(graph.inputs, (state[name] for name in step.inputs), strict=True))
        done = _copied(graph, {**constants, **given}, nodes, f'pass_{number}')
        for name, value in zip(step.outputs, done, strict=True):
            found[name].append(value)
            state[name] = value
    new = joined([found[name][-1] for name in step.made], 0)
    nodes.append(ir.node('Reshape', [new, sizes_of_new]))
    shaped = nodes[-1].outputs[0]
    results = {
        'tokens': joined(found['token'], 1),
        'peaks': joined(found['peak'], 1),
        'new': shaped,
        **{f'queries.{layer}': joined(found[f'queries.{layer}'], 2) for layer in program.taps},
    }
    for name, value in results.items():
        value.name = name
        value.dtype = own[0].dtype if name == 'tokens' else own[2].dtype
    whole = ir.Graph(
        own,
        list(results.values()),
        nodes=nodes,
        initializers=[*constants.values(), sizes_of_new],
        opset_imports=graph.opset_imports,
        name=program.name,
    )
    result = ir.Model(whole, ir_version=10)
    # What all passes compute alike, such as the mask.
    ir.passes.common.CommonSubexpressionEliminationPass()(result)
    ir.passes.common.NameFixPass()(result)
    return result


def _copied(
    graph: ir.Graph, known: Mapping[ir.Value, ir.Value | None], nodes: list[ir.Node], prefix: str
) -> list[ir.Value]:
    """Copy the nodes of a graph.

    Args:
        graph: The graph.
        known: What stands in the place of its inputs and constants; None for what has no rows,
            which may only be joined with what has some.
        nodes: Receives the copies.
        prefix: Of their names.

    Returns:
        What stands in the place of the graph's outputs.
    """
    from onnxscript import ir

    place = dict(known)
    for node in graph:
        inputs = [None if value is None else place[value] for value in node.inputs]
        nothing = [value for value in node.inputs if value is not None and place[value] is None]
        if nothing:
            assert node.op_type == 'Concat' and len(inputs) - len(nothing) == 1, node
            place[node.outputs[0]] = next(value for value in inputs if value is not None)
            continue
        copy = ir.Node(
            node.domain,
            node.op_type,
            inputs,
            node.attributes.values(),
            num_outputs=len(node.outputs),
            name=f'{prefix}.{node.name}',
        )
        nodes.append(copy)
        for old, new in zip(node.outputs, copy.outputs, strict=True):
            new.name, new.dtype = f'{prefix}.{old.name}', old.dtype
            place[old] = new
    results = [place[value] for value in graph.outputs]
    return [value for value in results if value is not None]
