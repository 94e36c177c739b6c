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
from pathlib import Path
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
from vla_accel_ros.engines.onnxruntime_providers import BY_DEVICE, CPU, CUDA, TENSORRT
from vla_accel_ros.engines.programs.decoder import Loop, Span
from vla_accel_ros.engines.store import Store
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


class Both:
    """Run programs bound and through numpy, and compare all that comes out, bit by bit."""

    name, precision, exact = 'both', 'float32', True

    def __init__(self, graphs):
        self._pair = OnnxRuntime(graphs, bound=True), OnnxRuntime(graphs)
        self.ran, self.scattered = set(), set()

    def ready(self, program, bucket):
        bound, plain = (each.ready(program, bucket) for each in self._pair)
        if plain == program.run:
            return plain

        def run(given, room):
            shadow = {name: each.clone() for name, each in room.items()}
            expected = plain(given | {k: v for k, v in shadow.items() if k in given}, shadow)
            found = bound(given, room)
            assert found.keys() == expected.keys() and room.keys() == shadow.keys()
            for one, other in ((found, expected), (room, shadow)):
                assert all(torch.equal(each, other[name]) for name, each in one.items())
            self.ran.add(program.name)
            self.scattered |= {name for name, each in given.items() if not each.is_contiguous()}
            return found

        return run


def test_bound_tensors_give_what_numpy_gives_for_every_program(
    tokens_model, tokens_graphs, slots_model, slots_graphs, wide_model, graph_store
):
    engine = Both(tokens_graphs)
    for method, decoder in (('none', 'greedy'), ('fastv', 'jacobi'), ('sp_vla', 'verify')):
        answers(tokens_model, method, decoder, engine)
    assert engine.ran == {'vision', 'projector', 'span', 'pass', 'loop'}
    # Decodes in operators of ONNX Runtime's own.
    answers(wide_model, 'none', 'greedy', Both(Graphs(wide_model, graph_store)))
    engine = Both(slots_graphs)
    answers(slots_model, 'sp_vla', engine=engine)
    assert engine.ran == {'vision', 'projector', 'span', 'head'}


def test_scattered_inputs_give_what_numpy_gives(tokens_model, tokens_graphs):
    engine = Both(tokens_graphs)
    program, given = span_of(tokens_model)
    given['x'] = given['x'].mT.contiguous().mT
    given['positions'] = torch.arange(40).repeat_interleave(2)[::2]
    call(engine, program, given)
    assert engine.ran == {'span'} and engine.scattered == {'x', 'positions'}


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
        path = tmp_path / 'graph.onnx'

    Broken.path.write_bytes(b'no graph')
    engine = OnnxRuntime(tokens_graphs)
    monkeypatch.setattr(tokens_graphs, 'graph', lambda program, own=False: Broken)
    program, given = span_of(tokens_model)
    with pytest.raises(EngineError, match=f'cannot load {Broken.path}'):
        call(engine, program, given)


def test_a_graph_of_a_later_onnx_is_refused_with_the_reason(
    tokens_model, tokens_graphs, tmp_path, monkeypatch
):
    class Later:
        path = write_later(tmp_path / 'graph.onnx')

    engine = OnnxRuntime(tokens_graphs)
    monkeypatch.setattr(tokens_graphs, 'graph', lambda program, own=False: Later)
    program, given = span_of(tokens_model)
    with pytest.raises(EngineError, match=r'cannot load .*Opset 99') as raised:
        call(engine, program, given)
    assert '\n' not in str(raised.value)


def test_a_provider_that_is_not_there_is_told(tokens_graphs):
    with pytest.raises(EngineError, match='no provider CUDAExecutionProvider, expected one of'):
        OnnxRuntime(tokens_graphs, ['CUDAExecutionProvider'])


@pytest.fixture
def listed(monkeypatch):
    names = [CUDA, TENSORRT, *onnxruntime.get_available_providers()]
    monkeypatch.setattr(onnxruntime, 'get_available_providers', lambda: names)
    monkeypatch.setenv('NVIDIA_TF32_OVERRIDE', '0')


