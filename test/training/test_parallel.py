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
"""A row of OFT's training computes exactly what the model computes for that instruction alone."""

import pytest
import torch

from vla_accel_ros.models.families.oft.config import OFTConfig
from vla_accel_ros.models.families.registry import build
from vla_accel_ros.models.presets import scaled
from vla_accel_ros.training.parallel import Parallel, forward

PROMPTS = [[1, 5, 6, 7], [1, 5, 8, 9, 10, 7], [1, 11, 7]]


@pytest.fixture(scope='module')
def model():
    torch.manual_seed(0)
    config = scaled(
        12,
        cameras=2,
        image_size=28,
        tower_width=64,
        tower_blocks=1,
        width=48,
        layers=2,
        heads=2,
        head=OFTConfig(chunk=3),
    )
    return build(config).eval()


def test_each_row_equals_the_instruction_alone(model):
    torch.manual_seed(1)
    config = model.config
    pixels, proprio = torch.randn(2, config.channels, 28, 28), torch.randn(2, 8)
    layout = Parallel.of(PROMPTS, 2 + config.visual_tokens, config.slots)
    asked = [[2, 0], [1, 2]]
    with torch.no_grad():
        out = forward(model, pixels, layout, proprio, torch.tensor(asked))
        assert out.hidden.shape == (2, 2, config.slots, 48)
        for image, which in enumerate(asked):
            for row, prompt in enumerate(PROMPTS[i] for i in which):
                alone = model(
                    pixels[image : image + 1], torch.tensor([prompt]), proprio[image : image + 1]
                )
                torch.testing.assert_close(
                    out.logits[image, row], alone.numbers[0], rtol=1e-4, atol=1e-5
                )


def test_shown_some_tokens_a_row_equals_the_model_on_these_at_their_places(model):
    torch.manual_seed(2)
    config, shown = model.config, torch.tensor([[0, 2, 5, 7]])
    pixels, proprio = torch.randn(1, config.channels, 28, 28), torch.randn(1, 8)
    front = 2 + config.visual_tokens
    layout = Parallel.of(PROMPTS, front, config.slots, config.visual_tokens - 4)
    with torch.no_grad():
        out = forward(model, pixels, layout, proprio, torch.tensor([[1, 2]]), shown)
        for row, prompt in enumerate(PROMPTS[1:]):
            x = model.embed_chunk(
                torch.tensor([prompt]), model.encode_images(pixels)[:, shown[0]], proprio
            )
            behind = 1 + config.visual_tokens + torch.arange(x.shape[1] - 5)
            at = torch.cat([torch.zeros(1, dtype=torch.long), 1 + shown[0], behind])
            hidden = model.language_model.model.run(x, at[None], causal=False)
            first = x.shape[1] - config.slots - 2
            said = model.read_out(hidden[:, first : first + config.slots])
            torch.testing.assert_close(out.logits[0, row], said[0], rtol=1e-4, atol=1e-5)


def test_the_first_number_is_read_from_the_last_word(model):
    layout = Parallel.of(PROMPTS, 2 + model.config.visual_tokens, model.config.slots)
    with torch.no_grad():
        out = forward(
            model,
            torch.randn(1, model.config.channels, 28, 28),
            layout,
            torch.zeros(1, 8),
            torch.tensor([[0, 1, 2]]),
        )
    words = model.language_model.model.embed_tokens(torch.tensor(7))
    for row in range(3):
        torch.testing.assert_close(out.layers[0][row, out.rows[0, row, 0]], words)
