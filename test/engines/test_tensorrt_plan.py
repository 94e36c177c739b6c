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

"""Plans of TensorRT, really built: with TensorRT for RTX that needs no GPU."""

import pytest

from vla_accel_ros.engines.programs.decoder import Loop, Pass, Span
from vla_accel_ros.engines.tensorrt_plan import build
from vla_accel_ros.engines.tensorrt_profiles import Limits, profiles

LIMITS = Limits(visual=32, slots=14, positions=2048)
LAYERS = 3


@pytest.fixture
def built(trt, tmp_path):
    """Give what builds a program and gives the plan's bytes."""

    def build_it(graphs, program, **options):
        graph, file = graphs.graph(program), tmp_path / 'engine.plan'
        found = profiles(graph.inputs, LIMITS)
        build(trt, graph.path, graph.inputs, found, file, **options)
        return file.read_bytes()

    return build_it


@pytest.mark.parametrize('attention', [False, True])
def test_vision(attention, tokens_model, tokens_graphs, built):
    assert len(built(tokens_graphs, tokens_model.vision(attention))) > 1000


def test_vision_modulated_by_language_and_the_language(slots_model, slots_graphs, built):
    assert len(built(slots_graphs, slots_model.vision())) > 1000
    assert len(built(slots_graphs, slots_model.instruction())) > 1000


def test_projector_and_heads(tokens_model, tokens_graphs, slots_model, slots_graphs, built):
    for program in (
        tokens_model.projection(),
        tokens_model.projection(True),
        tokens_model.logits_of(),
    ):
        assert len(built(tokens_graphs, program)) > 1000
    assert len(built(slots_graphs, slots_model.head())) > 1000


def test_spans(tokens_model, tokens_graphs, built):
    decoder = tokens_model.language_model.model
    for program in (
        Span(decoder, 0, 1, taps=(1,)),
        Span(decoder, 1, LAYERS, narrowed=True, norm=True),
        Span(decoder, 0, LAYERS, norm=True, taps=(3,)),
        Span(decoder, 0, LAYERS, causal=False, norm=True, taps=(3,)),
    ):
        assert len(built(tokens_graphs, program)) > 1000


def test_passes_and_the_loop(tokens_model, tokens_graphs, built):
    language = tokens_model.language_model
    for program in (
        Pass(language.model, language.lm_head, taps=(2,)),
        Loop(language.model, language.lm_head, 3, taps=(2,)),
    ):
        assert len(built(tokens_graphs, program)) > 1000
