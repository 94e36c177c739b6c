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


"""Pruning in the model core: what is scored, what is dropped, and that nothing else changes."""

from itertools import product

from eager_rows import eager_rows
from greedily import decode_greedily
import numpy as np
import pytest
from scripted_pruner import Scripted
import torch

from vla_accel_ros.decoding.greedy import Greedy
from vla_accel_ros.engines.eager import EAGER
from vla_accel_ros.engines.interface import call
from vla_accel_ros.engines.programs.vision import PatchAttention
from vla_accel_ros.models.checkpoints.folder import load
from vla_accel_ros.models.heads.tokens import answer
from vla_accel_ros.models.inference import Inference
from vla_accel_ros.models.layout import layout_of
from vla_accel_ros.models.pruned import encode, prefill
from vla_accel_ros.models.rows import prompt_rows
from vla_accel_ros.models.tokenizer import end_prompt
from vla_accel_ros.motion import Motion
from vla_accel_ros.pruning.interface import Needs, Rows, Scene
from vla_accel_ros.pruning.registry import METHODS, create

FAST = Motion((0.05, 0.0, 0.02), (0.0, 0.0, 0.0), 0.1)

# At a ratio of 1, each method that may drop keeps all.
KEEP_ALL = {
    'none': {},
    'random': {'keep': 1.0},
    'fastv': {'keep': 1.0},
    'dart': {'keep': 1.0},
    'info_entropy': {'keep': 1.0},
    'vla_pruner': {'keep': 1.0},
    'sp_vla': {'keep': 1.0, 'budget': 'fixed', 'edges': False},
    'specprune': {'keep': 1.0, 'budget': 'fixed', 'layer_level': False},
}


@pytest.fixture(scope='module')
def tiny(reference):
    return load(reference, 'cpu', torch.float32)


@pytest.fixture(scope='module')
def stored(reference):
    with np.load(reference / 'outputs.npz') as arrays:
        return dict(arrays)


@pytest.fixture(scope='module')
def prompts(reference, tiny):
    with np.load(reference / 'inputs.npz') as arrays:
        return [
            torch.tensor([end_prompt(arrays[f'input_ids{k}'][0].tolist(), tiny.config.prompt_end)])
            for k in (0, 1)
        ]


class Watched(Greedy):
    """Greedy decoding that keeps the prompt's logits."""

    def decode(self, logits, *others):
        """Decode; see `TokenDecoder.decode`."""
        self.logits = logits
        return super().decode(logits, *others)


def run(model, pruner, pixels, ids, scene=None):
    """Answer greedily; give the answer, and the logits of the first token."""
    size, count = model.config.image_size, model.config.action_dims
    blank = (np.zeros((size, size, 3), np.uint8),) * pruner.layout.cameras
    decoder = Watched()
    with torch.inference_mode():
        done = answer(
            model,
            pixels,
            ids,
            scene or Scene(blank),
            pruner,
            decoder,
            None,
            0,
            lambda length: model.new_cache(length + count),
        )
    return done, decoder.logits


