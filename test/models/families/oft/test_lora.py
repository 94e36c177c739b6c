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

"""Low-rank adapters: added to their weights, or refused; none is left out in silence."""

import re

import pytest
import torch

from vla_accel_ros.models.checkpoints.folder import CheckpointError
from vla_accel_ros.models.families.oft.lora import merge


def test_adapters_are_added_to_the_weights_that_they_adapt():
    torch.manual_seed(0)
    weight, bias = torch.randn(6, 4), torch.randn(6)
    down, up = torch.randn(32, 4), torch.randn(6, 32)
    merged = merge(
        {
            'a.fc.base_layer.weight': weight,
            'a.fc.base_layer.bias': bias,
            'a.fc.lora_A.default.weight': down,
            'a.fc.lora_B.default.weight': up,
            'a.norm.weight': bias,
        },
        'file',
    )
    assert set(merged) == {'a.fc.weight', 'a.fc.bias', 'a.norm.weight'}
    torch.testing.assert_close(merged['a.fc.weight'], weight + 0.5 * (up @ down))
    assert merged['a.fc.bias'] is bias


def test_half_an_adapter_is_refused():
    with pytest.raises(CheckpointError, match=r'head\.pt has fc\.lora_A\.default\.weight, but'):
        merge(
            {
                'fc.base_layer.weight': torch.zeros(2, 2),
                'fc.lora_A.default.weight': torch.zeros(1, 2),
            },
            'head.pt',
        )


@pytest.mark.parametrize(
    'name',
    ['fc.lora_B.default.weight', 'fc.lora_A.weight', 'fc.lora_magnitude_vector.default.weight'],
)
def test_what_belongs_to_no_adapter_is_refused(name):
    with pytest.raises(CheckpointError, match=rf'head\.pt has {re.escape(name)}, which belongs'):
        merge({'fc.weight': torch.zeros(2, 2), name: torch.zeros(1, 2)}, 'head.pt')


@pytest.mark.parametrize(
    ('down', 'up'),
    [
        (torch.zeros(0, 2), torch.zeros(3, 0)),
        (torch.zeros(1, 5), torch.zeros(3, 1)),
        (torch.zeros(2), torch.zeros(3, 2)),
        (torch.zeros(1, 2), torch.zeros(3, 2)),
    ],
)
def test_an_adapter_that_does_not_fit_its_weight_is_named(down, up):
    with pytest.raises(CheckpointError, match=r'which do not make up fc\.weight of \[3, 2\]'):
        merge(
            {
                'fc.weight': torch.zeros(3, 2),
                'fc.lora_A.default.weight': down,
                'fc.lora_B.default.weight': up,
            },
            'head.pt',
        )
