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

"""Products with weights in FP8 (E4M3): what goes into them is rounded to 8 bits, and back.

Each product has a QuantizeLinear and a DequantizeLinear in front of its activation, with one scale
for the whole tensor, and a DequantizeLinear behind its weight, which is stored in FP8 with one
scale a row. A runtime that has products of FP8 puts one in the place of the three; one that has
none computes the same numbers. All else stays as it is, and so do all types outside of the pairs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import torch
from torch import Tensor

if TYPE_CHECKING:
    from onnxscript import ir

FILE = 'float8.bin'
# As graphs name the model's tensors.
PREFIX = 'model.'
# The largest number of E4M3.
LARGEST = 448.0
# 3 bits behind the point, 4 of the exponent.
FLOAT8 = torch.float8_e4m3fn


def scale_of(largest: Tensor, dtype: torch.dtype) -> Tensor:
    """Give the scale that brings numbers into the range of E4M3, never 0.

    Args:
        largest: float32, largest magnitudes.
        dtype: Of the scale.
    """
    return (largest / LARGEST).clamp(min=torch.finfo(dtype).tiny).to(dtype)


def rounded(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Give a weight [out, in] in E4M3, and its scales [out] in its own type.

    The largest number of a row becomes the largest of E4M3; a row of zeros stays one.
    """
    wide = weight.detach().float()
    scales = scale_of(wide.abs().amax(1), weight.dtype)
    return (wide / scales.float()[:, None]).clamp(-LARGEST, LARGEST).to(FLOAT8), scales


def quantise(
    made: ir.Model, weights: Mapping[str, Tensor], magnitudes: Mapping[str, float], folder: Path
) -> list[str]:
    """Round in a graph what goes into the products with weights.

    Args:
        made: The graph; changed.
        weights: The model's parameters by name, [out, in].
        magnitudes: By a weight's name the largest magnitude of an input of its product; products
            with other weights stay as they are.
        folder: Where the file of the weights in E4M3 goes, beside the graph.

    Returns:
        Names of the weights that are in E4M3 now.

    Raises:
        OSError: When the file cannot be written.
    """
    products = {name: _products(made, name) for name in magnitudes}
    products = {name: nodes for name, nodes in products.items() if nodes}
    largest: dict[ir.Value, float] = {}
    for name, nodes in products.items():
        for node in nodes:
            given = node.inputs[0]
            assert given is not None
            largest[given] = max(largest.get(given, 0.0), magnitudes[name])
    with (folder / FILE).open('wb') as opened:
        for name in products:
            _store(made, name, weights[name], opened)
    if products:
        dtype = weights[next(iter(products))].dtype
        _round(made, {node for nodes in products.values() for node in nodes}, largest, dtype)
    return list(products)


def _products(made: ir.Model, name: str) -> list[ir.Node]:
    """Give the nodes that multiply activations with a weight; none where it has other uses."""
    value = made.graph.initializers.get(PREFIX + name)
    found: list[ir.Node] = []
    for node, place in () if value is None else value.uses():
        if node.op_type == 'Transpose':
            behind = node.outputs[0].uses()
            if any((each.op_type, at) != ('MatMul', 1) for each, at in behind):
                return []
            found += [each for each, _ in behind]
        elif node.op_type == 'Gemm' and place == 1 and node.attributes.get_int('transB', 0):
            found.append(node)
        else:
            return []
    return found


def _store(made: ir.Model, name: str, weight: Tensor, file: BinaryIO) -> None:
    """Put a weight into a file in E4M3, and have the graph read it from there."""
    from onnxscript import ir

    whole = made.graph.initializers.pop(PREFIX + name)
    narrow, scales = rounded(weight)
    raw = narrow.contiguous().view(torch.uint8).cpu().numpy().tobytes()
    stored = _constant(made, f'{whole.name}.float8')
    stored.const_value = ir.ExternalTensor(
        FILE,
        file.tell(),
        len(raw),
        ir.DataType.FLOAT8E4M3FN,
        shape=ir.Shape(narrow.shape),
        name=stored.name,
        base_dir=str(Path(file.name).parent),
    )
    file.write(raw)
    scale = _constant(made, f'{whole.name}.scale', scales)
    node = ir.node('DequantizeLinear', [stored, scale], {'axis': 0})
    node.outputs[0].name = f'{whole.name}.rounded'
    ir.convenience.replace_all_uses_with(whole, node.outputs[0])
    made.graph.insert_before(made.graph[0], node)


def _round(
    made: ir.Model,
    products: Collection[ir.Node],
    largest: Mapping[ir.Value, float],
    dtype: torch.dtype,
) -> None:
    """Put a pair of nodes behind each activation, for the products that read it."""
    from onnxscript import ir

    zero = _constant(made, 'float8.zero', torch.zeros((), dtype=FLOAT8))
    pairs: dict[ir.Value, ir.Value] = {}
    for node in [each for each in made.graph if each in products]:
        given = node.inputs[0]
        assert given is not None
        if given not in pairs:
            scale = _constant(
                made, f'{given.name}.scale', scale_of(torch.tensor(largest[given]), dtype)
            )
            narrow = ir.node('QuantizeLinear', [given, scale, zero])
            # Without a zero of FP8 ONNX Runtime takes one of uint8 where it moves the pair.
            back = ir.node('DequantizeLinear', [narrow.outputs[0], scale, zero])
            narrow.outputs[0].name = f'{given.name}.float8'
            back.outputs[0].name = f'{given.name}.rounded'
            made.graph.insert_before(node, [narrow, back])
            pairs[given] = back.outputs[0]
        node.replace_input_with(0, pairs[given])


def _constant(made: ir.Model, name: str, tensor: Tensor | None = None) -> ir.Value:
    from onnxscript import ir

    value = ir.Value(name=name)
    if tensor is not None:
        value.const_value = ir.tensor(tensor.cpu(), name=name)
    made.graph.initializers[name] = value
    return value