def eager(model, pixels, ids, drops, decode=()):
    """Recompute prefill and decoding without fused attention, without cache, with masks.

    Instead of being taken out, a dropped token is hidden from later layers by the mask.
    Gives the logits of the first token, all tokens and each layer's weights in the last pass.
    """
    decoder = model.language_model.model
    visual = model.encode_images(pixels, model.language(ids))
    total = visual.shape[1]
    tokens, first = [], None
    for _ in range(model.config.action_dims):
        text = torch.cat([ids, torch.tensor([tokens], dtype=ids.dtype)], 1)
        x = model.embed_prompt(text, visual)
        length = x.shape[1]
        rope = decoder.rope(torch.arange(length)[None], x)
        alive = torch.ones(length, dtype=torch.bool)
        alive[1 + torch.tensor(sorted(drops.get(0, ())), dtype=torch.long)] = False
        weights = []
        for index, layer in enumerate(decoder.layers):
            mask = torch.ones(length, length, dtype=torch.bool).tril() & alive
            # A dropped row's own result is read by nobody; it must only stay finite.
            mask |= torch.eye(length, dtype=torch.bool)
            rows = eager_rows(layer, x, rope, mask)[0]
            weights.append(rows)
            attention = layer.self_attn
            normed = layer.input_layernorm(x)
            values = attention.values(normed)[0]
            values = values.repeat_interleave(attention.heads // attention.kv_heads, 0)
            x = x + attention.o_proj((rows @ values).transpose(0, 1).flatten(1))[None]
            x = x + layer.mlp(layer.post_attention_layernorm(x))
            gone = torch.tensor(sorted(drops.get(index + 1, ())), dtype=torch.long)
            alive[1 + gone] = False
        logits = model.language_model.lm_head(decoder.norm(x)[:, -1])
        first = logits if first is None else first
        tokens.append(int(logits.argmax(-1)))
    return first, tokens, weights, total


@pytest.mark.parametrize('k', [0, 1])
def test_text_rows_equal_the_originals_eager_attention(tiny, stored, prompts, k):
    layout = layout_of(tiny.config)
    layers = range(1, layout.layers + 1)
    wanted = dict.fromkeys(layers, (Rows.TEXT, Rows.LAST))
    pruner = Scripted(layout, Needs(layers=wanted, focus=tuple(layers)), {})
    run(tiny, pruner, torch.from_numpy(stored[f'pixel_values{k}']), prompts[k])
    for layer in layers:
        rows = torch.from_numpy(stored[f'attn_text_rows{k}'][layer - 1])
        visual = rows[..., 1 : 1 + layout.total]
        text = prompts[k].shape[1] - 1
        for kind, original in ((Rows.TEXT, visual[:, -text:]), (Rows.LAST, visual[:, -1:])):
            torch.testing.assert_close(
                pruner.seen[layer, kind].received[0], original.mean((0, 1)), atol=1e-5, rtol=0
            )
        assert pruner.seen[layer, Rows.LAST].focus is None
        share = visual[:, -text:].mean(0).double()
        share = share / share.sum(0)
        focus = 1 + torch.xlogy(share, share).sum(0) / np.log(text)
        torch.testing.assert_close(
            pruner.seen[layer, Rows.TEXT].focus[0].double(), focus, atol=1e-4, rtol=0
        )


def test_rows_equal_eager_attention_in_a_model_with_grouped_heads(small, batch):
    pixels, ids = batch[0][:1], batch[1][:1]
    layout = layout_of(small.config)
    pruner = Scripted(layout, Needs(layers=dict.fromkeys((1, 2, 3), (Rows.ALL,))), {})
    run(small, pruner, pixels, ids)
    with torch.inference_mode():
        x = small.embed_prompt(ids, small.encode_images(pixels))
        decoder = small.language_model.model
        entering = []
        positions = torch.arange(x.shape[1])[None]
        decoder.run(x, positions, collect=entering)
        for layer, inputs in enumerate(entering):
            whole = eager_rows(decoder.layers[layer], inputs, decoder.rope(positions, x))[0]
            got = pruner.seen[layer + 1, Rows.ALL].received.flatten()
            torch.testing.assert_close(
                got, whole.mean((0, 1))[1 : 1 + layout.total], atol=1e-5, rtol=0
            )


@pytest.mark.parametrize(
    'drops',
    [
        {'towers': (0, 3, 17)},
        {'projector': (1, 2, 31)},
        {1: (0, 5, 9)},
        {'towers': (0, 3), 1: (4, 20), 2: (5, 6, 7, 21)},
    ],
)
def test_dropping_equals_hiding_the_tokens_from_later_layers(small, batch, drops):
    pixels, ids = batch[0][:1], batch[1][:1]
    layout = layout_of(small.config)
    gone, scripted, hidden = set(), {}, {}
    for point in ('towers', 'projector', 1, 2, 3):
        if point in drops:
            gone |= set(drops[point])
            scripted[point] = tuple(gone)
            hidden[point if isinstance(point, int) else 0] = tuple(gone)
    needs = Needs(
        layers={3: (Rows.TEXT,)}, decode=(1, 2, 3), drops=(0, 1, 2), distances='projector' in drops
    )
    pruner = Scripted(layout, needs, scripted)
    done, logits = run(small, pruner, pixels, ids)
    with torch.inference_mode():
        expected, sequence, weights, total = eager(small, pixels, ids, hidden)
    torch.testing.assert_close(logits, expected, atol=1e-5, rtol=1e-5)
    assert done.decoded.tokens.tolist() == sequence
    assert sorted({*range(layout.total)} - gone) == done.kept_ids.tolist()
    # Last prompt row and six decoded ones, over everything that each layer still held.
    for layer in (1, 2, 3):
        rows = weights[layer - 1][:, -7:, 1 : 1 + total].mean((0, 1))
        score = pruner.decoded[layer]
        torch.testing.assert_close(
            score.received.flatten(),
            torch.where(score.present.flatten(), rows, 0.0),
            atol=1e-5,
            rtol=0,
        )


def test_tower_attention_is_that_of_the_last_block_of_each_images_last_tower(small, batch):
    with torch.inference_mode():
        seen = call(EAGER, small.vision(attention=True), {'pixels': batch[0][:1]})
        features = seen.pop('features')
        assert torch.equal(features, torch.cat(small.tower_features(batch[0][:1]), 1))
        got = call(EAGER, PatchAttention(small.prefixes), seen)['received']
        for image in range(2):
            # Three channels an image and tower: the second tower sees the later three.
            x = batch[0][:1, 6 * image + 3 : 6 * image + 6]
            tower = small.vision_backbone.tower(1)
            x = tower.embed(x)
            for block in tower.blocks[:-1]:
                x = block(x)
            attention = tower.blocks[-1].attn
            q, k, _ = attention.separate(attention.qkv(tower.blocks[-1].norm1(x)))
            weights = (q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5).softmax(-1)
            torch.testing.assert_close(got[image], weights[0].mean((0, 1)))
            assert float(got[image].sum()) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize('point', ['towers', 'projector', 1])
def test_a_pruner_may_drop_only_where_it_said(small, batch, point):
    layout = layout_of(small.config)
    pruner = Scripted(layout, Needs(layers={1: (Rows.TEXT,)}, drops=(2,)), {point: (0,)})
    place = f'layer {point}' if point == 1 else f'the {point}'
    with pytest.raises(ValueError, match=rf"'scripted' drops tokens after {place}, .* \[2\]"):
        run(small, pruner, batch[0][:1], batch[1][:1])


@pytest.mark.parametrize('name', METHODS)
def test_keeping_all_is_bit_for_bit_what_no_pruning_gives(small, batch, name):
    pixels, ids = batch[0][:1], batch[1][:1]
    layout = layout_of(small.config)
    pruner = create(name, layout, **KEEP_ALL[name])
    with torch.inference_mode():
        x = small.embed_prompt(ids, small.encode_images(pixels))
        cache = small.new_cache(x.shape[1] + 7)
        plain = small.prefill(x, cache)
        plain_tokens, plain_peaks = decode_greedily(small, plain, x.shape[1], 7, cache)
    images = tuple(
        np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8) for _ in range(2)
    )
    for step in range(5):
        done, logits = run(small, pruner, pixels, ids, Scene(images, FAST, step))
        assert torch.equal(done.decoded.tokens, plain_tokens[0])
        if layout.layers in done.work.needs.layers:
            # More rows of the last layer are summed in another order.
            torch.testing.assert_close(logits, plain, atol=1e-6, rtol=1e-5)
        else:
            assert torch.equal(logits, plain)
            assert torch.equal(done.decoded.peaks, plain_peaks[0])


