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

"""What weights are multiplied with is measured where the model runs it, packed or not."""

import math

from float8_cases import cases
import pytest
from tiny_models import tiny_model
import torch

from vla_accel_ros.engines.interface import EngineError
from vla_accel_ros.engines.onnx.magnitudes import magnitudes


def test_the_largest_input_of_each_product_is_found(tokens_model):
    _, (program, given), _ = cases(tokens_model)
    more = {'features': 3 * given['features']}
    found = magnitudes(program, tokens_model, [given, more, given])
    assert found.keys() == {'projector.fc1.weight', 'projector.fc2.weight'}
    assert found['projector.fc1.weight'] == more['features'].abs().max().item()
    hidden = torch.nn.functional.gelu(tokens_model.projector.fc1(more['features']))
    assert found['projector.fc2.weight'] == pytest.approx(hidden.abs().max().item(), rel=1e-5)


def test_a_packed_matrix_stands_for_its_parts(tokens_model):
    plain = tiny_model(packed=False)
    (program, given), (other, _) = cases(tokens_model)[2], cases(plain)[2]
    found = magnitudes(program, tokens_model, [given])
    expected = magnitudes(other, plain, [given])
    assert found == pytest.approx(expected, rel=1e-4)
    # Queries, keys, values, output, gate, up and down.
    assert len(found) == 7 * tokens_model.config.decoder.layers


@pytest.mark.parametrize('value', [math.nan, math.inf])
def test_what_is_not_finite_is_refused_with_the_weight(value, tokens_model):
    _, (program, given), _ = cases(tokens_model)
    given['features'][0, 3, 2] = value
    with pytest.raises(EngineError, match=f'fc1.weight of the program projector.* with {value}'):
        magnitudes(program, tokens_model, [given])
