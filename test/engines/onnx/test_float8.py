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

"""Which products get pairs of nodes, and how numbers are rounded to E4M3."""

from float8_cases import cases
import pytest
from tiny_models import tiny_model
import torch

from vla_accel_ros.engines.onnx.float8 import FILE, LARGEST, quantise, rounded, scale_of
from vla_accel_ros.engines.onnx.graphs import Graphs
from vla_accel_ros.engines.onnx.magnitudes import magnitudes

ir = pytest.importorskip('onnxscript').ir

DTYPES = (torch.float32, torch.bfloat16, torch.float16)


@pytest.mark.parametrize('dtype', DTYPES)
def test_a_scale_brings_the_largest_number_to_the_end_of_the_range_and_is_never_0(dtype):
    scales = scale_of(torch.tensor([448.0, 0.5, 0.0]), dtype)
    assert scales.dtype == dtype and scales[0] == 1 and (scales > 0).all()
    assert 0.5 / scales[1].item() == pytest.approx(LARGEST, rel=0.01)


@pytest.mark.parametrize('dtype', DTYPES)
def test_each_row_of_a_weight_has_a_scale_of_its_own(dtype):
    weight = torch.randn(6, 40, generator=torch.Generator().manual_seed(0)).to(dtype)
    weight[1] *= 100
    weight[2] = 0
    narrow, scales = rounded(weight)
    assert (narrow.dtype, scales.shape, scales.dtype) == (torch.float8_e4m3fn, (6,), dtype)
    found, wide = narrow.float() * scales.float()[:, None], weight.float()
    assert found.isfinite().all() and not found[2].any()
    # Half a step of 3 bits, and below the smallest number of full precision half its step.
    bound = wide.abs() / 16 + wide.abs().amax(1, keepdim=True) * 2.0**-10 / LARGEST
    assert ((found - wide).abs() <= 1.01 * bound).all()


def quantised(model, store, folder, place):
    """Give the graph of a case with its pairs, and the weights that are in E4M3."""
    program, given = cases(model)[place]
    made = ir.load(Graphs(model, store).graph(program).path)
    found = magnitudes(program, model, [given])
    return made, quantise(made, dict(model.named_parameters()), found, folder)


def products(made):
    """Give the products of a graph, by what their operands come from."""
    return [
        tuple(value.producer().op_type for value in node.inputs)
        for node in made.graph
        if node.op_type == 'MatMul'
    ]


@pytest.mark.parametrize('dtype', DTYPES)
def test_products_with_weights_have_pairs_and_those_of_attention_have_none(
    dtype, graph_store, tmp_path
):
    model = tiny_model().to(dtype)
    made, names = quantised(model, graph_store, tmp_path, place=2)
    layers = model.config.decoder.layers
    with_weights = [each for each in products(made) if each[0] == 'DequantizeLinear']
    assert len(names) == len(with_weights) == 7 * layers
    assert len(products(made)) - len(with_weights) == 2 * layers
    kinds = [node.op_type for node in made.graph]
    # Inputs of queries, keys and values, of the output, of gate and up, and of down.
    assert kinds.count('QuantizeLinear') <= 5 * layers
    # An input that several products read is rounded once, a weight once.
    assert kinds.count('DequantizeLinear') == kinds.count('QuantizeLinear') + len(names)
    parameters = dict(model.named_parameters())
    expected = sum(parameters[name].numel() for name in names)
    assert (tmp_path / FILE).stat().st_size == expected


def test_types_outside_of_the_pairs_stay_those_of_the_weights(graph_store, tmp_path):
    for dtype, expected in zip(DTYPES, ('FLOAT', 'BFLOAT16', 'FLOAT16'), strict=True):
        made, _ = quantised(tiny_model().to(dtype), graph_store, tmp_path, place=1)
        scales = [value for name, value in made.graph.initializers.items() if 'scale' in name]
        assert {value.const_value.dtype.name for value in scales} == {expected}
        rounding = [node for node in made.graph if node.op_type == 'QuantizeLinear']
        assert {node.inputs[2].const_value.dtype.name for node in rounding} == {'FLOAT8E4M3FN'}


def test_a_weight_that_was_not_measured_stays_as_it_is(tokens_model, graph_store, tmp_path):
    program = cases(tokens_model)[1][0]
    made = ir.load(Graphs(tokens_model, graph_store).graph(program).path)
    found = {'projector.fc2.weight': 1.0, 'projector.nowhere.weight': 1.0}
    weights = dict(tokens_model.named_parameters())
    assert quantise(made, weights, found, tmp_path) == ['projector.fc2.weight']
    assert [node.op_type for node in made.graph].count('QuantizeLinear') == 1
    assert 'model.projector.fc1.weight' in made.graph.initializers
