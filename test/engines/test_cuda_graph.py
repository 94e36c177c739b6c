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

"""Graphs on fixed memory answer as eager does, and nobody sees what the next run overwrites."""

from dataclasses import dataclass
from functools import cache

import pytest
from small_models import small
import torch
from torch import nn

from vla_accel_ros.bench.subjects import Subject, of_config
from vla_accel_ros.engines.cuda_graph import CudaGraph
from vla_accel_ros.engines.interface import EngineError, bucket_of, call
from vla_accel_ros.engines.recorders import CudaRecorder, HostRecorder

CASES = [
    ('tokens', 'none', {}, 'greedy'),
    ('tokens', 'sp_vla', {}, 'jacobi'),
    ('tokens', 'fastv', {'keep': 0.5, 'rows': 'all_rows'}, 'greedy'),
    ('tokens', 'vla_pruner', {'keep': 0.5, 'window': 1}, 'verify'),
    ('tokens', 'specprune', {}, 'jacobi'),
    ('slots', 'none', {}, 'greedy'),
    ('slots', 'specprune', {}, 'greedy'),
]


@dataclass(frozen=True)
class Twice:
    """Twice a layer of `x`, and `x` itself behind what the memory `store` holds."""

    layer: nn.Module
    name: str = 'span'
    inputs = ('x', 'store')
    outputs = ('y', 'new')

    def run(self, given, room):
        new = room['store'][1:] if room else given['x']
        if room:
            new.copy_(given['x'])
        return {'y': 2 * self.layer(given['x']), 'new': new}


@dataclass(frozen=True)
class Reading:
    """The sum of an input whose name is that of a room."""

    name: str = 'span'
    inputs = ('store',)
    outputs = ('sum',)

    def run(self, given, room):
        return {'sum': given['store'].sum()}


class Breaking(HostRecorder):
    """Cannot record, as long as there are errors left to raise."""

    def __init__(self, *errors):
        super().__init__()
        self.errors, self.tried = list(errors), 0

    def record(self, run):
        self.tried += 1
        if self.errors:
            raise self.errors.pop(0)
        return super().record(run)


@pytest.fixture
def twice():
    torch.manual_seed(0)
    return Twice(nn.Linear(3, 3).requires_grad_(False))


@cache
def subject(kind: str, device: str = 'cpu') -> Subject:
    return of_config('small', small(kind), device, torch.float32)


def given(value, store):
    return {'x': torch.full((2, 3), float(value)), 'store': store}


def run(engine, program, value, store):
    return call(engine, program, given(value, store), {'store': store})


def answers(engine, kind, method, options, decoder, device='cpu', frames=4):
    """Answer some frames, each with the last answer as draft, one token of it wrong."""
    model = subject(kind, device)
    policy = model.policy()
    if engine is not None:
        policy.set_engine(engine)
    policy.set_pruning(method, **options)
    policy.set_decoder(decoder, draft='previous')
    found = []
    for index in range(frames):
        frame = model.scene.frame(index)
        found.append(policy.predict(frame.observation, motion=frame.motion))
        if len(ids := found[-1].token_ids):
            draft = ids.copy()
            draft[index] -= 1
            policy.assume_previous(draft)
    return found


def assert_same(found, expected, atol=1e-5):
    for one, other in zip(found, expected, strict=True):
        assert one.kept_ids.tolist() == other.kept_ids.tolist()
        assert one.token_ids.tolist() == other.token_ids.tolist()
        assert one.passes == other.passes
        assert abs(one.chunk_values - other.chunk_values).max() <= atol


@pytest.mark.parametrize(('kind', 'method', 'options', 'decoder'), CASES)
def test_answers_are_those_of_eager(kind, method, options, decoder):
    engine = CudaGraph(HostRecorder())
    assert_same(
        answers(engine, kind, method, options, decoder),
        answers(None, kind, method, options, decoder),
    )
    names = {program.name for program, _ in engine.captured}
    assert names == {
        'vision',
        'projector',
        'span',
        *(['head'] if kind == 'slots' else ['loop' if decoder == 'greedy' else 'pass']),
    }


