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

"""A loop's graph is that of one pass, copied."""

from collections import Counter

import pytest

from vla_accel_ros.engines.programs.decoder import Loop, Pass

onnx = pytest.importorskip('onnx')


def graph_of(graphs, program):
    return onnx.load(graphs.graph(program).path, load_external_data=False).graph


def test_what_all_passes_share_is_computed_once(tokens_model, tokens_graphs):
    language = tokens_model.language_model
    loop = Loop(language.model, language.lm_head, 3, taps=(2,))
    kinds = Counter(node.op_type for node in graph_of(tokens_graphs, loop).node)
    # The mask, and three passes of which each has a softmax a layer and a most likely token.
    assert kinds['GreaterOrEqual'] == 1
    assert kinds['Softmax'] == 3 * tokens_model.config.decoder.layers
    assert kinds['ArgMax'] == 3


def test_a_loop_has_the_weights_of_a_pass(tokens_model, tokens_graphs):
    language = tokens_model.language_model

    def linked(program):
        weights = graph_of(tokens_graphs, program).initializer
        return sorted(weight.name for weight in weights if weight.external_data)

    loop = Loop(language.model, language.lm_head, 3, taps=(2,))
    assert linked(loop) == linked(Pass(language.model, language.lm_head, taps=(2,)))