@pytest.mark.filterwarnings('ignore:Specified provider')
@pytest.mark.parametrize('device', ['cuda', 'tensorrt'])
def test_a_provider_that_is_listed_and_does_not_load_is_told(
    device, tokens_model, tokens_graphs, listed, capfd
):
    engine = OnnxRuntime(tokens_graphs, BY_DEVICE[device])
    program, given = span_of(tokens_model)
    with pytest.raises(EngineError, match=f'lists the provider {BY_DEVICE[device][0]}, which'):
        call(engine, program, given)
    # A command's JSON goes there.
    assert capfd.readouterr().out == ''


def test_a_failure_to_start_a_provider_is_told_and_no_other_one_is_taken(
    tokens_model, tokens_graphs, listed, monkeypatch, tmp_path, capfd
):
    def fail(self, providers, *rest):
        tried.append(providers)
        raise RuntimeError('libcudnn.so.9 is\nmissing')

    tried = []
    monkeypatch.setattr(onnxruntime.InferenceSession, '_create_inference_session', fail)
    engine = OnnxRuntime(tokens_graphs, BY_DEVICE['tensorrt'], 1, tmp_path / 'plans')
    program, given = span_of(tokens_model)
    with pytest.raises(EngineError, match=r'cannot load .*: libcudnn.so.9 is missing'):
        call(engine, program, given)
    ((tensorrt, cuda, cpu),) = tried
    plans = Path(tensorrt[1]['trt_engine_cache_path'])
    assert plans.parent == tmp_path / 'plans' and plans.is_dir()
    assert plans.name == tokens_graphs.graph(program).path.parent.name
    assert (cuda, cpu) == ((CUDA, {'device_id': '1', 'use_tf32': '0'}), (CPU, {}))
    assert capfd.readouterr().out == ''


def test_without_its_package_it_says_so(tokens_graphs, monkeypatch):
    monkeypatch.setattr(onnxruntime_engine, 'find_spec', lambda name: None)
    with pytest.raises(EngineError, match='onnxruntime is not installed'):
        OnnxRuntime(tokens_graphs)


def test_programs_that_are_too_small_run_eagerly(tokens_model, engine):
    program = tokens_model.logits_of()
    assert engine.ready(program, ()) == program.run


def decoding(model, graphs):
    """Decode on ONNX Runtime and on eager; give both answers' tokens, and notes."""
    language = model.language_model
    program, given = Loop(language.model, language.lm_head, 3), loop_inputs(model.config.decoder)
    engine = OnnxRuntime(graphs)
    with torch.inference_mode():
        found = [call(engine, program, given)['tokens'] for _ in range(2)]
        return found, program.run(given, {})['tokens'], engine.notes


def test_an_operator_that_fails_in_a_run_leaves_decoding_to_those_of_onnx(
    wide_model, graph_store, monkeypatch
):
    tried, graphs = [], Graphs(wide_model, graph_store)
    by_numpy = onnxruntime_engine._by_numpy

    def run(session, given):
        # The first that is made is of the own operators.
        own = session is sessions[0]
        tried.append(own)
        if own:
            raise RuntimeError('no such kernel')
        return by_numpy(session, given)

    sessions = []
    made = OnnxRuntime._session
    monkeypatch.setattr(
        OnnxRuntime,
        '_session',
        lambda self, graph: sessions.append(made(self, graph)) or sessions[-1],
    )
    monkeypatch.setattr(onnxruntime_engine, '_by_numpy', run)
    found, expected, notes = decoding(wide_model, graphs)
    assert tried == [True, False, False] and all(torch.equal(each, expected) for each in found)
    assert notes == {'loop': "ONNX's own operators, which take longer: no such kernel"}


def test_a_torch_that_cannot_trace_the_operators_decodes_with_those_of_onnx(
    wide_model, tmp_path, monkeypatch
):
    monkeypatch.delattr(torch.onnx.ops, 'symbolic_multi_out')
    found, expected, notes = decoding(wide_model, Graphs(wide_model, Store(tmp_path)))
    assert torch.equal(found[0], expected) and 'symbolic_multi_out' in notes['loop']


def test_a_library_that_does_not_load_says_why(tokens_graphs, monkeypatch):
    def broken(name):
        raise ImportError('libonnxruntime_x.so: cannot open')

    monkeypatch.setattr(onnxruntime_engine, 'import_module', broken)
    with pytest.raises(EngineError, match='onnxruntime does not load: libonnxruntime_x'):
        OnnxRuntime(tokens_graphs)