def test_a_second_episode_captures_nothing_new():
    engine = CudaGraph(HostRecorder())
    answers(engine, 'tokens', 'vla_pruner', {'keep': 0.5, 'window': 1}, 'verify')
    before = set(engine.captured)
    answers(engine, 'tokens', 'vla_pruner', {'keep': 0.5, 'window': 1}, 'verify')
    assert set(engine.captured) == before


def test_programs_of_a_few_operations_are_not_captured(twice):
    engine, store = CudaGraph(HostRecorder()), torch.zeros(3, 3)
    small_one = Twice(twice.layer, name='narrow')
    run(engine, small_one, 1, store)
    assert engine.captured == ()
    run(engine, twice, 1, store)
    assert [program for program, _ in engine.captured] == [twice]


def test_no_answer_is_overwritten_by_a_later_one(twice):
    engine, store = CudaGraph(HostRecorder()), torch.zeros(3, 3)
    first = run(engine, twice, 1, store)['y']
    copy = first.clone()
    run(engine, twice, 5, store)
    call(engine, twice, {'x': torch.ones(1, 3), 'store': torch.zeros(2, 3)})
    assert torch.equal(first, copy)


def test_no_input_is_looked_at_after_the_call(twice):
    engine, store = CudaGraph(HostRecorder()), torch.zeros(3, 3)
    inputs = given(1, store)
    call(engine, twice, inputs, {'store': store})
    inputs['x'].fill_(7)
    assert torch.equal(run(engine, twice, 2, store)['y'], 2 * twice.layer(torch.full((2, 3), 2.0)))


def test_room_is_written_where_it_is(twice):
    engine = CudaGraph(HostRecorder())
    stores = [torch.zeros(3, 3), torch.zeros(3, 3)]
    for value, store in zip((1, 2, 3, 4), stores * 2, strict=True):
        new = run(engine, twice, value, store)['new']
        assert new.data_ptr() == store[1:].data_ptr()
        assert new.eq(value).all()
    assert stores[0][1:].eq(3).all()
    assert stores[1][1:].eq(4).all()
    assert len(engine.captured) == 2


def test_without_room_nothing_is_written(twice):
    engine, store = CudaGraph(HostRecorder()), torch.zeros(3, 3)
    for value in (1, 2):
        new = call(engine, twice, given(value, store))['new']
        assert new.eq(value).all()
    assert store.eq(0).all()


def test_an_input_that_is_its_room_and_one_that_is_not_are_told_apart():
    engine, room, other = CudaGraph(HostRecorder()), torch.zeros(3, 3), torch.ones(3, 3)
    program = Reading()
    for store in (room, other, room):
        found = call(engine, program, {'store': store}, {'store': room})['sum']
        assert found == store.sum()
    assert len(engine.captured) == 2


def test_the_graph_that_was_not_used_for_longest_goes(twice):
    engine = CudaGraph(HostRecorder(), kept=2)
    stores = [torch.zeros(3, 3), torch.zeros(3, 3), torch.zeros(4, 3)]
    for which in (0, 1, 0):
        run(engine, twice, 1, stores[which])
    call(engine, twice, {'x': torch.ones(3, 3), 'store': stores[2]}, {'store': stores[2]})
    assert [dict(bucket)['x'] for _, bucket in engine.captured] == [(2, 3), (3, 3)]
    assert run(engine, twice, 6, stores[1])['new'].eq(6).all()


def test_weights_that_were_moved_are_found_again(twice):
    engine, store = CudaGraph(HostRecorder()), torch.zeros(3, 3)
    run(engine, twice, 1, store)
    twice.layer.weight.data = twice.layer.weight.data + 1
    assert torch.equal(run(engine, twice, 1, store)['y'], 2 * twice.layer(torch.ones(2, 3)))
    assert len(engine.captured) == 1


