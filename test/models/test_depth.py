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


"""Decoder layers left out: as if they added nothing, in every program, and cheaper."""

from dataclasses import replace
import json

import numpy as np
import pytest
from safetensors.torch import load_file
import torch

from vla_accel_ros.decoding.registry import create as create_decoder
from vla_accel_ros.engines.eager import EAGER
from vla_accel_ros.engines.programs.decoder import general
from vla_accel_ros.models.checkpoints.folder import CheckpointError, load, save
from vla_accel_ros.models.depth import LayerChanges, derive, least, read_layers, without
from vla_accel_ros.models.families.oft.config import OFTConfig
from vla_accel_ros.models.heads.slots import answer_chunk
from vla_accel_ros.models.heads.tokens import answer
from vla_accel_ros.models.layout import layout_of
from vla_accel_ros.motion import Motion
from vla_accel_ros.pruning.interface import Scene
from vla_accel_ros.pruning.registry import create

FAST = Motion((0.05, 0.0, 0.02), (0.0, 0.0, 0.0), 0.1)
# What is left out of five layers: attention, MLPs. The first and the last among them.
DROPS = {
    'block': ((2,), (2,)),
    'first': ((0,), (0,)),
    'last': ((4,), (4,)),
    'attention': ((1, 4), ()),
    'mlp': ((), (0, 3)),
    'apart': ((0, 3), (1, 3)),
    'two left': ((0, 2, 3), (0, 1, 2, 3)),
}


class Bare:
    """Runs the form of a program that engines export, without room for what is new."""

    name, precision, exact = 'bare', 'float32', True

    def ready(self, program, bucket):
        """Give what runs it, and copies what is new to where it belongs; see `Engine.ready`."""
        program = general(program)

        def run(given, room):
            done = program.run(given, {})
            assert set(done) == set(program.outputs)
            assert ('new' in room) <= ('new' in done)
            if 'new' in room:
                room['new'].copy_(done['new'])
            elif 'store' in room:
                count = done['new'].shape[4]
                for slot, held in enumerate(given['lengths'].tolist()):
                    room['store'][slot, ..., held : held + count, :] = done['new'][slot]
            return done

        return run


def pair(build, config, drops):
    """Give a model without some parts, and the whole one in which these add nothing."""
    config = replace(config, decoder=replace(config.decoder, layers=5))
    attention, mlp = drops
    short = replace(
        config, decoder=replace(config.decoder, drop_attention=attention, drop_mlp=mlp)
    )
    whole, left = build(config), build(short)
    state = whole.state_dict()
    left.load_state_dict({name: state[name] for name in left.state_dict()})
    with torch.no_grad():
        for layer in attention:
            whole.language_model.model.layers[layer].self_attn.o_proj.weight.zero_()
        for layer in mlp:
            whole.language_model.model.layers[layer].mlp.down_proj.weight.zero_()
    assert len(left.state_dict()) < len(state)
    return whole, left


@torch.inference_mode()
def asked(model, method='none', engine=EAGER, decoder='greedy', **options):
    """Answer three frames; give the last answer and its tokens or numbers."""
    config = model.config
    pruner, draft = create(method, layout_of(config), round_up=False, **options), None
    generator, random = torch.Generator().manual_seed(0), np.random.default_rng(0)
    ids = torch.tensor([[1, *range(5, 12)]])
    for step in range(3):
        pixels = torch.randn(1, config.channels, 32, 32, generator=generator)
        images = tuple(random.integers(0, 256, (32, 32, 3), np.uint8) for _ in range(2))
        scene = Scene(images, FAST, step * 10**8)
        if config.head.single_pass:
            done = answer_chunk(
                model, pixels, ids, None, scene, pruner, model.new_cache, engine=engine
            )
            numbers = done.numbers
        else:
            done = answer(
                model,
                pixels,
                ids,
                scene,
                pruner,
                create_decoder(decoder),
                draft,
                300,
                lambda length: model.new_cache(length + 7),
                engine=engine,
            )
            numbers = done.decoded.tokens
            draft = [*numbers.tolist()]
            draft[step] -= 1
    return done, numbers


def pruned(model, method, **options):
    """Say whether tokens were dropped, and give the answer and what stayed."""
    done, numbers = asked(model, method, **options)
    assert len(done.kept_ids) < model.config.visual_tokens
    return numbers, done.kept_ids


@pytest.mark.parametrize('drops', DROPS.values(), ids=DROPS)
@pytest.mark.parametrize('engine', [EAGER, Bare()], ids=['eager', 'as exported'])
def test_what_is_left_out_adds_nothing(build, small_config, drops, engine):
    whole, left = pair(build, small_config, drops)
    for decoder in ('greedy', 'verify'):
        expected = asked(whole, decoder=decoder)[1]
        assert torch.equal(asked(left, decoder=decoder, engine=engine)[1], expected)
    cache = left.new_cache(9)
    assert len(cache.held) == cache.store.shape[0] == 5 - len(drops[0])


