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

"""OpenVINO answers as eager does; with fewer bits within bounds; and says why where it cannot."""

from dataclasses import replace

from answering import answers, same
from later_graph import write_later
import pytest
import torch
from toy_engine import Changing, failing

from vla_accel_ros.decoding.registry import DECODERS
from vla_accel_ros.engines import openvino_engine
from vla_accel_ros.engines.calibration import Calibration
from vla_accel_ros.engines.interface import EngineError, call
from vla_accel_ros.engines.openvino_engine import OpenVINO
from vla_accel_ros.engines.programs.decoder import Loop, Span
from vla_accel_ros.engines.store import Store
from vla_accel_ros.engines.watched_store import NotBuiltError
from vla_accel_ros.pruning.registry import METHODS

pytest.importorskip('openvino')


@pytest.fixture(scope='session')
def exact(tokens_graphs, graph_store):
    return OpenVINO(tokens_graphs, graph_store)


@pytest.mark.parametrize('method', METHODS)
def test_every_method_answers_as_on_eager(method, tokens_model, exact):
    same(answers(tokens_model, method, 'verify', exact), answers(tokens_model, method, 'verify'))


@pytest.mark.parametrize('decoder', sorted(set(DECODERS) - {'greedy', 'verify'}))
def test_every_decoder_answers_as_on_eager(decoder, tokens_model, exact):
    same(answers(tokens_model, 'fastv', decoder, exact), answers(tokens_model, 'fastv', decoder))


def test_a_chunk_is_the_one_of_eager(slots_model, slots_graphs, graph_store):
    engine = OpenVINO(slots_graphs, graph_store)
    for one, other in zip(
        answers(slots_model, 'fastv', engine=engine), answers(slots_model, 'fastv'), strict=True
    ):
        assert one.kept_ids.tolist() == other.kept_ids.tolist()
        torch.testing.assert_close(one.numbers, other.numbers, atol=1e-4, rtol=1e-4)


def memory(model, lengths, capacity=40):
    config = model.config.decoder
    shape = config.layers, 2, 1, config.kv_heads, capacity, config.head_width
    store = torch.randn(shape, generator=torch.Generator().manual_seed(2))
    return {'store': store, 'lengths': torch.tensor(lengths)}


@pytest.mark.parametrize('heavy', [False, True])
@pytest.mark.parametrize('precision', ['float32', 'bfloat16', 'int8'])
def test_greedy_decoding_goes_on_from_each_layers_own_length(
    precision, heavy, tokens_model, tokens_graphs, graph_store, monkeypatch
):
    if heavy:
        monkeypatch.setattr(openvino_engine, 'LIGHT', 0)
    language = tokens_model.language_model
    program = Loop(language.model, language.lm_head, 3, taps=(2,))
    given = {'token': torch.tensor([[17]]), 'position': torch.tensor([[50]])}
    given |= memory(tokens_model, [33, 9, 1])
    room = {'store': given['store'].clone()}
    engine = OpenVINO(tokens_graphs, graph_store, precision)
    with torch.inference_mode():
        expected = program.run(given, {})
        before = given['store'].clone()
        found = call(engine, program, given)
        within = call(engine, program, given | {'store': room['store']}, room)
    assert torch.equal(before, given['store'])
    for layer, length in enumerate((33, 9, 1)):
        assert torch.equal(room['store'][layer, ..., length : length + 3, :], within['new'][layer])
    assert found.keys() == expected.keys()
    rough = heavy and precision != 'float32'
    for name in ('new', 'peaks'):
        torch.testing.assert_close(found[name], within[name])
        bound = 0.1 * expected[name].abs().max().item() if rough else 1e-4
        torch.testing.assert_close(found[name], expected[name], atol=bound, rtol=1e-4)
    if not rough:
        assert torch.equal(found['tokens'], expected['tokens'])


def test_what_decodes_in_float32_runs_on_another_engine(
    tokens_model, tokens_graphs, graph_store, monkeypatch
):
    language, other = tokens_model.language_model, Changing()
    program = Loop(language.model, language.lm_head, 3, held=(33, 9, 1))
    given = {'token': torch.tensor([[17]]), 'position': torch.tensor([[50]])}
    given |= memory(tokens_model, [33, 9, 1])
    engine = OpenVINO(tokens_graphs, graph_store, 'bfloat16', decoding=other)
    span, rows = span_of(tokens_model)
    with torch.inference_mode():
        call(engine, span, rows)
        found = call(engine, program, given)['new']
        assert other.ran == ['loop'] and torch.equal(found, program.run(given, {})['new'])
        # A large decoder stays.
        monkeypatch.setattr(openvino_engine, 'LIGHT', 0)
        call(OpenVINO(tokens_graphs, graph_store, decoding=other), program, given)
    assert other.ran == ['loop']


def refusing(program, bucket):
    raise NotBuiltError('graph of loop is not built')


@pytest.mark.parametrize(
    'other', [Changing(failing('loop', 'no such kernel')), Changing(refuse=refusing)]
)
def test_what_the_other_engine_cannot_decode_openvino_does(
    other, tokens_model, tokens_graphs, graph_store
):
    language = tokens_model.language_model
    program = Loop(language.model, language.lm_head, 3)
    given = {'token': torch.tensor([[17]]), 'position': torch.tensor([[50]])}
    given |= memory(tokens_model, [33, 9, 1])
    engine = OpenVINO(tokens_graphs, graph_store, decoding=other)
    with torch.inference_mode():
        for _ in range(2):
            found = call(engine, program, given)['tokens']
            assert torch.equal(found, program.run(given, {})['tokens'])
    assert other.ran == []
    assert engine.notes['loop'].startswith('OpenVINO alone, which takes longer, not on mine: ')


