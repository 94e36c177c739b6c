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

from typing import TYPE_CHECKING

from torch import nn

from vla_accel_ros.engines.onnx.export import export
from vla_accel_ros.engines.onnx.nodes import Nodes
from vla_accel_ros.engines.onnx.own_step import OwnStep
from vla_accel_ros.engines.onnx.signature import Port
from vla_accel_ros.engines.onnx.step import Step
from vla_accel_ros.engines.onnx.weights import Weights
from vla_accel_ros.engines.programs.decoder import Loop, tap_names

if TYPE_CHECKING:
    from onnxscript import ir


def unrolled(
    program: Loop,
    model: nn.Module,
    inputs: tuple[Port, ...],
    weights: Weights,
    opset: int,
    packed: bool = True,
    own: bool = False,
) -> ir.Model:
    """Make the graph of a loop; see `export.export`.

    Args:
        program: The loop.
        model: See `export`.
        inputs: See `export`.
        weights: See `export`.
        opset: See `export`.
        packed: See `export`.
        own: Whether passes have operators that ONNX Runtime alone has; see `own_layers.fits`.
    """
    from onnxscript import ir

    step = OwnStep(program) if own else Step(program)
    graph = export(step, model, step.ports(inputs), weights, opset, packed).graph
    # Tokens come first in a pass, and keys and values last.
    whole, floats = graph.inputs[0].dtype, graph.inputs[-1].dtype
    given = [
        ir.val(port.name, floats if port.dtype.is_floating_point else whole, ir.Shape(port.shape))
        for port in inputs
    ]
    constants = {
        value: ir.val(value.name, value.dtype, value.shape, const_value=value.const_value)
        for value in graph.initializers.values()
    }
    nodes = Nodes()
    state = step.begin(nodes, given)
    found: dict[str, list[ir.Value]] = {name: [] for name in step.outputs}
    for number in range(program.count):
        known = dict(zip(graph.inputs, (state[name] for name in step.inputs), strict=True))
        done = nodes.copy(graph, {**constants, **known}, f'pass_{number}')
        for name, value in zip(step.outputs, done, strict=True):
            found[name].append(value)
            state[name] = value
    results = {
        'tokens': nodes.joined(found['token'], 1),
        'peaks': nodes.joined(found['peak'], 1),
        'new': step.new(nodes, state, given),
        **{name: nodes.joined(found[name], 2) for name in tap_names(program.taps)},
    }
    for name, value in results.items():
        value.name, value.dtype = name, whole if name == 'tokens' else floats
    made = ir.Graph(
        given,
        list(results.values()),
        nodes=nodes.made,
        initializers=[*constants.values(), *nodes.constants],
        opset_imports=graph.opset_imports,
        name=program.name,
    )
    result = ir.Model(made, ir_version=10)
    # What all passes compute alike, such as the mask.
    ir.passes.common.CommonSubexpressionEliminationPass()(result)
    ir.passes.common.NameFixPass()(result)
    return result
