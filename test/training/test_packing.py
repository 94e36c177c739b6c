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
"""Packed branches compute exactly what each instruction alone computes."""

import pytest
import torch

from vla_accel_ros.models.openvla import OpenVLA
from vla_accel_ros.models.presets import embedded
from vla_accel_ros.training.packing import Packing, forward

PROMPTS = [[1, 5, 6, 7], [1, 5, 8, 9, 10, 7], [1, 11, 7]]


@pytest.fixture(scope='module')
def model():
    torch.manual_seed(0)
    config = embedded(12, image_size=32, tower_width=32, tower_blocks=1, width=48, layers=2,
                      heads=2)
    return OpenVLA(config).eval()


def test_each_branch_equals_the_instruction_alone(model):
    torch.manual_seed(1)
    pixels = torch.randn(2, 6, 32, 32)
    actions = torch.randint(12, 268, (2, 3, 6))
    packing = Packing.of(PROMPTS, model.config.visual_tokens)
    with torch.no_grad():
        packed = forward(model, pixels, packing, actions)
        for branch, prompt in enumerate(PROMPTS):
            ids = torch.cat([torch.tensor(prompt).expand(2, -1), actions[:, branch]], dim=1)
            first = model.config.visual_tokens + len(prompt) - 1
            alone = model(pixels, ids, logit_rows=slice(first, first + 7)).logits
            torch.testing.assert_close(packed.logits[:, branch], alone, rtol=1e-4, atol=1e-5)


def test_a_branch_does_not_see_another(model):
    pixels = torch.randn(1, 6, 32, 32)
    packing = Packing.of(PROMPTS, model.config.visual_tokens)
    actions = torch.randint(12, 268, (1, 3, 6))
    changed = actions.clone()
    changed[:, 0] = 13
    with torch.no_grad():
        before = forward(model, pixels, packing, actions).logits
        after = forward(model, pixels, packing, changed).logits
    assert torch.equal(before[:, 1:], after[:, 1:])
    assert not torch.equal(before[:, 0], after[:, 0])


@pytest.mark.parametrize('prompts', [[], [[1]], [[1, 2], [3, 2]]])
def test_prompts_without_one_bos_are_refused(prompts):
    with pytest.raises(ValueError, match='BOS'):
        Packing.of(prompts, 4)
