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

"""SmolVLM's connector: which patches make a visual token, and in which order."""

import torch

from vla_accel_ros.layers.connector import Connector, shuffled


def test_a_token_is_a_square_of_patches_row_by_row():
    numbers = torch.arange(36).view(1, 36, 1).expand(1, 36, 2)
    tokens = shuffled(numbers, 3)
    assert tokens.shape == (1, 4, 18)
    assert tokens[0, 1, ::2].tolist() == [3, 4, 5, 9, 10, 11, 15, 16, 17]
    assert tokens[0, 2, 0::2].tolist() == tokens[0, 2, 1::2].tolist()
    assert torch.equal(shuffled(numbers, 1), numbers)


def test_the_projection_has_no_bias():
    connector = Connector(8, 5)
    assert not connector(torch.zeros(1, 3, 8)).any()
    assert [name for name, _ in connector.named_parameters()] == ['proj.weight']
