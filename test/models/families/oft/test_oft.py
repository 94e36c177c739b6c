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

"""OpenVLA-OFT's pass: what stands where in the sequence, who sees whom, what is read out."""

from dataclasses import replace

import pytest
import torch

from vla_accel_ros.models.checkpoints import own_config
from vla_accel_ros.models.families.oft.config import DISCRETE, OFTConfig
from vla_accel_ros.models.families.oft.model import OpenVLAOFT
from vla_accel_ros.models.families.openvla.model import OpenVLA
from vla_accel_ros.models.families.registry import build
from vla_accel_ros.models.heads.slot_networks import L1Head
from vla_accel_ros.models.presets import embedded, openvla_7b_oft
from vla_accel_ros.models.proprio import ProprioError

PROPRIO = torch.tensor([[0.1, -0.5, 0.9], [-1.0, 0.0, 1.0]])


@pytest.fixture(scope='module')
def oft_config(small_config):
    return replace(small_config, head=OFTConfig(chunk=3, proprio=3))


@pytest.fixture(scope='module')
def oft(oft_config):
    torch.manual_seed(0)
    return OpenVLAOFT(oft_config).eval().requires_grad_(False)


def test_the_sequence_is_bos_images_proprioception_prompt_slots_stop(oft, batch):
    pixels, ids = batch
    visual = oft.encode_images(pixels)
    x = oft.embed_chunk(ids, visual, PROPRIO)
    embed, visuals, text = oft.language_model.model.embed_tokens, visual.shape[1], ids.shape[1]
    assert visuals == 2 * 16
    parts = x.split([1, visuals, 1, text - 1, 21, 1], dim=1)
    assert torch.equal(parts[0], embed(ids[:, :1]))
    assert torch.equal(parts[1], visual)
    assert torch.equal(parts[2][:, 0], oft.proprio_projector(PROPRIO))
    assert torch.equal(parts[3], embed(ids[:, 1:]))
    assert not parts[4].any()
    assert torch.equal(parts[5], embed(torch.full((2, 1), 2)))


def test_the_rows_read_begin_at_the_last_prompt_token(oft, batch):
    length = oft.embed_chunk(batch[1], oft.encode_images(batch[0]), PROPRIO).shape[1]
    rows = range(*oft.rows.indices(length))
    assert rows[0] == 1 + 32 + 1 + batch[1].shape[1] - 2
    assert len(rows) == 21
    assert rows[-1] == length - 3


def test_every_token_sees_every_other(oft, batch):
    pixels, ids = batch
    plain = oft(pixels, ids, PROPRIO)
    assert plain.numbers.shape == (2, 3, 7)
    # The last prompt token comes after all of these but the stop token, which is last of all.
    for change in ('image', 'prompt', 'proprio', 'stop'):
        other_pixels, other_ids, other_proprio = pixels.clone(), ids.clone(), PROPRIO.clone()
        model = oft
        if change == 'image':
            other_pixels[:, -1, -1, -1] += 1
        elif change == 'prompt':
            other_ids[:, 1] += 1
        elif change == 'proprio':
            other_proprio[:, 0] += 0.5
        else:
            model = OpenVLAOFT(replace(oft.config, head=replace(oft.oft, stop=5))).eval()
            model.load_state_dict(oft.state_dict())
        changed = model(other_pixels, other_ids, other_proprio)
        assert (changed.hidden - plain.hidden).abs().amax(-1).min() > 0, change


def test_samples_of_a_batch_do_not_mix(oft, batch):
    together = oft(*batch, PROPRIO).numbers
    for i in range(2):
        alone = oft(batch[0][i : i + 1], batch[1][i : i + 1], PROPRIO[i : i + 1]).numbers
        torch.testing.assert_close(alone[0], together[i], atol=1e-5, rtol=1e-5)


def test_an_action_depends_on_its_own_rows_alone():
    head = L1Head(4, 7, 16, 2)
    rows = torch.randn(1, 21, 4)
    changed = rows.clone()
    changed[:, 7:14] += 1
    difference = (head(rows) - head(changed)).abs().amax(-1)[0]
    assert difference[0] == difference[2] == 0
    assert difference[1] > 0


def test_a_discrete_head_gives_logits_of_every_slot(oft_config, batch):
    model = OpenVLAOFT(replace(oft_config, head=OFTConfig(chunk=3, proprio=0, head=DISCRETE)))
    assert model(*batch).numbers.shape == (2, 21, oft_config.decoder.vocab)
    assert not [n for n in model.state_dict() if n.startswith(('action_head', 'proprio'))]


def test_film_modulates_by_the_mean_of_prompt_and_stop(oft_config, batch):
    torch.manual_seed(0)
    model = OpenVLAOFT(replace(oft_config, film=True)).eval().requires_grad_(False)
    embed = model.language_model.model.embed_tokens
    ids = batch[1]
    expected = (embed(ids).sum(1) + embed(torch.tensor([2]))) / (ids.shape[1] + 1)
    torch.testing.assert_close(model.language(ids), expected)
    before = model(*batch, PROPRIO).numbers
    for block in model.vision_backbone.tower(0).blocks:
        block.scale.weight.normal_(std=0.5)
    assert (model(*batch, PROPRIO).numbers - before).abs().max() > 1e-5


@pytest.mark.parametrize(('proprio', 'got'), [(None, 0), (torch.zeros(2, 4), 4)])
def test_proprioception_that_does_not_fit_is_an_error(oft, batch, proprio, got):
    with pytest.raises(ProprioError, match=f'got {got} numbers .* the checkpoint wants 3'):
        oft(*batch, proprio)


def test_the_gradient_reaches_every_parameter(oft_config, batch):
    torch.manual_seed(0)
    model = OpenVLAOFT(replace(oft_config, film=True))
    model(*batch, PROPRIO).numbers.abs().sum().backward()
    without = {n for n, p in model.named_parameters() if p.grad is None}
    assert without == {'language_model.lm_head.weight'}


def test_build_gives_the_model_that_the_configuration_asks_for(oft_config, small_config):
    assert type(build(small_config)) is OpenVLA
    assert type(build(oft_config)) is OpenVLAOFT


@pytest.mark.parametrize('film', [False, True])
def test_one_class_of_configuration_spans_the_full_size_and_the_embedded_oft(film):
    full = openvla_7b_oft(film=film)
    assert (full.cameras, full.channels, full.visual_tokens) == (2, 12, 512)
    assert (full.slots, full.proprio, full.centre_crop) == (56, 8, 0.9)
    with torch.device('meta'):
        model = build(full)
    assert tuple(model.action_head.model.fc1.weight.shape) == (4096, 28672)
    assert tuple(model.proprio_projector.fc1.weight.shape) == (4096, 8)
    small = embedded(50, film=film, head=OFTConfig(chunk=4, proprio=8))
    assert (small.cameras, small.slots) == (2, 28)
    for config in (full, small):
        assert own_config.read(own_config.write(config)) == config


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'chunk': 0}, 'chunk is 0, expected a whole number from 1'),
        ({'head': 'diffusion'}, "head is 'diffusion', expected one of 'l1', 'discrete'"),
        ({'proprio': -1}, 'proprio is -1, expected a whole number from 0'),
    ],
)
def test_numbers_out_of_range_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        OFTConfig(**change)


def test_a_stop_token_beyond_the_vocabulary_is_refused(small_config):
    with pytest.raises(ValueError, match='stop token 320 is beyond the vocabulary of 320'):
        replace(small_config, head=OFTConfig(stop=320))
