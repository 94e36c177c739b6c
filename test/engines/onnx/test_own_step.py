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

"""A loop in ONNX Runtime's own operators decodes as eager does, in few nodes."""

from collections import Counter

from graph_agreement import agree
import pytest
import torch

from vla_accel_ros.engines.onnx.graphs import Graphs
from vla_accel_ros.engines.programs.decoder import Loop

onnx = pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')

COUNT = 4


def loop_of(model, taps=()):
    return Loop(model.language_model.model, model.language_model.lm_head, COUNT, taps)


@pytest.mark.parametrize('packed', [True, False])
@pytest.mark.parametrize('taps', [(), (1, 3)])
def test_it_decodes_as_eager_from_each_layers_own_length(packed, taps, wide_model, graph_store):
    program, config = loop_of(wide_model, taps), wide_model.config.decoder
    graph = Graphs(wide_model, graph_store, packed=packed).graph(program, own=True)
    assert graph.own
    generator = torch.Generator().manual_seed(3)
    for capacity, lengths in ((16, [5, 5, 5]), (40, [33, 9, 1]), (40, [36, 36, 36])):
        shape = config.layers, 2, 1, config.kv_heads, capacity, config.head_width
        given = {
            'token': torch.tensor([[17]]),
            'position': torch.tensor([[50]]),
            'store': torch.randn(shape, generator=generator),
            'lengths': torch.tensor(lengths),
        }
        agree(graph, program, given)


def test_a_layer_is_few_nodes_and_none_but_its_attention_reads_the_memory(wide_model, graph_store):
    graphs, layers = Graphs(wide_model, graph_store), wide_model.config.decoder.layers
    own, plain = (
        Counter(
            node.op_type for node in onnx.load(found.path, load_external_data=False).graph.node
        )
        for found in (graphs.graph(loop_of(wide_model), own) for own in (True, False))
    )
    assert own['GroupQueryAttention'] == COUNT * layers == plain['Softmax']
    assert not own['Softmax'] and own.total() < plain.total() / 2.5
