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

"""TensorRT as an engine: its plans in the store, and what it says where there is no GPU."""

from dataclasses import replace
import json

from float8_cases import frames_of
import pytest
import torch

from vla_accel_ros.engines import tensorrt_engine
from vla_accel_ros.engines.eager import EAGER
from vla_accel_ros.engines.fallback import Fallback
from vla_accel_ros.engines.interface import EngineError, bucket_of, call
from vla_accel_ros.engines.onnx.float8_graphs import Float8Graphs
from vla_accel_ros.engines.programs.call import Narrow
from vla_accel_ros.engines.programs.decoder import Pass, Span
from vla_accel_ros.engines.store import Store
from vla_accel_ros.engines.tensorrt_engine import FILE, Launched, Plans, tensorrt_of
from vla_accel_ros.engines.tensorrt_package import Card
from vla_accel_ros.engines.tensorrt_profiles import Limits

LIMITS = Limits(visual=32, slots=0, positions=2048)
H200 = Card('NVIDIA H200', '9.0', '580.65.06')
RTX_4090 = Card('NVIDIA GeForce RTX 4090', '8.9', '580.65.06')
GB10 = Card('NVIDIA GB10', '12.1', '580.65.06')


@pytest.fixture
def told():
    return []


@pytest.fixture
def plans(rtx, tokens_graphs, tmp_path, told):
    return Plans(tokens_graphs, Store(tmp_path, told.append), LIMITS, rtx)


def key_of(plan):
    return json.loads(plan.with_name('manifest.json').read_text())['key']


def test_a_plan_is_built_once_for_all_cards_that_are_known(plans, tokens_model, told):
    program = tokens_model.projection(True)
    plan = plans.plan(program)
    assert plan.name == FILE and plan.stat().st_size > 1000
    key = key_of(plan)
    graph = plans.graph(program)
    assert key == {
        **graph.key,
        'kind': 'TensorRT plan of projector',
        'runtime': plans.package.title,
        'name': 'any',
        'capability': '8.0, 8.6, 8.9, 12.0',
        'driver': 'any',
        'profiles': 'kept 1..16..32',
    }
    told.clear()
    assert plans.plan(program) == plans.plan(program, RTX_4090) == plan
    assert told == []


def test_a_card_that_it_must_be_told_of_has_a_plan_of_its_own(plans, tokens_model):
    program = tokens_model.logits_of()
    plan = plans.plan(program, GB10)
    assert key_of(plan)['capability'] == '12.1'
    assert plan != plans.plan(program)


def test_a_card_that_it_does_not_know_is_refused_and_nothing_stays(plans, tokens_model, tmp_path):
    with pytest.raises(EngineError, match=r'this one has 9\.0: install tensorrt'):
        plans.plan(tokens_model.logits_of(), H200)
    assert not list(tmp_path.glob('*/*.plan'))


@pytest.fixture(scope='module')
def frames(tokens_model):
    return frames_of(tokens_model)


@pytest.fixture
def float8_plans(rtx, tokens_model, graph_store, frames, tmp_path, told):
    graphs = Float8Graphs(tokens_model, graph_store, frames)
    return Plans(graphs, Store(tmp_path, told.append), LIMITS, rtx)


def test_a_plan_of_fp8_is_for_the_cards_that_have_it(float8_plans, plans, tokens_model, frames):
    program = tokens_model.projection()
    plan = float8_plans.plan(program)
    key = key_of(plan)
    assert key['capability'] == '8.9, 12.0'
    assert key['bits'] == f'float8 E4M3, {frames.digest(program)}'
    assert float8_plans.plan(program, RTX_4090) == plan != plans.plan(program)
    assert key_of(float8_plans.plan(program, GB10))['capability'] == '12.1'
    # A program that multiplies none is not built twice.
    head = tokens_model.logits_of()
    assert float8_plans.plan(head) == plans.plan(head)


@pytest.mark.parametrize('capability', ['7.5', '8.0', '8.6', '8.7'])
def test_a_card_without_fp8_is_refused_before_a_plan_is_built(
    float8_plans, tokens_model, told, capability
):
    with pytest.raises(EngineError) as raised:
        float8_plans.plan(tokens_model.projection(), replace(RTX_4090, capability=capability))
    expected = f'float8 needs compute capability 8.9 or later, this GPU has {capability}'
    assert str(raised.value) == expected and told == []


def test_float8_is_not_exact_and_gives_way_with_the_reason(trt, tokens_model, frames, tmp_path):
    file = tmp_path / 'frames.safetensors'
    frames.save(file)
    engine = tensorrt_of(tokens_model, Store(tmp_path), float8=True, calibration=str(file))
    assert (engine.precision, engine.exact) == ('float8', False)
    behind, given = Fallback(engine, EAGER), given_of_projector()
    assert (behind.precision, behind.exact) == ('float8', False)
    assert call(behind, tokens_model.projection(), given)['visual'].isfinite().all()
    assert 'NVIDIA GPU only, the model is on cpu' in behind.reasons['projector']
    with pytest.raises(EngineError, match="engine_calibration is '', expected a file of"):
        tensorrt_of(tokens_model, Store(tmp_path), float8=True)


