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

from dataclasses import replace

from float8_cases import cases, frames_of
from later_graph import write_later
import pytest
from sparse_checkpoint import with_layers, write_sparse
from tiny_models import TOKENS, tiny_model
import torch
from toy_engine import Changing

from vla_accel_ros.engines.calibration import Calibration
from vla_accel_ros.engines.interface import EngineError, call
from vla_accel_ros.engines.onnx.float8_graphs import Float8Graphs
from vla_accel_ros.engines.onnx.graphs import Graphs
from vla_accel_ros.engines.programs.decoder import Loop, Pass, Span
from vla_accel_ros.engines.store import Store
from vla_accel_ros.engines.tensorrt_plan import build, widen
from vla_accel_ros.engines.tensorrt_profiles import Limits, profiles
from vla_accel_ros.models.checkpoints.folder import load
from vla_accel_ros.models.checkpoints.linked import linked_graphs
from vla_accel_ros.models.parity.frames import recorded
from vla_accel_ros.models.policy import Policy
from vla_accel_ros.models.presets import openvla_7b
from vla_accel_ros.paths import checkpoint_folder

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
        Span(decoder, 1, LAYERS, narrowed=True, norm=True),
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


@pytest.mark.parametrize(
    ('checkpoint', 'name'), [('tabletop-flow', 'velocity'), ('tabletop-dit', 'denoise')]
)
def test_steps_of_the_shipped_policies_that_denoise(checkpoint, name, graph_store, built):
    policy, asked = Policy.load(checkpoint_folder(checkpoint), threads=1), {}

    def noted(program, bucket):
        asked.setdefault(program.name, program)

    policy.set_engine(Changing(refuse=noted))
    policy.predict(recorded(policy).observation)
    assert len(built(Graphs(policy.model, graph_store), asked[name])) > 1000


@pytest.fixture(scope='module')
def two_layers(tmp_path_factory):
    """Give two layers of OpenVLA-7B on disk, all zeros, and their graphs."""
    root = tmp_path_factory.mktemp('two_layers')
    folder = write_sparse(root / 'checkpoint', with_layers(openvla_7b(), 2))
    model = load(folder, mapped=True)
    return model, linked_graphs(folder, Store(root / 'engines'), model)


def softmax_types(trt, path):
    """Give the types that softmax is computed in."""
    builder = trt.trt.Builder(trt.logger)
    network = builder.create_network(
        1 << int(trt.trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED)
    )
    parser = trt.trt.OnnxParser(network, trt.logger)
    assert parser.parse_from_file(str(path))
    widen(trt.trt, network)
    layers = [network.get_layer(place) for place in range(network.num_layers)]
    return {
        layer.get_output(0).dtype for layer in layers if layer.type == trt.trt.LayerType.SOFTMAX
    }


def test_two_layers_of_7b_in_bfloat16_with_sums_in_float32(two_layers, trt, built):
    model, graphs = two_layers
    program = Span(model.language_model.model, 0, 2, norm=True)
    assert softmax_types(trt, graphs.graph(program).path) == {trt.trt.DataType.FLOAT}
    # The two layers are equal, so that their weights are kept once.
    layer = sum(p.numel() for p in model.language_model.model.layers[0].parameters())
    assert len(built(graphs, program)) > 2 * layer


def test_a_card_that_is_named_is_built_for(rtx, tokens_model, tokens_graphs, built):
    plan = built(tokens_graphs, tokens_model.logits_of(), capability='8.9')
    assert plan != built(tokens_graphs, tokens_model.logits_of(), capability='12.1')
    with pytest.raises(EngineError, match=r'SM75.*FP32 GEMM is not supported'):
        built(tokens_graphs, tokens_model.logits_of(), capability='7.5')
    with pytest.raises(EngineError, match=r'7\.5, 8\.0.* this one has 9\.0: install tensorrt'):
        built(tokens_graphs, tokens_model.logits_of(), capability='9.0')


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16, torch.float16])
def test_products_of_fp8_are_built_for_cards_that_have_them(dtype, rtx, graph_store, built):
    model = tiny_model().to(dtype)
    graphs = Float8Graphs(model, graph_store, frames_of(model))
    for program, _ in cases(model):
        # It knows that there are FP8 numbers in the network, and which cards have none.
        with pytest.raises(EngineError, match=r'sm86, because .* datatypes: fp8_e4m3'):
            built(graphs, program, capability='8.6')
        assert len(built(graphs, program, capability='8.9')) > 1000


def test_a_plan_holds_weights_of_fp8_in_one_byte_each(rtx, graph_store, built):
    config = replace(TOKENS, decoder=replace(TOKENS.decoder, width=1024, layers=1, heads=8))
    model = tiny_model(config).to(torch.bfloat16)
    program = Span(model.language_model.model, 0, 1, norm=True)
    frames = Calibration(model)
    places, x = torch.arange(20), torch.ones(1, 20, 1024, dtype=torch.bfloat16)
    with torch.inference_mode():
        call(frames, program, {'x': x, 'positions': places, 'rows': places})
    layer = model.language_model.model.layers[0]
    weights = sum(weight.numel() for weight in layer.parameters() if weight.dim() == 2)
    wide = len(built(Graphs(model, graph_store), program, capability='8.9'))
    narrow = len(built(Float8Graphs(model, graph_store, frames), program, capability='8.9'))
    # The kernels of the two take other room, some hundred kilobytes.
    assert wide > 2 * weights and wide - narrow > 0.8 * weights


def test_a_graph_of_a_later_onnx_is_refused_with_the_reason(trt, tmp_path):
    path = write_later(tmp_path / 'graph.onnx')
    with pytest.raises(
        EngineError, match=r'^TensorRT.* cannot read graph\.onnx: OperatorOfTheFuture: '
    ):
        build(trt, path, (), (), tmp_path / 'engine.plan')
    assert not (tmp_path / 'engine.plan').exists()


def test_a_profile_that_fits_no_graph_is_refused(tokens_model, tokens_graphs, trt, tmp_path):
    graph = tokens_graphs.graph(tokens_model.logits_of())
    with pytest.raises(EngineError, match=r'cannot build graph\.onnx: .*profile'):
        build(trt, graph.path, graph.inputs, (), tmp_path / 'engine.plan')