def span_of(model, rows=1, length=40):
    decoder = model.language_model.model
    x = torch.randn(1, length, 32, generator=torch.Generator().manual_seed(3))
    positions = torch.arange(length)
    given = {'x': x, 'positions': positions, 'rows': positions[-rows:]}
    return Span(decoder, 0, 3, norm=True, taps=(3,)), given


@pytest.mark.parametrize(
    ('precision', 'bound'), [('float32', 2e-5), ('bfloat16', 0.05), ('int8', 0.1)]
)
def test_fewer_bits_stay_within_their_bounds(
    precision, bound, tokens_model, tokens_graphs, graph_store
):
    engine = OpenVINO(tokens_graphs, graph_store, precision)
    assert engine.exact is (precision == 'float32') and engine.precision == precision
    program, given = span_of(tokens_model, rows=8)
    expected = program.run(given, {})
    # First the graph for any shapes, then the one for these.
    for _ in range(2):
        found = call(engine, program, given)
        for name, value in expected.items():
            error = (found[name] - value).abs().max() / value.abs().max()
            assert error < bound, name
    if precision != 'float32':
        assert not torch.equal(found['x'], expected['x'])


def test_outputs_are_not_written_over_by_the_next_call(tokens_model, exact):
    program, given = span_of(tokens_model)
    for _ in range(2):
        kept = call(exact, program, given)['x']
        copy = kept.clone()
        call(exact, program, given | {'x': given['x'] + 1})
        assert torch.equal(kept, copy)


def test_new_rows_go_where_there_is_room(tokens_model, exact):
    program, given = span_of(tokens_model)
    memory = torch.zeros(3, 2, 1, 2, 50, 8)
    found = call(exact, program, given, {'new': memory[..., :40, :]})
    assert torch.equal(memory[..., :40, :], found['new']) and not memory[..., 40:, :].any()


def test_what_was_compiled_is_read_by_the_next_engine(tokens_model, tokens_graphs, tmp_path):
    lines = []
    store = Store(tmp_path, lines.append)
    program, given = span_of(tokens_model)
    for _ in range(3):
        call(OpenVINO(tokens_graphs, store), program, given)
    assert len([line for line in lines if line.startswith('built')]) == 1
    call(OpenVINO(tokens_graphs, store, 'bfloat16'), program, given)
    assert len([line for line in lines if line.startswith('built')]) == 2


def test_a_few_buckets_get_graphs_of_their_own(tokens_model, tokens_graphs, tmp_path, monkeypatch):
    monkeypatch.setattr(openvino_engine, 'FIXED', 1)
    store = Store(tmp_path)
    engine = OpenVINO(tokens_graphs, store)
    for length in (20, 20, 21, 21):
        program, given = span_of(tokens_model, length=length)
        torch.testing.assert_close(
            call(engine, program, given)['x'], program.run(given, {})['x'], atol=1e-4, rtol=1e-4
        )
    assert len(store.entries()) == 2


def test_int8_throughout_is_measured_on_frames(tokens_model, tokens_graphs, tmp_path):
    program, given = span_of(tokens_model, rows=8)
    frames = Calibration(tokens_model)
    for shift in range(4):
        call(frames, program, given | {'x': given['x'] + 0.01 * shift})
    engine = OpenVINO(tokens_graphs, Store(tmp_path), 'int8', calibration=frames)
    found, expected = call(engine, program, given)['x'], program.run(given, {})['x']
    assert 0 < (found - expected).abs().max() < 0.25 * expected.abs().max()
    with pytest.raises(EngineError, match='no calibration frame ran the program vision'):
        call(engine, tokens_model.vision(), {'pixels': torch.zeros(1, 6, 32, 32)})


def test_frames_are_for_int8(tokens_model, tokens_graphs, graph_store):
    with pytest.raises(EngineError, match='calibration frames need precision int8, it is bfl'):
        OpenVINO(tokens_graphs, graph_store, 'bfloat16', calibration=Calibration(tokens_model))


def test_programs_that_are_too_small_run_eagerly(tokens_model, exact):
    program = tokens_model.logits_of()
    assert exact.ready(program, ()) == program.run


def test_a_failure_in_a_run_is_told_in_a_line(tokens_model, exact):
    program, given = span_of(tokens_model)
    with pytest.raises(EngineError, match='are incompatible') as raised:
        call(exact, program, given | {'x': given['x'][..., :30]})
    assert '\n' not in str(raised.value)


def test_a_graph_of_a_later_onnx_is_refused_with_the_reason(
    tokens_model, tokens_graphs, tmp_path, monkeypatch
):
    program, given = span_of(tokens_model)
    graph = tokens_graphs.graph(program)
    later = replace(graph, path=write_later(tmp_path / 'graph.onnx'))
    monkeypatch.setattr(tokens_graphs, 'graph', lambda program: later)
    engine = OpenVINO(tokens_graphs, Store(tmp_path / 'engines'))
    with pytest.raises(EngineError, match=r'cannot be built: .*OperatorOfTheFuture-99') as raised:
        call(engine, program, given)
    assert '\n' not in str(raised.value)