@pytest.mark.parametrize('drops', DROPS.values(), ids=DROPS)
def test_of_a_chunk_neither(build, small_config, drops):
    config = replace(small_config, head=OFTConfig(chunk=2, proprio=0))
    whole, left = pair(build, config, drops)
    expected = asked(whole, 'random', keep=0.5, place='after_layer', layer=4)[1]
    for engine in (EAGER, Bare()):
        got = asked(left, 'random', engine, keep=0.5, place='after_layer', layer=4)[1]
        torch.testing.assert_close(got, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize('drops', ['block', 'last', 'attention', 'mlp', 'apart'])
@pytest.mark.parametrize(
    ('method', 'options'),
    [
        ('random', {'place': 'after_layer', 'layer': 3}),
        ('dart', {}),
        ('fastv', {'layer': 3}),
        ('info_entropy', {'layer': 3}),
        ('vla_pruner', {'layer': 3, 'window': 1, 'action_layers': 'single', 'action_layer': 3}),
    ],
)
def test_pruning_chooses_as_in_the_whole_model(build, small_config, drops, method, options):
    if DROPS[drops] == DROPS['block'] and method not in ('random', 'dart'):
        # The third layer gives no scores: see below.
        return
    whole, left = pair(build, small_config, DROPS[drops])
    expected, kept = pruned(whole, method, keep=0.5, **options)
    got, ours = pruned(left, method, keep=0.5, **options)
    assert torch.equal(got, expected) and torch.equal(ours, kept)


@pytest.mark.parametrize('method', ['fastv', 'vla_pruner', 'specprune', 'info_entropy'])
def test_by_default_a_method_looks_where_there_is_attention(build, small_config, method):
    for drops in (((0, 1), ()), ((0, 2, 4), (0, 2, 4))):
        _, left = pair(build, small_config, drops)
        options = {'window': 1} if method == 'vla_pruner' else {}
        pruner_needs = create(method, layout_of(left.config), **options)
        asked(left, method, **options)
        assert pruner_needs.layout.without_attention == tuple(k + 1 for k in drops[0])


def test_scores_of_a_layer_without_attention_are_refused_by_name(build, small_config):
    _, left = pair(build, small_config, ((2,), (2,)))
    with pytest.raises(
        ValueError, match=r'layer is 3, a decoder layer whose attention .* one of \[1, 2, 4\]'
    ):
        create('fastv', layout_of(left.config), layer=3)


def test_a_checkpoint_without_the_parts_loads_and_so_does_one_that_has_them(
    build, small_config, tmp_path
):
    whole, left = pair(build, small_config, DROPS['apart'])
    save(left, tmp_path / 'short')
    again = load(tmp_path / 'short')
    assert again.config == left.config
    # The folder of the whole model, of which only the configuration says what is left out.
    save(whole, tmp_path / 'whole')
    short = json.loads((tmp_path / 'short' / 'config.json').read_text())
    (tmp_path / 'whole' / 'config.json').write_text(json.dumps(short))
    unused = load(tmp_path / 'whole')
    for name, tensor in left.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor)
        assert torch.equal(unused.state_dict()[name], tensor)


def test_a_part_that_is_wanted_and_missing_is_named(build, small_config, tmp_path):
    _, left = pair(build, small_config, DROPS['block'])
    save(left, tmp_path)
    config = json.loads((tmp_path / 'config.json').read_text())
    del config['vla_accel']['decoder']['drop_mlp']
    (tmp_path / 'config.json').write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match=r'4 tensors are missing: .*layers\.2\.mlp'):
        load(tmp_path)


def test_importance_is_how_far_a_layer_turns_its_input(build, small_config):
    whole, left = pair(build, small_config, ((1,), (1,)))
    for model, layers in ((whole, range(5)), (left, (0, 2, 3, 4))):
        watch = LayerChanges()
        asked(model, engine=watch)
        assert watch.sequences == 3 and list(watch.importance) == list(layers)
    whole_watch = LayerChanges()
    asked(whole, 'random', engine=whole_watch, keep=1.0, place='after_layer', layer=2)
    assert whole_watch.importance[1] == pytest.approx(0, abs=1e-9)
    assert least(whole_watch.importance, 1) == (1,)
    plain, decoder = [], whole.language_model.model
    generator = torch.Generator().manual_seed(0)
    with torch.inference_mode():
        for _ in range(3):
            pixels = torch.randn(1, whole.config.channels, 32, 32, generator=generator)
            ids = torch.tensor([[1, *range(5, 12)]])
            x = whole.embed_prompt(ids, whole.encode_images(pixels))
            inputs = []
            decoder.run(x, torch.arange(x.shape[1])[None], collect=inputs)
            plain.append(1 - torch.cosine_similarity(inputs[3], inputs[4], dim=-1).mean())
    assert whole_watch.importance[3] == pytest.approx(float(sum(plain)) / 3, abs=1e-6)


def test_the_least_important_are_chosen():
    assert least({0: 0.5, 1: 0.1, 3: 0.3, 4: 0.2}, 2) == (1, 4)
    with pytest.raises(ValueError, match='4 layers are to be left out, expected 1 to 3 of the 4'):
        least({0: 0.5, 1: 0.1, 3: 0.3, 4: 0.2}, 4)


def test_a_derived_checkpoint_answers_as_the_whole_one_without_the_layers(
    embedded_folder, tmp_path
):
    config = derive(embedded_folder, tmp_path / 'out', (1,))
    assert (config.decoder.drop_attention, config.decoder.drop_mlp) == ((1,), (1,))
    model, whole = load(tmp_path / 'out'), load(embedded_folder)
    assert model.config == config == without(whole.config, (1,))
    stored = load_file(tmp_path / 'out' / 'model.safetensors')
    assert not any('.layers.1.' in name for name in stored)
    assert all(torch.equal(whole.state_dict()[name], part) for name, part in stored.items())
    assert (tmp_path / 'out' / 'tokenizer.json').exists()
    with pytest.raises(ValueError, match='drop_attention leaves none of the 2 layers'):
        derive(tmp_path / 'out', tmp_path / 'none', (0,))


def test_layers_are_read_and_what_is_none_is_refused():
    assert read_layers('2, 1') == (1, 2)
    with pytest.raises(ValueError, match="--layers has 'x', expected numbers of layers"):
        read_layers('1,x')
