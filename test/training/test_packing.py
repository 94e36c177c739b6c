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

from dataclasses import replace

import pytest
import torch

from vla_accel_ros.models.depth import without
from vla_accel_ros.models.families.openvla.model import OpenVLA
from vla_accel_ros.models.presets import embedded
from vla_accel_ros.training.last_rows import rows_of
from vla_accel_ros.training.packing import Packing, forward

PROMPTS = [[1, 5, 6, 7], [1, 5, 8, 9, 10, 7], [1, 11, 7]]


@pytest.fixture(scope='module')
def model():
    torch.manual_seed(0)
    config = embedded(
        12, image_size=32, tower_width=32, tower_blocks=1, width=48, layers=2, heads=2
    )
    return OpenVLA(config).eval()


@pytest.mark.parametrize('asked', [[[0, 1, 2], [0, 1, 2]], [[2, 0], [1, 2]], [[1], [0]]])
def test_each_branch_equals_the_instruction_alone(model, asked):
    torch.manual_seed(1)
    pixels = torch.randn(2, 6, 32, 32)
    actions = torch.randint(12, 268, (2, len(asked[0]), 6))
    packing = Packing.of(PROMPTS, model.config.visual_tokens, asked=len(asked[0]))
    with torch.no_grad():
        packed = forward(model, pixels, packing, actions, torch.tensor(asked))
        for image, which in enumerate(asked):
            for branch, prompt in enumerate(PROMPTS[i] for i in which):
                ids = torch.cat([torch.tensor(prompt), actions[image, branch]])[None]
                first = model.config.visual_tokens + len(prompt) - 1
                alone = model(pixels[image : image + 1], ids, logit_rows=slice(first, first + 7))
                torch.testing.assert_close(
                    packed.logits[image, branch], alone.logits[0], rtol=1e-4, atol=1e-5
                )


@pytest.mark.parametrize('drop', [(0,), (1,), (2,)])
def test_layers_that_are_left_out_are_so_in_training_too(model, drop):
    torch.manual_seed(3)
    config = replace(model.config, decoder=replace(model.config.decoder, layers=3))
    short = OpenVLA(without(config, drop)).eval()
    pixels, actions = torch.randn(1, 6, 32, 32), torch.randint(12, 268, (1, 1, 6))
    packing = Packing.of(PROMPTS, config.visual_tokens, asked=1)
    with torch.no_grad():
        packed = forward(short, pixels, packing, actions, torch.tensor([[0]]))
        ids = torch.cat([torch.tensor(PROMPTS[0]), actions[0, 0]])[None]
        first = config.visual_tokens + len(PROMPTS[0]) - 1
        alone = short(pixels, ids, logit_rows=slice(first, first + 7))
    torch.testing.assert_close(packed.logits[0, 0], alone.logits[0], rtol=1e-4, atol=1e-5)


def test_shown_some_tokens_a_branch_equals_the_model_on_these_at_their_places(model):
    torch.manual_seed(2)
    config, shown = model.config, torch.tensor([[0, 3, 6], [1, 2, 7]])
    pixels, actions = torch.randn(2, 6, 32, 32), torch.randint(12, 268, (2, 2, 6))
    packing = Packing.of(PROMPTS, config.visual_tokens, asked=2, shown=3)
    asked = [[2, 0], [1, 2]]
    with torch.no_grad():
        packed = forward(model, pixels, packing, actions, torch.tensor(asked), shown)
        visual = model.encode_images(pixels)
        for image, which in enumerate(asked):
            for branch, prompt in enumerate(PROMPTS[i] for i in which):
                ids = torch.cat([torch.tensor(prompt), actions[image, branch]])[None]
                x = model.embed_prompt(ids, visual[image : image + 1, shown[image]])
                behind = 1 + config.visual_tokens + torch.arange(ids.shape[1] - 1)
                at = torch.cat([torch.zeros(1, dtype=torch.long), 1 + shown[image], behind])
                hidden = model.language_model.model.run(x, at[None])[0, -7:]
                torch.testing.assert_close(
                    packed.logits[image, branch],
                    model.language_model.lm_head(hidden),
                    rtol=1e-4,
                    atol=1e-5,
                )


def test_the_last_word_is_where_a_row_says(model):
    packing = Packing.of(PROMPTS, model.config.visual_tokens, asked=2)
    actions = torch.randint(12, 268, (1, 2, 6))
    with torch.no_grad():
        packed = forward(
            model, torch.randn(1, 6, 32, 32), packing, actions, torch.tensor([[1, 2]])
        )
    said = rows_of(packed.layers[0], packed.rows[..., 0])
    words = model.embed_prompt(torch.tensor([[1, 7]]), torch.zeros(1, 0, 48))[:, 1]
    torch.testing.assert_close(said, words[:, None].expand(-1, 2, -1))


def test_a_branch_does_not_see_another(model):
    pixels = torch.randn(1, 6, 32, 32)
    packing = Packing.of(PROMPTS, model.config.visual_tokens)
    actions = torch.randint(12, 268, (1, 3, 6))
    changed = actions.clone()
    changed[:, 0] = 13
    asked = torch.arange(3)[None]
    with torch.no_grad():
        before = forward(model, pixels, packing, actions, asked).logits
        after = forward(model, pixels, packing, changed, asked).logits
    assert torch.equal(before[:, 1:], after[:, 1:])
    assert not torch.equal(before[:, 0], after[:, 0])


@pytest.mark.parametrize('prompts', [[], [[1]], [[1, 2], [3, 2]]])
def test_prompts_without_one_bos_are_refused(prompts):
    with pytest.raises(ValueError, match='BOS'):
        Packing.of(prompts, 4)


@pytest.mark.parametrize('asked', [0, 4])
def test_more_instructions_than_there_are_cannot_be_asked(asked):
    with pytest.raises(ValueError, match='asked of 3'):
        Packing.of(PROMPTS, 4, asked=asked)
