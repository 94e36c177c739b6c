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

"""The programs of denoising: eager, over a whole memory, and on each engine."""

from dataclasses import replace

from pi0_fixture import NAMES, ready
import pytest
import torch

from vla_accel_ros.engines.cuda_graph import CudaGraph
from vla_accel_ros.engines.eager import EAGER
from vla_accel_ros.engines.fallback import Fallback
from vla_accel_ros.engines.interface import call
from vla_accel_ros.engines.onnx.graphs import Graphs
from vla_accel_ros.engines.onnxruntime_engine import OnnxRuntime
from vla_accel_ros.engines.openvino_engine import OpenVINO
from vla_accel_ros.engines.programs.flow import Velocity
from vla_accel_ros.engines.recorders import HostRecorder
from vla_accel_ros.engines.store import Store


def given(found, prefix, **more):
    store = {'store': prefix.cache.store.clone(), 'lengths': prefix.cache.lengths}
    return {**more, 'position': prefix.position, **store}


@pytest.fixture(scope='module')
def case():
    found = ready('pi0_tiny')
    with torch.inference_mode():
        return found, found.prefix()[1]


@torch.inference_mode()
def test_a_memory_of_which_a_tensor_says_how_full_it_is_gives_the_same(case):
    found, prefix = case
    network, condition = found.head.network, found.head.conditions([0.7])[0]
    step = given(found, prefix, x=found.noise, condition=condition)
    sliced = call(EAGER, Velocity(network, (2,), prefix.cache.held), step)
    masked = call(EAGER, Velocity(network, (2,)), step)
    placed = call(EAGER, Velocity(network, (2,)), step, {'store': step['store']})
    for each in (masked, placed):
        assert set(each) == {'velocity', 'new', 'queries.2'}
        for name, value in sliced.items():
            torch.testing.assert_close(each[name], value, rtol=0, atol=1e-5)


def by_row(network, condition):
    return condition[..., None, :].expand(*condition.shape[:-1], network.rows, -1)


@pytest.mark.parametrize('name', NAMES)
@torch.inference_mode()
def test_rows_with_one_time_each_give_what_one_time_for_all_gives(name):
    found = ready(name)
    prefix = found.prefix()[1]
    network, condition = found.head.network, found.head.conditions([0.7])[0]
    one = given(found, prefix, x=found.noise, condition=condition)
    each = {**one, 'condition': by_row(network, condition)}
    expected = call(EAGER, Velocity(network), one)['velocity']
    of_rows = call(EAGER, Velocity(network, by_row=True), each)['velocity']
    torch.testing.assert_close(of_rows, expected, rtol=0, atol=1e-5)


def on_onnxruntime(model, store):
    pytest.importorskip('onnxruntime')
    return OnnxRuntime(Graphs(model, store))


def on_onnxruntime_bound(model, store):
    pytest.importorskip('onnxruntime')
    return OnnxRuntime(Graphs(model, store), bound=True)


def on_openvino(model, store):
    pytest.importorskip('openvino')
    return OpenVINO(Graphs(model, store), store)


def captured(model, store):
    return CudaGraph(HostRecorder())


@pytest.mark.parametrize('rows', [False, True])
@pytest.mark.parametrize(
    'engine_of', [on_onnxruntime, on_onnxruntime_bound, on_openvino, captured]
)
@torch.inference_mode()
def test_the_graph_of_a_step_gives_the_same_and_none_leaves_it_to_eager(
    case, tmp_path, engine_of, rows
):
    found, prefix = case
    engine = Fallback(engine_of(found.model, Store(tmp_path)), EAGER)
    network, condition = found.head.network, found.head.conditions([0.7])[0]
    condition = by_row(network, condition) if rows else condition
    step, program = given(found, prefix, x=found.noise, condition=condition), Velocity(network)
    program = replace(program, by_row=rows)
    ours, theirs = (call(each, program, step)['velocity'] for each in (EAGER, engine))
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)
    assert engine.reasons == engine.left == {}
