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

"""A pass in ONNX Runtime's own operators answers as eager does."""

from graph_agreement import agree
import pytest
import torch

from vla_accel_ros.engines.onnx.graphs import Graphs
from vla_accel_ros.engines.programs.decoder import Pass

pytest.importorskip('onnxruntime')


@pytest.mark.parametrize('taps', [(), (1, 3)])
def test_it_answers_as_eager_from_each_layers_own_length(taps, wide_model, graph_store):
    language, config = wide_model.language_model, wide_model.config.decoder
    program = Pass(language.model, language.lm_head, taps)
    graph = Graphs(wide_model, graph_store).graph(program, own=True)
    assert graph.own
    generator = torch.Generator().manual_seed(3)
    for count, capacity, lengths in (
        *((1, 16, [5, 5, 5]), (2, 40, [33, 9, 1]), (7, 40, [33, 33, 33])),
        *((1, 4, [0, 0, 0]), (7, 7, [0, 0, 0])),
    ):
        shape = config.layers, 2, 1, config.kv_heads, capacity, config.head_width
        given = {
            'tokens': torch.arange(10, 10 + count)[None],
            'positions': torch.arange(50, 50 + count)[None],
            'store': torch.randn(shape, generator=generator),
            'lengths': torch.tensor(lengths),
        }
        agree(graph, program, given)
