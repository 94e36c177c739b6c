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

"""The whole model: training's forward pass, inference's prefill, and decoding agree."""

from dataclasses import replace

from greedily import decode_greedily
import pytest
import torch
import torch.nn.functional as F

from vla_accel_ros.models.families.openvla.model import OpenVLA
from vla_accel_ros.models.presets import embedded


def prompt_embeddings(model, pixels, ids):
    return model.embed_prompt(ids, model.encode_images(pixels, model.language(ids)))


@pytest.mark.parametrize('film', [False, True])
def test_training_forward_equals_inference_prefill(build, small_config, batch, film):
    model = build(replace(small_config, film=film))
    if film:
        for name, parameter in model.named_parameters():
            if '.scale.' in name or '.shift.' in name:
                torch.nn.init.normal_(parameter, std=0.1)
    pixels, ids = batch
    x = prompt_embeddings(model, pixels, ids)
    prefill = model.prefill(x, model.new_cache(x.shape[1], batch=2))
    assert torch.allclose(model(pixels, ids).logits[:, -1], prefill, atol=1e-5)


def test_decoding_with_cache_equals_teacher_forcing(small, batch):
    pixels, ids = batch
    x = prompt_embeddings(small, pixels, ids)
    length = x.shape[1]
    cache = small.new_cache(length + 7, batch=2)
    tokens, peaks = decode_greedily(small, small.prefill(x, cache), length, 7, cache)
    logits = small(pixels, torch.cat([ids, tokens], 1)).logits[:, length - 1 : -1]
    assert torch.equal(logits.argmax(-1), tokens)
    assert torch.allclose(logits.max(-1).values, peaks, atol=1e-5)


def test_an_end_token_does_not_shorten_the_action(build, small_config, batch):
    model = build(small_config)
    with torch.no_grad():
        model.language_model.model.norm.weight.zero_()
        model.language_model.lm_head.weight.zero_()
    pixels, ids = batch
    x = prompt_embeddings(model, pixels, ids)
    cache = model.new_cache(x.shape[1] + 7, batch=2)
    logits = model.prefill(x, cache)
    logits[:, 2] = 1.0
    tokens, _ = decode_greedily(model, logits, x.shape[1], 7, cache)
    assert tokens.shape == (2, 7)
    assert (tokens[:, 0] == 2).all()


def test_visual_tokens_stand_behind_bos(small, batch):
    pixels, ids = batch
    visual = small.encode_images(pixels)
    x = small.embed_prompt(ids, visual)
    count = small.config.visual_tokens
    text = small.language_model.model.embed_tokens(ids)
    assert torch.equal(x[:, 0], text[:, 0])
    assert torch.equal(x[:, 1 : 1 + count], visual)
    assert torch.equal(x[:, 1 + count :], text[:, 1:])


@pytest.mark.parametrize('film', [False, True])
def test_padding_changes_nothing_wherever_it_stands(build, small_config, batch, film):
    model = build(replace(small_config, film=film))
    for name, parameter in model.named_parameters():
        if '.scale.' in name:
            torch.nn.init.normal_(parameter, std=0.1)
    pixels, ids = batch
    plain = model(pixels, ids).logits
    for place in (3, 9):  # amid the prompt, and behind it
        pad = torch.full((2, 4), 7)
        padded = torch.cat([ids[:, :place], pad, ids[:, place:]], 1)
        mask = torch.ones_like(padded)
        mask[:, place : place + 4] = 0
        count = model.config.visual_tokens
        logits = model(pixels, padded, mask).logits
        kept = torch.cat([logits[:, : count + place], logits[:, count + place + 4 :]], 1)
        assert torch.allclose(kept, plain, atol=1e-5)


def test_padding_on_the_right_needs_no_mask(small, batch):
    pixels, ids = batch
    padded = F.pad(ids, (0, 5), value=3)
    plain = small(pixels, ids).logits
    assert torch.allclose(small(pixels, padded).logits[:, : plain.shape[1]], plain, atol=1e-5)


def test_wanted_logit_rows_are_those_of_the_whole(small, batch):
    pixels, ids = batch
    whole = small(pixels, ids).logits
    assert torch.allclose(
        small(pixels, ids, logit_rows=slice(-3, None)).logits, whole[:, -3:], atol=1e-6
    )
    rows = torch.tensor([[4, 9], [0, 20]])
    picked = small(pixels, ids, logit_rows=rows).logits
    expected = torch.stack([whole[0, rows[0]], whole[1, rows[1]]])
    assert torch.allclose(picked, expected, atol=1e-6)


def test_auxiliary_heads_get_features_and_visual_states(small, batch):
    pixels, ids = batch
    output = small(pixels, ids)
    config = small.config
    assert [f.shape for f in output.features] == [(2, 16, config.feature_width)] * 2
    assert output.visual.shape == output.visual_hidden.shape == (2, 32, 32)
    assert torch.equal(output.visual_hidden, output.hidden[:, 1:33])


def test_a_sample_does_not_depend_on_its_batch(small, batch):
    pixels, ids = batch
    together = small(pixels, ids).logits
    for i in range(2):
        alone = small(pixels[i : i + 1], ids[i : i + 1]).logits
        assert torch.allclose(alone[0], together[i], atol=1e-5)


def test_action_tokens_do_not_colour_the_film_vector(build, small_config, batch):
    model = build(replace(small_config, film=True))
    _, ids = batch
    actions = torch.randint(44, 300, (2, 7))
    both = torch.cat([ids, actions], 1)
    assert torch.allclose(model.language(both), model.language(ids))


@pytest.mark.parametrize('autocast', [False, True])
def test_every_parameter_of_the_embedded_model_learns(autocast):
    torch.manual_seed(0)
    model = OpenVLA(
        embedded(44, image_size=32, tower_width=32, width=48, layers=2, heads=4, film=True)
    )
    with torch.autocast('cpu', torch.bfloat16, enabled=autocast):
        output = model(torch.randn(2, 6, 32, 32), torch.randint(0, 300, (2, 12)))
        loss = F.cross_entropy(
            output.logits[:, -8:-1].flatten(0, 1).float(), torch.randint(44, 300, (14,))
        )
    loss.backward()
    still = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert not still
    assert torch.isfinite(loss)


@pytest.mark.parametrize('shape', [(1, 6, 32, 32), (1, 12, 16, 16), (1, 12, 32, 33)])
def test_pixel_values_of_another_shape_are_refused(small, shape):
    with pytest.raises(ValueError, match=r'expected \[B, 12, 32, 32\] for 2 images'):
        small.encode_images(torch.zeros(shape))