def test_another_version_builds_anew_and_says_why(plans, tokens_model, told, monkeypatch):
    program = tokens_model.logits_of()
    before, version = plans.plan(program), plans.package.trt.__version__
    monkeypatch.setattr(plans.package.trt, '__version__', '99.9')
    after = plans.plan(program)
    assert after != before
    assert f'runtime is TensorRT-RTX 99.9, there is one of TensorRT-RTX {version}' in told[-2]


@pytest.mark.parametrize(
    ('card', 'why'),
    [
        (replace(H200, driver='590.10'), 'driver is 590.10, there is one of 580.65.06'),
        (replace(H200, name='NVIDIA H100'), 'name is NVIDIA H100, there is one of NVIDIA H200'),
    ],
)
def test_a_plan_for_another_card_or_driver_is_not_taken(
    plans, tokens_model, told, monkeypatch, card, why
):
    # TensorRT itself builds on the card that it is for; only what it writes is made up here.
    monkeypatch.setattr(plans.package, 'rtx', False)
    monkeypatch.setattr(tensorrt_engine, 'build', lambda *words: words[4].write_bytes(b'plan'))
    program = tokens_model.logits_of()
    plan = plans.plan(program, H200)
    told.clear()
    assert plans.plan(program, H200) == plan and told == []
    assert plans.plan(program, card) != plan
    assert why in told[0]
    with pytest.raises(EngineError, match='builds on the GPU that it is for only'):
        plans.plan(program)


def test_a_plan_that_was_damaged_is_built_again(plans, tokens_model, told):
    program = tokens_model.logits_of()
    plan = plans.plan(program)
    content = plan.read_bytes()
    plan.write_bytes(content[:-9])
    told.clear()
    assert len(plans.plan(program).read_bytes()) == len(content)
    assert 'engine.plan has' in told[0]


def given_of_projector():
    return {'features': torch.randn(1, 32, 16)}


def test_without_a_gpu_it_says_so_and_builds_nothing(plans, tokens_model, told, monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    for device, message in (
        ('cpu', 'TensorRT runs on an NVIDIA GPU only, the model is on cpu'),
        ('cuda', 'TensorRT runs on an NVIDIA GPU only, there is none here'),
    ):
        engine = Launched(plans, 'float32', torch.device(device))
        with pytest.raises(EngineError, match=message):
            engine.ready(tokens_model.projection(), bucket_of(given_of_projector()))
    assert told == []


def test_without_a_gpu_the_next_engine_runs_and_the_reason_is_told(trt, tokens_model, tmp_path):
    told = []
    engine = Fallback(tensorrt_of(tokens_model, Store(tmp_path)), EAGER, told.append)
    given = given_of_projector()
    program = tokens_model.projection()
    with torch.inference_mode():
        found = call(engine, program, given)
        expected = program.run(given, {})
    torch.testing.assert_close(found['visual'], expected['visual'], rtol=0, atol=0)
    assert told == [
        'projector runs on eager: TensorRT runs on an NVIDIA GPU only, the model is on cpu'
    ]
    assert engine.reasons.keys() == {'projector'}


def test_it_computes_in_the_type_of_the_weights(trt, tokens_model, tmp_path):
    engine = tensorrt_of(tokens_model, Store(tmp_path))
    assert (engine.name, engine.precision, engine.exact) == ('tensorrt', 'float32', True)


def test_tiny_programs_run_eagerly(trt, tokens_model, tmp_path):
    engine, program = tensorrt_of(tokens_model, Store(tmp_path)), Narrow()
    given = {'x': torch.randn(1, 5, 4), 'stay': torch.tensor([0, 3])}
    assert call(engine, program, given)['x'].shape == (1, 2, 4)


@pytest.fixture
def on_gpu(trt, tmp_path):
    """Give a model on the GPU, and TensorRT for it."""
    from tiny_models import tiny_model

    model = tiny_model().to('cuda')
    return model, tensorrt_of(model, Store(tmp_path))


@pytest.mark.gpu
def test_programs_agree_with_eager_on_a_gpu(on_gpu):
    model, engine = on_gpu
    language = model.language_model
    places = torch.arange(20, device='cuda')
    store = torch.zeros(3, 2, 1, 2, 40, 8, device='cuda')
    lengths = torch.tensor([9, 9, 4], device='cuda')
    programs = (
        (model.vision(), {'pixels': torch.randn(1, 6, 32, 32, device='cuda')}, None),
        (
            Span(language.model, 0, 3, norm=True, taps=(3,)),
            {'x': torch.randn(1, 20, 32, device='cuda'), 'positions': places, 'rows': places[-2:]},
            None,
        ),
        (
            Pass(language.model, language.lm_head),
            {
                'tokens': torch.tensor([[5, 7]], device='cuda'),
                'positions': torch.tensor([[20, 21]], device='cuda'),
                'store': store,
                'lengths': lengths,
            },
            'store',
        ),
    )
    for program, given, name in programs:
        own = {name: given[name].clone()} if name else {}
        with torch.inference_mode():
            expected = program.run({**given, **own}, own)
            for _ in range(3):
                room = {name: given[name].clone()} if name else {}
                found = call(engine, program, {**given, **room}, room)
        for key, value in expected.items():
            torch.testing.assert_close(found[key], value, atol=1e-4, rtol=1e-3)
        for key, value in own.items():
            torch.testing.assert_close(room[key], value, atol=1e-4, rtol=1e-3)
