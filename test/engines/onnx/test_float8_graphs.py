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

"""Graphs with FP8 products, run by ONNX Runtime on the CPU: how far they are from eager."""

from float8_cases import cases, frames_of
import pytest
import torch

from vla_accel_ros.engines.calibration import Calibration
from vla_accel_ros.engines.interface import EngineError, call
from vla_accel_ros.engines.onnx import float8
from vla_accel_ros.engines.onnx.float8_graphs import Float8Graphs
from vla_accel_ros.engines.onnxruntime_engine import OnnxRuntime
from vla_accel_ros.engines.programs.decoder import Loop, Pass
from vla_accel_ros.engines.store import Store

pytest.importorskip('onnxruntime')
# Of the largest number that comes out; a number of E4M3 has 3 bits behind the point.
BOUND = 0.1


@pytest.fixture(scope='module')
def graphs(tokens_model, graph_store):
    return Float8Graphs(tokens_model, graph_store, frames_of(tokens_model))


@torch.inference_mode()
def errors(model, graphs):
    """Give by program how far its outputs are from eager, as shares of the largest number."""
    engine, found = OnnxRuntime(graphs), {}
    for program, given in cases(model):
        done, expected = call(engine, program, given), program.run(given, {})
        found[program.name] = max(
            ((done[name] - value).abs().max() / value.abs().max()).item()
            for name, value in expected.items()
        )
    return found


def test_they_are_within_the_bound_of_eager_and_not_equal(tokens_model, graphs):
    found = errors(tokens_model, graphs)
    assert found.keys() == {'vision', 'projector', 'span'}
    assert all(0.001 < error < BOUND for error in found.values()), found


def test_scales_of_a_tenth_miss_the_bound(tokens_model, tmp_path, monkeypatch):
    right = float8.scale_of
    monkeypatch.setattr(float8, 'scale_of', lambda largest, dtype: right(largest / 10, dtype))
    wrong = Float8Graphs(tokens_model, Store(tmp_path), frames_of(tokens_model))
    found = errors(tokens_model, wrong)
    assert all(error > 2 * BOUND for error in found.values()), found


def test_what_decodes_is_the_graph_of_all_engines(tokens_model, tokens_graphs, graphs):
    language = tokens_model.language_model
    for program in (
        Pass(language.model, language.lm_head),
        Loop(language.model, language.lm_head, 3),
    ):
        found = graphs.graph(program)
        assert found == tokens_graphs.graph(program) and not found.float8


def test_other_frames_make_another_graph(tokens_model, tokens_graphs, graphs, graph_store):
    program = cases(tokens_model)[1][0]
    found, plain = graphs.graph(program), tokens_graphs.graph(program)
    assert found.float8 and found.inputs == plain.inputs
    assert found.key['kind'] == 'float8 graph of projector'
    assert found.key['bits'].startswith('float8 E4M3, ')
    same = Float8Graphs(tokens_model, graph_store, frames_of(tokens_model)).graph(program)
    others = frames_of(tokens_model, seeds=(7,))
    other = Float8Graphs(tokens_model, graph_store, others).graph(program)
    assert same == found and other.path != found.path
    assert len({found.path, plain.path, other.path}) == 3


def test_a_program_that_no_frame_ran_is_refused(tokens_model, graph_store):
    graphs = Float8Graphs(tokens_model, graph_store, Calibration(tokens_model))
    with pytest.raises(EngineError, match='no calibration frame ran the program vision: float8'):
        graphs.graph(tokens_model.vision())
