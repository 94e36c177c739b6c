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


"""Pruning of a single-pass model: bidirectional attention, budgets a camera, action rows."""

from dataclasses import replace

from eager_rows import eager_rows
import numpy as np
import pytest
from scripted_pruner import Scripted
import torch

from vla_accel_ros.models.families.oft.config import OFTConfig
from vla_accel_ros.models.families.oft.model import OpenVLAOFT
from vla_accel_ros.models.heads.slots import answer_chunk
from vla_accel_ros.models.layout import layout_of
from vla_accel_ros.motion import Motion
from vla_accel_ros.pruning.interface import Needs, Rows, Scene
from vla_accel_ros.pruning.registry import METHODS, create

FAST = Motion((0.05, 0.0, 0.02), (0.0, 0.0, 0.0), 0.1)
PROPRIO = torch.linspace(-1, 1, 4)[None]


@pytest.fixture(scope='module')
def oft(small_config):
    torch.manual_seed(2)
    config = replace(small_config, head=OFTConfig(chunk=2, proprio=4))
    return OpenVLAOFT(config).eval().requires_grad_(False)


def run(model, pruner, batch, scene=None):
    size = model.config.image_size
    images = (np.zeros((size, size, 3), np.uint8),) * model.config.cameras
    with torch.inference_mode():
        return answer_chunk(
            model,
            batch[0][:1],
            batch[1][:1],
            PROPRIO,
            scene or Scene(images),
            pruner,
            model.new_cache,
        )


def eager(model, batch, drops):
    """Recompute with plain attention; dropped tokens are hidden by a mask, not taken out."""
    pixels, ids = batch[0][:1], batch[1][:1]
    decoder = model.language_model.model
    x = model.embed_chunk(ids, model.encode_images(pixels), PROPRIO)
    length = x.shape[1]
    rope = decoder.rope(torch.arange(length)[None], x)
    alive = torch.ones(length, dtype=torch.bool)
    weights = []
    for index, layer in enumerate(decoder.layers):
        mask = alive.expand(length, length) | torch.eye(length, dtype=torch.bool)
        rows = eager_rows(layer, x, rope, mask)[0]
        weights.append(rows)
        attention = layer.self_attn
        normed = layer.input_layernorm(x)
        values = attention.values(normed)[0]
        values = values.repeat_interleave(attention.heads // attention.kv_heads, 0)
        x = x + attention.o_proj((rows @ values).transpose(0, 1).flatten(1))[None]
        x = x + layer.mlp(layer.post_attention_layernorm(x))
        alive[1 + torch.tensor(sorted(drops.get(index + 1, ())), dtype=torch.long)] = False
    return decoder.norm(x)[:, model.rows], weights


def test_dropping_equals_hiding_the_tokens_from_later_layers(oft, batch):
    layout = layout_of(oft.config)
    drops = {1: (0, 5, 20), 2: (0, 5, 20, 21, 22)}
    kinds = (Rows.ALL, Rows.TEXT, Rows.LAST, Rows.ACTION)
    pruner = Scripted(layout, Needs(layers={2: kinds}, drops=(1, 2)), drops)
    answer = run(oft, pruner, batch)
    with torch.inference_mode():
        hidden, weights = eager(oft, batch, drops)
    torch.testing.assert_close(answer.hidden, hidden, atol=1e-5, rtol=1e-5)
    assert answer.kept_ids.tolist() == [i for i in range(layout.total) if i not in drops[2]]
    text, slots, length = batch[1].shape[1] - 1, 14, weights[1].shape[-1]
    last = length - 2 - slots
    assert last == layout.total + 1 + text  # BOS, visual tokens, proprioception, prompt
    gone = torch.ones(layout.total, dtype=torch.bool)
    gone[list(drops[1])] = False
    expected = {
        Rows.LAST: [last],
        Rows.ACTION: range(last, last + slots),
        Rows.ALL: (
            0,
            *(1 + i for i in range(layout.total) if i not in drops[1]),
            *range(1 + layout.total, last + 1),
        ),
        Rows.TEXT: range(last + 1 - text, last + 1),
    }
    for kind, rows in expected.items():
        received = weights[1][:, list(rows), 1 : 1 + layout.total].mean((0, 1))
        torch.testing.assert_close(
            pruner.seen[2, kind].received.flatten(),
            torch.where(gone, received, 0.0),
            atol=1e-5,
            rtol=0,
        )


@pytest.mark.parametrize(
    ('name', 'options'),
    [
        ('none', {}),
        ('random', {'keep': 1.0}),
        ('fastv', {'keep': 1.0}),
        ('vla_pruner', {'keep': 1.0}),
        ('sp_vla', {'keep': 1.0, 'budget': 'fixed', 'edges': False}),
        ('specprune', {'keep': 1.0, 'budget': 'fixed', 'layer_level': False}),
    ],
)
def test_keeping_all_is_the_forward_pass(oft, batch, name, options):
    pruner = create(name, layout_of(oft.config), **options)
    with torch.inference_mode():
        plain = oft(batch[0][:1], batch[1][:1], PROPRIO)
    for _ in range(2):
        answer = run(oft, pruner, batch)
        # The last layer runs for fewer rows, which may be summed in another order.
        torch.testing.assert_close(answer.numbers, plain.numbers, atol=1e-6, rtol=1e-5)
        torch.testing.assert_close(answer.hidden, plain.hidden, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize('name', METHODS)
def test_every_method_prunes_a_single_pass_model(oft, batch, name):
    layout = layout_of(oft.config)
    assert layout.single_pass and layout.cameras == 2
    pruner = create(name, layout, round_up=False, **({'edges': False} if name == 'sp_vla' else {}))
    images = tuple(
        np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8) for _ in range(2)
    )
    for step in range(2):
        answer = run(oft, pruner, batch, Scene(images, FAST, step * 10**8))
    assert answer.numbers.shape == (1, 2, 7)
    assert (len(answer.kept_ids) < layout.total) is (name != 'none')


def test_vla_pruner_gives_each_camera_its_budget_at_once(oft, batch):
    layout = layout_of(oft.config)
    pruner = create('vla_pruner', layout, keep=0.25, camera_shares=[2.0, 1.0], round_up=False)
    left = run(oft, pruner, batch).kept_ids
    first = int((left < layout.tokens).sum())
    assert (first, len(left) - first) == (layout.tokens // 2, layout.tokens // 4)
