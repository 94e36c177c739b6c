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

"""ONNX Runtime answers as eager does, does not spin, and says why where it cannot."""

from dataclasses import replace
from threading import Event
import time

from answering import answers, same
from later_graph import write_later
import onnxruntime
import pytest
import torch

from vla_accel_ros.decoding.registry import DECODERS
from vla_accel_ros.engines import onnxruntime_engine
from vla_accel_ros.engines.interface import EngineError, call
from vla_accel_ros.engines.onnx.graphs import Graphs
from vla_accel_ros.engines.onnxruntime_engine import OnnxRuntime
from vla_accel_ros.engines.programs.decoder import Loop, Span
from vla_accel_ros.pruning.registry import METHODS


@pytest.fixture(scope='session')
def engine(tokens_graphs):
    return OnnxRuntime(tokens_graphs)


@pytest.mark.parametrize('method', METHODS)
def test_every_method_answers_as_on_eager(method, tokens_model, engine):
    same(answers(tokens_model, method, 'verify', engine), answers(tokens_model, method, 'verify'))


@pytest.mark.parametrize('decoder', sorted(set(DECODERS) - {'verify'}))
def test_every_decoder_answers_as_on_eager(decoder, tokens_model, engine):
    same(answers(tokens_model, 'fastv', decoder, engine), answers(tokens_model, 'fastv', decoder))


# Every method is tried on tokens; this one needs what no other one needs of a single pass.
def test_a_chunk_is_the_one_of_eager(slots_model, slots_graphs):
    engine = OnnxRuntime(slots_graphs)
    for one, other in zip(
        answers(slots_model, 'sp_vla', engine=engine), answers(slots_model, 'sp_vla'), strict=True
    ):
        assert one.kept_ids.tolist() == other.kept_ids.tolist()
        torch.testing.assert_close(one.numbers, other.numbers, atol=1e-4, rtol=1e-4)


def loop_inputs(config):
    shape = config.layers, 2, 1, config.kv_heads, 40, config.head_width
    return {
        'token': torch.tensor([[17]]),
        'position': torch.tensor([[50]]),
        'store': torch.randn(shape, generator=torch.Generator().manual_seed(2)),
        'lengths': torch.tensor([33, 9, 1]),
    }


def test_greedy_decoding_goes_on_from_each_layers_own_length(tokens_model, engine):
    language = tokens_model.language_model
    program = Loop(language.model, language.lm_head, 3, taps=(2,))
    given = loop_inputs(tokens_model.config.decoder)
    store = given['store']
    with torch.inference_mode():
        expected = program.run(given, {})
        room = {'store': store.clone()}
        found = call(engine, program, given | room, room)
    assert torch.equal(found['tokens'], expected['tokens'])
    torch.testing.assert_close(found['new'], expected['new'], atol=1e-4, rtol=1e-4)
    for layer, length in enumerate((33, 9, 1)):
        rows = room['store'][layer, ..., length : length + 3, :]
        assert torch.equal(rows, found['new'][layer])


def test_a_version_that_lacks_an_operator_decodes_with_those_of_onnx(
    wide_model, graph_store, tmp_path, monkeypatch
):
    graphs, language = Graphs(wide_model, graph_store), wide_model.language_model
    given, asked = loop_inputs(wide_model.config.decoder), []
    graph_of = graphs.graph

    def graph(program, own=False):
        asked.append(own)
        found = graph_of(program, own)
        return replace(found, path=write_later(tmp_path / 'graph.onnx')) if found.own else found

    monkeypatch.setattr(graphs, 'graph', graph)
    program = Loop(language.model, language.lm_head, 3)
    with torch.inference_mode():
        found = call(OnnxRuntime(graphs), program, given)
        expected = program.run(given, {})
    assert asked == [True, False] and torch.equal(found['tokens'], expected['tokens'])


def span_of(model):
    x = torch.randn(1, 40, 32, generator=torch.Generator().manual_seed(3))
    positions = torch.arange(40)
    given = {'x': x, 'positions': positions, 'rows': positions[-1:]}
    return Span(model.language_model.model, 0, 3, norm=True), given


def test_outputs_are_not_written_over_by_the_next_call(tokens_model, engine):
    program, given = span_of(tokens_model)
    kept = call(engine, program, given)['x']
    copy = kept.clone()
    call(engine, program, given | {'x': given['x'] + 1})
    assert torch.equal(kept, copy)


def test_threads_that_wait_do_not_spin(tokens_model, tokens_graphs):
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        engine = OnnxRuntime(tokens_graphs)
        program, given = span_of(tokens_model)
        call(engine, program, given)
    finally:
        torch.set_num_threads(threads)
    before = time.process_time()
    Event().wait(0.5)
    assert time.process_time() - before < 0.1


def test_a_failure_in_a_run_is_told_in_a_line(tokens_model, engine):
    program, given = span_of(tokens_model)
    room = {'new': torch.zeros(3, 2, 1, 2, 40, 8)}
    with pytest.raises(EngineError, match='does not run span') as raised:
        call(engine, program, given | {'x': given['x'][..., :30]}, room)
    assert '\n' not in str(raised.value) and not room['new'].any()


def test_a_graph_that_cannot_be_read_is_told(tokens_model, tokens_graphs, tmp_path, monkeypatch):
    class Broken:
        own = False
        path = tmp_path / 'graph.onnx'

    Broken.path.write_bytes(b'no graph')
    engine = OnnxRuntime(tokens_graphs)
    monkeypatch.setattr(tokens_graphs, 'graph', lambda program, own: Broken)
    program, given = span_of(tokens_model)
    with pytest.raises(EngineError, match=f'cannot load {Broken.path}'):
        call(engine, program, given)


def test_a_graph_of_a_later_onnx_is_refused_with_the_reason(
    tokens_model, tokens_graphs, tmp_path, monkeypatch
):
    class Later:
        own = False
        path = write_later(tmp_path / 'graph.onnx')

    engine = OnnxRuntime(tokens_graphs)
    monkeypatch.setattr(tokens_graphs, 'graph', lambda program, own: Later)
    program, given = span_of(tokens_model)
    with pytest.raises(EngineError, match=r'cannot load .*Opset 99') as raised:
        call(engine, program, given)
    assert '\n' not in str(raised.value)


def test_a_provider_that_is_not_there_is_told(tokens_graphs):
    with pytest.raises(EngineError, match='no provider CUDAExecutionProvider, expected one of'):
        OnnxRuntime(tokens_graphs, ['CUDAExecutionProvider'])


def test_a_provider_that_is_listed_and_does_not_load_is_told(
    tokens_model, tokens_graphs, monkeypatch
):
    listed = [*onnxruntime.get_available_providers(), 'CUDAExecutionProvider']
    monkeypatch.setattr(onnxruntime, 'get_available_providers', lambda: listed)
    engine = OnnxRuntime(tokens_graphs, ['CUDAExecutionProvider', 'CPUExecutionProvider'])
    program, given = span_of(tokens_model)
    with pytest.raises(EngineError, match='CUDAExecutionProvider'):
        call(engine, program, given)


def test_without_its_package_it_says_so(tokens_graphs, monkeypatch):
    monkeypatch.setattr(onnxruntime_engine, 'find_spec', lambda name: None)
    with pytest.raises(EngineError, match='onnxruntime is not installed'):
        OnnxRuntime(tokens_graphs)


def test_programs_that_are_too_small_run_eagerly(tokens_model, engine):
    program = tokens_model.logits_of()
    assert engine.ready(program, ()) == program.run
