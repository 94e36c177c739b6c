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

"""Graphs compute what their programs compute, for all sizes, and are made once."""

from dataclasses import replace

import graph_agreement
import pytest
from tiny_models import TOKENS, tiny_model
import torch

from vla_accel_ros.engines.interface import EngineError
from vla_accel_ros.engines.onnx.graphs import Graphs
from vla_accel_ros.engines.programs.call import Narrow
from vla_accel_ros.engines.programs.decoder import Loop, Pass, Span
from vla_accel_ros.engines.store import Store

pytest.importorskip('onnxruntime')

LAYERS, HEADS, KV_HEADS, WIDTH, HEAD_WIDTH = 3, 4, 2, 32, 8


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def agree(graphs, program, given, atol=2e-5):
    graph_agreement.agree(graphs.graph(program), program, given, atol)


@pytest.mark.parametrize('attention', [False, True])
def test_vision(attention, tokens_model, tokens_graphs):
    agree(tokens_graphs, tokens_model.vision(attention), {'pixels': noise(1, 6, 32, 32)})


def test_vision_modulated_by_language(slots_model, slots_graphs):
    given = {'pixels': noise(1, 6, 32, 32), 'language': noise(1, WIDTH)}
    agree(slots_graphs, slots_model.vision(), given)
    ids = torch.tensor([[1, 7, 9, 11]])
    agree(slots_graphs, slots_model.instruction(), {'ids': ids})


def test_projector(tokens_model, tokens_graphs):
    features = noise(1, 32, 16)
    agree(tokens_graphs, tokens_model.projection(), {'features': features})
    for ids in ([3], list(range(32))):
        given = {'features': features, 'ids': torch.tensor(ids)}
        agree(tokens_graphs, tokens_model.projection(True), given)


def test_heads(tokens_model, tokens_graphs, slots_model, slots_graphs):
    agree(slots_graphs, slots_model.head(), {'rows': noise(1, 14, WIDTH)})
    for rows in (1, 7):
        agree(tokens_graphs, tokens_model.logits_of(), {'rows': noise(rows, WIDTH)})


@pytest.mark.parametrize('causal', [True, False])
def test_a_span_of_all_layers(causal, tokens_model, tokens_graphs):
    program = Span(
        tokens_model.language_model.model, 0, LAYERS, causal=causal, norm=True, taps=(3,)
    )
    for length, rows in ((2, 1), (40, 1), (40, 8), (40, 40)):
        positions = torch.arange(length)
        given = {'x': noise(1, length, WIDTH), 'positions': positions, 'rows': positions[-rows:]}
        agree(tokens_graphs, program, given)


def test_a_span_after_a_drop_and_the_one_before(tokens_model, tokens_graphs):
    decoder, x = tokens_model.language_model.model, noise(1, 30, WIDTH)
    first = Span(decoder, 0, 1, taps=(1,))
    agree(tokens_graphs, first, {'x': x, 'positions': torch.arange(30)})
    second = Span(decoder, 1, LAYERS, narrowed=True, norm=True)
    for stay in ([4], [0, 3, 4, 29], list(range(30))):
        stay = torch.tensor(stay)
        given = {'x': x, 'positions': 3 * stay, 'stay': stay, 'rows': torch.arange(len(stay))[-2:]}
        agree(tokens_graphs, second, given)


def memory(capacity, lengths):
    return {
        'store': noise(LAYERS, 2, 1, KV_HEADS, capacity, HEAD_WIDTH),
        'lengths': torch.tensor(lengths),
    }


@pytest.mark.parametrize('count', [1, 2, 7])
def test_a_pass(count, tokens_model, tokens_graphs):
    language = tokens_model.language_model
    program = Pass(language.model, language.lm_head, taps=(2,))
    for capacity, lengths in ((16, [5, 5, 5]), (40, [33, 9, 1]), (7, [0, 0, 0])):
        given = {
            'tokens': torch.arange(10, 10 + count)[None],
            'positions': torch.arange(50, 50 + count)[None],
            **memory(capacity, lengths),
        }
        agree(tokens_graphs, program, given)


def test_a_loop(tokens_model, tokens_graphs):
    language = tokens_model.language_model
    program = Loop(language.model, language.lm_head, 3, taps=(2,))
    for capacity, lengths in ((16, [5, 5, 5]), (40, [33, 9, 1])):
        given = {
            'token': torch.tensor([[17]]),
            'position': torch.tensor([[50]]),
            **memory(capacity, lengths),
        }
        agree(tokens_graphs, program, given)


def test_parts_that_are_left_out_are_in_no_graph(graph_store):
    decoder = replace(TOKENS.decoder, drop_attention=(0, 2), drop_mlp=(1,))
    model = tiny_model(replace(TOKENS, decoder=decoder))
    language, graphs = model.language_model, Graphs(model, graph_store)
    positions = torch.arange(9)
    given = {'x': noise(1, 9, WIDTH), 'positions': positions, 'rows': positions[-2:]}
    agree(graphs, Span(language.model, 0, LAYERS, norm=True, taps=(2,)), given)
    given = {
        'tokens': torch.tensor([[10, 11]]),
        'positions': torch.tensor([[9, 10]]),
        'store': noise(1, 2, 1, KV_HEADS, 16, HEAD_WIDTH),
        'lengths': torch.tensor([9]),
    }
    agree(graphs, Pass(language.model, language.lm_head), given)


def test_how_much_the_host_knows_is_no_part_of_a_graph(tokens_model, tokens_graphs):
    language = tokens_model.language_model
    known = Pass(language.model, language.lm_head, (2,), held=(5, 5, 5))
    unknown = Pass(language.model, language.lm_head, taps=(2,))
    assert tokens_graphs.graph(known) == tokens_graphs.graph(unknown)


def test_weights_lie_in_one_file_and_a_graph_adds_little(tokens_model, tokens_graphs, graph_store):
    first = tokens_graphs.graph(tokens_model.projection())
    second = tokens_graphs.graph(tokens_model.projection(True))
    shared = [graph.path.with_name('weights.bin').stat().st_ino for graph in (first, second)]
    assert shared[0] == shared[1]
    sizes = {entry.path: entry.size for entry in graph_store.entries()}
    assert sizes[first.path.parent] < 20_000
    assert sizes[second.path.parent] < 20_000


def test_a_graph_is_found_again_by_others(tokens_model, tokens_graphs, graph_store):
    made = tokens_graphs.graph(tokens_model.projection())
    before = len(graph_store.entries())
    assert Graphs(tokens_model, graph_store).graph(tokens_model.projection()) == made
    assert len(graph_store.entries()) == before


def test_other_weights_are_another_graph(tokens_model, tmp_path):
    from tiny_models import tiny_model

    lines = []
    store = Store(tmp_path, lines.append)
    model = tiny_model()
    made = Graphs(model, store).graph(model.logits_of())
    model.language_model.lm_head.weight[0, 0] += 1
    other = Graphs(model, store).graph(model.logits_of())
    assert other.path != made.path
    assert any(line.startswith('building graph of lm_head: weights is') for line in lines)


def test_a_program_without_a_graph_is_refused(tokens_graphs):
    with pytest.raises(EngineError, match='no graph is made of the program narrow'):
        tokens_graphs.graph(Narrow())


def test_a_module_of_another_model_is_refused(tokens_graphs, slots_model):
    with pytest.raises(EngineError, match='uses a module that is none of the model'):
        tokens_graphs.graph(slots_model.logits_of())
