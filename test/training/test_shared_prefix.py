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

import pytest
import torch
import torch.nn.functional as F

from vla_accel_ros.models.families.openvla.model import OpenVLA
from vla_accel_ros.models.presets import embedded
from vla_accel_ros.training.packing import Packing
from vla_accel_ros.training.shared_prefix import attend, run_prefix

PROMPTS = [[1, 5, 6, 7], [1, 5, 8, 9, 10, 7], [1, 11, 7]]


@pytest.fixture(scope='module')
def model():
    torch.manual_seed(0)
    config = embedded(
        12, image_size=32, tower_width=32, tower_blocks=1, width=48, layers=2, heads=2
    )
    return OpenVLA(config).eval()


@pytest.fixture(scope='module')
def held(model):
    torch.manual_seed(1)
    pixels, asked = torch.randn(2, 6, 32, 32), torch.tensor([[0, 1], [2, 1]])
    packing = Packing.of(PROMPTS, model.config.visual_tokens, 1, 2)
    return pixels, asked, run_prefix(model, pixels, packing, asked)


def alone(model, pixels, prompt):
    """Give keys and values [layers, 2, heads, rows, width] of one prompt, as a policy has them."""
    cache = model.new_cache(40)
    x = model.embed_prompt(torch.tensor([prompt]), model.encode_images(pixels))
    model.prefill(x, cache)
    return cache.store[:, :, 0, :, : x.shape[1]]


def own(shared, layer, kind, image, branch):
    """Give the same out of what is shared."""
    count = int(shared.count[image, branch])
    front = shared.front[layer][kind][image]
    words = shared.words[layer][kind][image, branch]
    return torch.cat([front, words], 1)[:, :count]


@torch.no_grad()
def test_what_is_held_is_what_the_model_holds_of_each_instruction_alone(model, held):
    pixels, asked, shared = held
    for image, branch in ((0, 0), (0, 1), (1, 0), (1, 1)):
        expected = alone(model, pixels[image : image + 1], PROMPTS[asked[image, branch]])
        for layer in range(2):
            for kind in range(2):
                found = own(shared, layer, kind, image, branch)
                torch.testing.assert_close(found, expected[layer, kind], rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_a_chunk_sees_its_image_its_words_and_itself(model, held):
    shared = held[2]
    torch.manual_seed(2)
    queries, keys, values = torch.randn(3, 2, 2, 3, 2, 4, 24)
    found = attend(shared, 1, queries, keys, values)
    for image, branch, draw in ((0, 0, 0), (0, 1, 2), (1, 0, 1)):
        at = image, branch, draw
        seen = [
            torch.cat([own(shared, 1, kind, image, branch), new[at]], 1)
            for kind, new in enumerate((keys, values))
        ]
        expected = F.scaled_dot_product_attention(queries[at], *seen)
        torch.testing.assert_close(found[at], expected, rtol=1e-4, atol=1e-5)