def test_what_cannot_be_captured_is_said_and_not_tried_again(twice):
    recorder = Breaking(RuntimeError('operation not permitted when stream is capturing\nmore'))
    engine, store = CudaGraph(recorder), torch.zeros(3, 3)
    for _ in range(2):
        with pytest.raises(EngineError) as caught:
            run(engine, twice, 1, store)
        assert str(caught.value) == (
            'span cannot be captured as a CUDA graph: '
            'operation not permitted when stream is capturing'
        )
    assert recorder.tried == 1
    assert engine.captured == ()


def test_where_memory_is_short_the_other_graphs_go_first(twice):
    recorder, store = Breaking(), torch.zeros(3, 3)
    engine = CudaGraph(recorder)
    run(engine, twice, 1, store)
    recorder.errors = [torch.OutOfMemoryError('CUDA out of memory')]
    other = torch.zeros(3, 3)
    assert run(engine, twice, 2, other)['new'].eq(2).all()
    assert len(engine.captured) == 1


def test_where_memory_is_short_all_the_same_the_reason_is_given(twice):
    recorder = Breaking(*[torch.OutOfMemoryError('CUDA out of memory')] * 2)
    with pytest.raises(EngineError, match='cannot be captured as a CUDA graph: CUDA out of'):
        run(CudaGraph(recorder), twice, 1, torch.zeros(3, 3))


def test_inputs_of_another_type_make_another_graph(twice):
    engine, store = CudaGraph(HostRecorder()), torch.zeros(3, 3)
    layer = Twice(nn.Identity())
    for kind in (torch.float32, torch.int64):
        inputs = {'x': torch.full((2, 3), 3, dtype=kind), 'store': store}
        assert call(engine, layer, inputs)['y'].dtype == kind
    assert len(engine.captured) == 2


@pytest.mark.parametrize('kept', [0, -1])
def test_a_number_of_graphs_below_one_is_refused(kept):
    with pytest.raises(ValueError, match=f'{kept} graphs are to be kept, expected at least 1'):
        CudaGraph(HostRecorder(), kept=kept)


def test_what_compiles_can_be_captured_too(twice):
    class Doubling:
        name, precision, exact = 'doubling', 'float16', False

        def ready(self, program, bucket):
            def doubled(given, room):
                return {name: 2 * part for name, part in program.run(given, room).items()}

            return doubled

    engine = CudaGraph(HostRecorder(), inner=Doubling())
    assert not engine.exact
    inputs = given(1, torch.zeros(3, 3))
    runner = engine.ready(twice, bucket_of(inputs))
    assert torch.equal(runner(inputs, {})['y'], 4 * twice.layer(inputs['x']))


@pytest.mark.gpu
@pytest.mark.parametrize(('kind', 'method', 'options', 'decoder'), CASES)
def test_answers_on_a_gpu_are_those_of_running_again_bit_for_bit(kind, method, options, decoder):
    captured = CudaGraph(CudaRecorder(torch.device('cuda')))
    assert_same(
        answers(captured, kind, method, options, decoder, 'cuda'),
        answers(CudaGraph(HostRecorder()), kind, method, options, decoder, 'cuda'),
        atol=0,
    )


@pytest.mark.gpu
def test_a_call_of_an_unpruned_model_launches_few_kernels():
    def launches(engine):
        model = subject('tokens', 'cuda')
        policy = model.policy()
        if engine is not None:
            policy.set_engine(engine)
        frame = model.scene.frame(0)
        for _ in range(2):
            policy.predict(frame.observation)
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as seen:
            policy.predict(frame.observation)
        return sum('cudaLaunchKernel' in event.name for event in seen.events())

    assert launches(CudaGraph(CudaRecorder(torch.device('cuda')))) < launches(None) / 4
