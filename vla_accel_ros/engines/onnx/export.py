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

"""From a program to a small ONNX graph whose weights lie in a file of others."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
import logging
from typing import TYPE_CHECKING
import warnings

import torch
from torch import Tensor, nn

from vla_accel_ros.engines.interface import Program
from vla_accel_ros.engines.onnx.signature import Port
from vla_accel_ros.engines.onnx.weights import Place, Weights
from vla_accel_ros.engines.programs.decoder import Span

if TYPE_CHECKING:
    from onnxscript import ir


class _Running(nn.Module):
    """A program as a module, inputs in order and outputs in order.

    Args:
        model: The model, so that weights are called as it calls them.
        program: The program.
    """

    def __init__(self, model: nn.Module, program: Program) -> None:
        super().__init__()
        self.model = model
        self._program = program

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Run the program without room."""
        program = self._program
        result = program.run(dict(zip(program.inputs, inputs, strict=True)), {})
        return tuple(result[name] for name in program.outputs)


def export(
    program: Program,
    model: nn.Module,
    inputs: tuple[Port, ...],
    weights: Weights,
    opset: int,
    packed: bool = True,
) -> ir.Model:
    """Make the graph of a program.

    Args:
        program: The program.
        model: Of whose modules it is made.
        inputs: Its inputs.
        weights: Where the model's tensors lie.
        opset: Version of ONNX's operators.
        packed: Whether packed matrices are multiplied with as one.
    """
    free = {size for port in inputs for size in port.shape if isinstance(size, str)}
    sizes = {name: torch.export.Dim(name, min=1) for name in free}
    examples = tuple(port.example(model.device) for port in inputs)  # type: ignore[arg-type]
    dynamic = tuple(
        {axis: sizes[size] for axis, size in enumerate(port.shape) if isinstance(size, str)}
        for port in inputs
    )
    on_meta = any(example.is_meta for example in examples)
    # Packed matrices are for where no gradients are recorded.
    with _quiet(), torch.inference_mode(False), torch.set_grad_enabled(not packed):
        exported = torch.export.export(
            _Running(model, program).eval(),
            examples,
            dynamic_shapes=(dynamic,),
            strict=False,
            # What it cannot prove of sizes is no reason to refuse; nothing checks it in a graph.
            prefer_deferred_runtime_asserts_over_guards=True,
        )
        made = torch.onnx.export(
            exported,
            dynamo=True,
            opset_version=opset,
            input_names=list(program.inputs),
            output_names=list(program.outputs),
            optimize=False,
            verbose=False,
        )
        assert made is not None
        places = _places(made.model, weights)
        if on_meta:
            # Their numbers are read from the file where a rule of the optimiser asks for them.
            _link(made.model, places, weights)
        _simplify(made.model, set(places))
        if isinstance(program, Span):
            _divide(made.model)
        _link(made.model, places, weights)
    return made.model


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what torch says of its own use of itself from users."""
    log = logging.getLogger('torch.onnx')
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            yield
    finally:
        log.setLevel(level)


def _places(made: ir.Model, weights: Weights) -> dict[str, Place]:
    """Say by initialiser where the tensors lie that need not be written again."""
    found = {}
    for name, value in made.graph.initializers.items():
        raw = getattr(value.const_value, 'raw', None)
        place = None
        if isinstance(raw, Tensor):
            place = weights.place(name.removeprefix('model.'), raw)
        if place is not None:
            found[name] = place
    return found


def _link(made: ir.Model, places: Mapping[str, Place], weights: Weights) -> None:
    """Have initialisers refer to the file in which they lie already."""
    from onnxscript import ir

    base = {file.name: str(file.parent) for file in weights.files()}
    for name, value in made.graph.initializers.items():
        if name in places and value.const_value is not None:
            place = places[name]
            value.const_value = ir.ExternalTensor(
                place.location,
                place.offset,
                place.length,
                value.const_value.dtype,
                shape=value.const_value.shape,
                name=name,
                base_dir=base.get(place.location, ''),
            )


def _simplify(made: ir.Model, linked: Collection[str]) -> None:
    """Fold what is constant, but nothing made of linked weights: it would be written again."""
    from onnxscript import optimizer

    def keep(node: ir.Node) -> bool | None:
        names = (value.name for value in node.inputs if value is not None)
        return False if any(name in linked for name in names) else None

    optimizer.optimize_ir(made, should_fold=keep)
    for node in made.graph:
        # Where in the source it came from, which is most of the file.
        node.metadata_props.clear()
        for value in node.outputs:
            value.metadata_props.clear()


def _divide(made: ir.Model) -> None:
    """Divide by roots in the place of multiplying with what is 1 over them.

    That is how runtimes know the norm of a decoder layer, which they compute in one operation. Of
    a single row it takes them longer, so that passes are left as they are.
    """
    from onnxscript import ir

    for node in list(made.graph):
        if node.op_type != 'Mul':
            continue
        for x, factor in (node.inputs, node.inputs[::-1]):
            inverse = None if factor is None else factor.producer()
            root = None if inverse is None else inverse.inputs[0]
            producer = None if root is None else root.producer()
            if inverse is None or inverse.op_type != 'Reciprocal' or producer is None:
                continue
            if producer.op_type == 'Sqrt':
                division = ir.node('Div', [x, root])
                ir.convenience.replace_nodes_and_values(
                    made.graph, node, [node], [division], node.outputs, division.outputs
                )
                break
    ir.passes.common.RemoveUnusedNodesPass()(made)