def test_with_the_remedy_dropped_tokens_have_an_action_score(tiny, stored, prompts):
    layout = layout_of(tiny.config)
    for remedy in ('shallow', 'none'):
        pruner = create('vla_pruner', layout, window=1, remedy=remedy)
        for k in (0, 1, 0):
            done, _ = run(tiny, pruner, torch.from_numpy(stored[f'pixel_values{k}']), prompts[k])
        assert len(done.kept_ids) == 64
        score = pruner._memory.estimate(1, 0.8)
        assert int((score > 0).sum()) == (256 if remedy == 'shallow' else 64)


def test_positions_stay_absolute_whatever_is_dropped(small, batch):
    layout, ids = layout_of(small.config), batch[1][:1]
    for place, first in product(('towers', 1), (0, 31)):
        needs = Needs(layers={1: (Rows.TEXT,)}, drops=(0, 1))
        scene = Scene((np.zeros((32, 32, 3), np.uint8),) * layout.cameras)
        pruner = Scripted(layout, needs, {place: (first, 12)})
        with torch.inference_mode():
            inference = Inference(small, pruner, scene)
            visual, present, _ = encode(inference, batch[0][:1], ids)
            x = small.embed_prompt(ids, visual)
            cache = small.new_cache(x.shape[1])
            prompt = prefill(inference, x, present, cache, prompt_rows(ids.shape[1] - 1))
        expected = [p for p in range(layout.total + ids.shape[1]) if p not in (1 + first, 13)]
        assert prompt.positions[-1].tolist() == expected
        assert len(prompt.positions[0]) == len(expected) + (2 if place == 1 else 0)
        assert cache.held == tuple(len(positions) for positions in prompt.positions)
