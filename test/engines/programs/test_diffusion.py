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

"""The programs that denoise: pure, the same on engines as on eager, guided as the formula says."""

import pytest
import torch

from vla_accel_ros.engines.cuda_graph import CudaGraph
from vla_accel_ros.engines.eager import EAGER
from vla_accel_ros.engines.interface import call
from vla_accel_ros.engines.onnx.graphs import Graphs
from vla_accel_ros.engines.programs.diffusion import Condition, Denoise
from vla_accel_ros.engines.recorders import HostRecorder
from vla_accel_ros.engines.store import Store
from vla_accel_ros.layers.dit_shape import DiTConfig
from vla_accel_ros.layers.shapes import DecoderConfig, TowerConfig
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.families.cogact.config import CogACTConfig
from vla_accel_ros.models.heads.diffusion_head import Walk
from vla_accel_ros.models.random_weights import random_model


@pytest.fixture(scope='module')
def model():
    dit = DiTConfig(width=24, depth=2, heads=4, mlp=48, frequencies=16)
    return random_model(
        VLAConfig(
            towers=(TowerConfig(width=16, depth=2, heads=2, mlp=32, patch=8),),
            decoder=DecoderConfig(
                width=32, layers=2, heads=4, kv_heads=2, mlp=48, vocab=320, logits=False
            ),
            head=CogACTConfig(chunk=4, dit=dit, prompt_tail=(5, 2), steps=5, schedule=20),
            image_towers=((0,),),
            image_size=32,
            projector_layers=2,
            tokenizer_vocab=300,
            prompt_end=None,
        )
    )


def inputs(model, guided):
    torch.manual_seed(0)
    net = model.action_model
    feature = {'feature': torch.randn(1, 32)}
    condition = call(EAGER, Condition(net, guided), feature)['condition']
    scales = torch.from_numpy(Walk.of(20, 5).scales).float()
    time = net.t_embedder(torch.tensor([8]))[0]
    given = {'x': torch.randn(1, 4, 7), 'condition': condition}
    return feature, given | {'time': time, 'scales': scales[2]}


def test_guidance_leads_from_the_noise_without_a_feature_to_the_one_with_it(model):
    _, given = inputs(model, True)
    net, halves = model.action_model, given['condition'].chunk(2)
    with_it, without = (
        call(EAGER, Denoise(net, 0.0), {**given, 'condition': half})['noise'] for half in halves
    )
    done = call(EAGER, Denoise(net, 3.0), given)
    torch.testing.assert_close(done['noise'], without + 3 * (with_it - without))
    shrink, part, keep, again = given['scales']
    torch.testing.assert_close(done['clean'], shrink * given['x'] - part * done['noise'])
    torch.testing.assert_close(done['x'], keep * done['clean'] + again * done['noise'])


def test_its_graph_gives_what_eager_gives(model, tmp_path):
    ort = pytest.importorskip('onnxruntime')
    pytest.importorskip('onnxscript')
    _, given = inputs(model, True)
    program = Denoise(model.action_model, 1.5)
    with torch.inference_mode():
        expected = call(EAGER, program, given)
    session = ort.InferenceSession(Graphs(model, Store(tmp_path)).graph(program).path)
    found = session.run(None, {name: given[name].numpy() for name in program.inputs})
    for name, value in zip(program.outputs, found, strict=True):
        torch.testing.assert_close(torch.from_numpy(value), expected[name])


def test_a_step_is_captured_once_and_replayed_for_all_steps(model):
    engine, net = CudaGraph(HostRecorder()), model.action_model
    _, given = inputs(model, True)
    program = Denoise(net, 1.5)
    with torch.inference_mode():
        for x in (given['x'], given['x'] + 1, given['x'] * 2):
            tensors = {**given, 'x': x}
            found, expected = call(engine, program, tensors), call(EAGER, program, tensors)
            for name in program.outputs:
                torch.testing.assert_close(found[name], expected[name])
    assert len(engine.captured) == 1


def test_equal_facts_make_equal_programs(model):
    net = model.action_model
    assert Denoise(net, 1.5) == Denoise(net, 1.5) != Denoise(net, 0.0)
    assert hash(Condition(net, True)) == hash(Condition(net, True))
