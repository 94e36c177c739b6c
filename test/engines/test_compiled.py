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

"""Programs are traced whole, are what they were, and say why where they cannot be compiled."""

from dataclasses import dataclass, field

import pytest
from small_models import small
import torch

from vla_accel_ros.bench.subjects import of_config
from vla_accel_ros.engines import compiled
from vla_accel_ros.engines.compiled import Compiled
from vla_accel_ros.engines.interface import EngineError, call
from vla_accel_ros.engines.programs.decoder import Loop

CASES = [
    ('tokens', 'fastv', {'keep': 0.5, 'rows': 'all_rows'}, 'verify', 'eager'),
    ('tokens', 'none', {}, 'greedy', 'eager'),
    ('slots', 'none', {}, 'greedy', 'aot_eager'),
]


@dataclass(frozen=True)
class Sum:
    """The sum of `x`; where it is read on the host, no graph holds it."""

    read: bool = False
    layers: tuple = ()
    name: str = 'span'
    seen: list = field(default_factory=list, compare=False)
    inputs = ('x',)

    @property
    def outputs(self):
        return ('y', *(f'y.{layer}' for layer in self.layers))

    def run(self, given, room):
        total = given['x'].sum()
        if self.read:
            total = total + float(total.item() > 0 and given['x'].tolist()[0])
        more = {f'y.{layer}': total * layer for layer in range(4) if layer in self.layers}
        return {'y': total, **more}


@pytest.fixture(autouse=True)
def fresh():
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def on_both(model, engine, method, options, decoder):
    """Answer a frame on eager and on an engine."""
    policies = model.policy(), model.policy()
    policies[1].set_engine(engine)
    for policy in policies:
        policy.set_pruning(method, **options)
        policy.set_decoder(decoder, draft='previous')
    frame = model.scene.frame(0)
    return [policy.predict(frame.observation, motion=frame.motion) for policy in policies]


@pytest.mark.parametrize(('kind', 'method', 'options', 'decoder', 'backend'), CASES)
def test_all_programs_of_a_call_trace_whole_and_answer_the_same(
    kind, method, options, decoder, backend
):
    model = of_config('small', small(kind, layers=2), 'cpu', torch.float32)
    one, other = on_both(model, Compiled(backend=backend), method, options, decoder)
    assert one.kept_ids.tolist() == other.kept_ids.tolist()
    assert one.token_ids.tolist() == other.token_ids.tolist()
    assert abs(one.chunk_values - other.chunk_values).max() < 1e-5


def test_the_loop_of_all_passes_traces_whole():
    model = of_config('small', small('tokens', layers=2), 'cpu', torch.float32).model
    language, cache = model.language_model, model.new_cache(16)
    loop = Loop(language.model, language.lm_head, 3, (1,))
    given = {'token': torch.tensor([[5]]), 'position': torch.tensor([[4]])}
    given |= {'store': cache.store, 'lengths': cache.lengths + 4}
    traced = torch.compile(
        lambda given, room: loop.run(given, room), fullgraph=True, backend='eager'
    )
    with torch.inference_mode():
        stores = [cache.store.clone(), cache.store.clone()]
        expected = loop.run(given | {'store': stores[0]}, {'store': stores[0]})
        found = traced(given | {'store': stores[1]}, {'store': stores[1]})
        stepped = call(Compiled(backend='eager'), loop, given, {'store': cache.store})
    for other in (found, stepped):
        assert set(other) == set(loop.outputs)
        for name, tensor in other.items():
            torch.testing.assert_close(tensor, expected[name])
    torch.testing.assert_close(stores[1], stores[0])
    torch.testing.assert_close(cache.store, stores[0])


def test_what_reads_the_host_is_refused_with_the_reason_and_not_tried_again():
    engine, tried = Compiled(backend='eager'), []
    program = Sum(read=True)
    for _ in range(2):
        with pytest.raises(EngineError, match=r'^span cannot be run compiled: ') as caught:
            call(engine, program, {'x': torch.ones(3)})
        tried.append(caught.value.__cause__)
    assert tried[0] is not None
    assert tried[1] is None
    assert '\n' not in str(caught.value)


def test_a_machine_without_a_compiler_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv('CXX', str(tmp_path / 'none'))
    monkeypatch.setenv(compiled.CACHE, '')
    monkeypatch.setattr('torch._inductor.config.cpp.cxx', (str(tmp_path / 'none'),))
    engine = Compiled(folder=tmp_path / 'kept')
    with pytest.raises(EngineError, match='span cannot be run compiled: '):
        call(engine, Sum(), {'x': torch.ones(3)})


def test_layers_of_other_programs_do_not_make_a_program_forget_its_own():
    engine = Compiled(backend='eager')
    for layers in ((1,), (2, 3), (), (3,), (1, 2)):
        program = Sum(layers=layers)
        for length in (3, 4, 5):
            found = call(engine, program, {'x': torch.ones(length)})
            assert set(found) == set(program.outputs)
            assert all(found[f'y.{layer}'] == layer * length for layer in layers)


def test_results_without_what_was_declared_are_refused():
    @dataclass(frozen=True)
    class Less(Sum):
        def run(self, given, room):
            return {}

    with pytest.raises(EngineError, match=r"span, compiled, gives \[\], expected \['y'\]"):
        call(Compiled(backend='eager'), Less(), {'x': torch.ones(3)})


def test_one_span_serves_all_lengths_and_other_programs_one_each(monkeypatch):
    counted = []

    def counting(graph, inputs):
        counted.append(graph)
        return graph.forward

    engine = Compiled(backend=counting)
    for length in (3, 4, 5, 6):
        call(engine, Sum(), {'x': torch.ones(length)})
    # The first length, and one for all others.
    assert len(counted) == 2
    for length in (3, 4, 5, 6):
        call(engine, Sum(name='vision'), {'x': torch.ones(length)})
    assert len(counted) == 6


def test_programs_of_a_few_operations_are_not_compiled():
    assert call(Compiled(backend='no such'), Sum(name='narrow'), {'x': torch.ones(3)})['y'] == 3


@pytest.mark.gpu
@pytest.mark.parametrize(('kind', 'method', 'options', 'decoder', 'backend'), CASES)
def test_on_a_gpu_tokens_are_those_of_eager(kind, method, options, decoder, backend, tmp_path):
    model = of_config('small', small(kind, layers=2), 'cuda', torch.float32)
    one, other = on_both(model, Compiled(folder=tmp_path), method, options, decoder)
    assert one.token_ids.tolist() == other.token_ids.tolist()
    assert abs(one.chunk_values - other.chunk_values).max() < 1e-4
