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

"""Counted operations against torch's counter, weights and cache entries against the modules."""

from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from vla_accel_ros.decoding.registry import create as create_decoder
from vla_accel_ros.models.cost.operations import Cost
from vla_accel_ros.models.cost.stages import CostModel, floor_s
from vla_accel_ros.models.cost.workload import Workload, dropped_after, one_by_one
from vla_accel_ros.models.families.oft.config import DISCRETE, L1, OFTConfig
from vla_accel_ros.models.families.registry import build
from vla_accel_ros.models.heads.slots import answer_chunk
from vla_accel_ros.models.heads.tokens import answer
from vla_accel_ros.models.layout import layout_of
from vla_accel_ros.models.presets import embedded, openvla_7b, openvla_7b_oft
from vla_accel_ros.motion import Motion
from vla_accel_ros.pruning.interface import Needs, Scene
from vla_accel_ros.pruning.registry import create as create_pruner

TOLERANCE = 0.02
TEXT = 24
GREEDY = Workload(TEXT, passes=one_by_one(7))


class Counted:
    """Count by stage what torch runs, a stage within another one for itself alone."""

    def __init__(self, counter):
        self._counter, self._within = counter, 0
        self.flops = {}

    @contextmanager
    def __call__(self, stage):
        before, self._within = self._within, 0
        start = self._counter.get_total_flops()
        yield
        took = self._counter.get_total_flops() - start
        self.flops[stage] = self.flops.get(stage, 0) + took - self._within
        self._within = before + took


def counted(model, pruner, decoder='greedy', draft=None, motion=None, steps=1):
    """Run inferences as the policy does; give the last one's operations, and tokens left."""
    config = model.config
    torch.manual_seed(0)
    pixels = torch.randn(1, config.channels, config.image_size, config.image_size)
    ids = torch.arange(3, 3 + TEXT)[None] % (config.tokenizer_vocab - config.bins)
    images = tuple(
        np.random.default_rng(0).integers(
            0, 256, (config.cameras, config.image_size, config.image_size, 3), np.uint8
        )
    )
    # Fused attention on the CPU is one that the counter does not know.
    with torch.inference_mode(), sdpa_kernel(SDPBackend.MATH):
        for step in range(steps):
            with FlopCounterMode(display=False) as counter:
                watch = Counted(counter)
                scene = Scene(images, motion, step)
                if config.head.single_pass:
                    proprio = torch.zeros(1, config.proprio) if config.proprio else None
                    done = answer_chunk(
                        model, pixels, ids, proprio, scene, pruner, model.new_cache, watch
                    )
                else:
                    done = answer(
                        model,
                        pixels,
                        ids,
                        scene,
                        pruner,
                        create_decoder(decoder),
                        draft,
                        0,
                        lambda length: model.new_cache(length + 7),
                        watch,
                    )
    return watch.flops, done


def assert_agree(counts, flops):
    """Compare each stage that both have."""
    for stage, cost in counts.items():
        assert cost.flops == pytest.approx(flops.get(stage, 0), rel=TOLERANCE), stage


def random(config):
    torch.manual_seed(0)
    return build(config).eval().requires_grad_(False)


FILM = embedded(60, image_size=32, tower_width=32, width=48, layers=4, heads=4, film=True)
SMALL = {
    'embedded': lambda small: embedded(60),
    'film': lambda small: FILM,
    'two_towers_grouped_heads': lambda small: small,
    'oft': lambda small: replace(FILM, head=OFTConfig(chunk=4)),
    'oft_discrete': lambda small: replace(
        small, head=OFTConfig(chunk=3, head=DISCRETE, proprio=0)
    ),
    'oft_two_images_a_tower': lambda small: replace(
        small, head=OFTConfig(head=L1, head_width=40, head_blocks=3)
    ),
}


@pytest.fixture(params=SMALL)
def config(request, small_config):
    return SMALL[request.param](small_config)


def test_operations_of_each_stage_are_those_that_torch_counts(config):
    flops, _ = counted(random(config), create_pruner('none', layout_of(config)))
    assert_agree(CostModel(config).inference(GREEDY), flops)


def test_tokens_dropped_in_the_towers_spare_the_blocks_that_follow(config):
    towers = tuple(replace(tower, depth=tower.depth + 1) for tower in config.towers)
    config = replace(config, towers=towers)
    given = {'keep': 0.5, 'place': 'in_towers', 'tower_block': 1, 'buckets': (128,)}
    pruner = create_pruner('random', layout_of(config), **given)
    flops, done = counted(random(config), pruner)
    assert done.work.projected == layout_of(config).total // 2
    counts = CostModel(config).inference(done.work)
    assert_agree(counts, flops)
    assert counts['towers'].flops < CostModel(config).towers().flops


@pytest.mark.parametrize('full', [openvla_7b, lambda: openvla_7b_oft(film=True)])
def test_operations_of_the_full_size_models(full, monkeypatch):
    config = full()
    # Torch knows of no autocast for shapes that have no memory behind them.
    monkeypatch.setattr(torch, 'is_autocast_enabled', lambda kind: False)
    with torch.device('meta'):
        model = build(config).eval().requires_grad_(False)
        flops, _ = counted(model, create_pruner('none', layout_of(config)))
    counts = CostModel(config).inference(GREEDY)
    assert_agree(counts, flops)
    assert all(flops[stage] > 0 for stage in ('towers', 'projector', 'prefill', 'decode'))


@pytest.mark.parametrize('wrong', [(), (0,), (2, 5), (6,), (0, 1, 2, 3, 4, 5, 6)])
def test_operations_of_verifying_a_draft(wrong):
    config = FILM
    model = random(config)
    pruner = create_pruner('none', layout_of(config))
    _, done = counted(model, pruner)
    draft = done.decoded.tokens.tolist()
    for place in wrong:
        draft[place] -= 1
    flops, done = counted(model, pruner, 'verify', draft)
    # A pass behind each correction takes the corrected token and the rest of the draft.
    passes = tuple((place, 6 - place) for place in wrong if place < 6)
    assert done.decoded.passes == 1 + len(passes)
    work = Workload(TEXT, draft_in_prefill=6, passes=passes)
    assert_agree(CostModel(config).inference(work), flops)


class Noted:
    """A pruner that notes what it asked for."""

    def __init__(self, pruner):
        self._pruner, self.needs = pruner, Needs()

    def __getattr__(self, name):
        return getattr(self._pruner, name)

    def begin(self, scene):
        self.needs = self._pruner.begin(scene)
        return self.needs


@pytest.mark.parametrize('name', ['embedded', 'oft'])
@pytest.mark.parametrize(
    ('method', 'options'),
    [
        ('fastv', {'layer': 2, 'keep': 0.5}),
        ('dart', {'keep': 0.5}),
        ('info_entropy', {'layer': 2, 'keep': 0.5}),
        ('random', {'keep': 0.25}),
        ('sp_vla', {'edges': False, 'budget': 'fixed', 'keep': 0.5, 'place': 'before_llm'}),
        ('specprune', {'layer_level': False}),
        ('vla_pruner', {'window': 1, 'keep': 0.25, 'layer': 1}),
    ],
)
def test_operations_of_pruning(small_config, name, method, options):
    config = SMALL[name](small_config)
    layout = layout_of(config)
    pruner = Noted(create_pruner(method, layout, round_up=False, **options))
    motion = Motion((0.02, 0.0, -0.01), (0.0, 0.0, 0.0), 0.1)
    flops, done = counted(random(config), pruner, motion=motion, steps=3)
    kept = len(done.kept_ids)
    assert 0 < kept < config.visual_tokens, pruner.reason
    drop = max(pruner.needs.drops, default=0)
    work = Workload(
        TEXT,
        dropped_after(layout.layers, layout.total, kept, drop),
        projected=kept if method == 'random' else None,
        passes=one_by_one(7),
        needs=pruner.needs,
    )
    assert_agree(CostModel(config).inference(work), flops)


@pytest.mark.parametrize('drops', [((1,), (1,)), ((2,), ()), ((0,), (1, 2)), ((), (2,))])
@pytest.mark.parametrize('name', ['embedded', 'oft'])
def test_operations_without_parts_of_layers(small_config, name, drops):
    config = SMALL[name](small_config)
    decoder = replace(config.decoder, drop_attention=drops[0], drop_mlp=drops[1])
    config = replace(config, decoder=decoder)
    flops, _ = counted(random(config), create_pruner('none', layout_of(config)))
    work = GREEDY if not config.head.single_pass else Workload(TEXT)
    counts = CostModel(config).inference(work)
    assert_agree(counts, flops)
    layers = random(config).language_model.model
    read = counts['prefill'].weights
    assert read >= weights(*layers.layers, layers.norm)


def test_projecting_fewer_tokens_costs_in_proportion():
    model = CostModel(embedded(60))
    whole, half = model.projector(), model.projector(36)
    assert half.flops == whole.flops / 2 and half.weights == whole.weights


def weights(*modules):
    return sum(p.numel() for module in modules for p in module.parameters())


def test_weights_read_are_those_of_the_modules(config):
    model = random(config)
    stages = CostModel(config).inference(GREEDY)
    decoder, head = model.language_model.model, model.language_model.lm_head
    runs = [model.vision_backbone.tower(t) for image in config.image_towers for t in image]
    assert stages['towers'].weights == weights(*runs)
    assert stages['projector'].weights == weights(model.projector)
    layers = weights(*decoder.layers, decoder.norm)
    if not config.head.single_pass:
        assert stages['prefill'].weights == layers + weights(head)
        assert stages['decode'].weights == 6 * (layers + weights(head))
    else:
        extra = weights(model.proprio_projector) if config.proprio else 0
        assert stages['prefill'].weights == layers + extra
        read = model.action_head if config.head.head == L1 else head
        assert stages['decode'].weights == weights(read)


def test_keys_and_values_are_written_once_and_read_by_each_pass(small_config):
    config = small_config
    d, model = config.decoder, CostModel(config)
    entry = 2 * d.kv_heads * d.head_width * d.layers
    length = TEXT + config.visual_tokens
    assert model.prefill(GREEDY).cached == entry * 2 * length
    assert model.decode(replace(GREEDY, passes=((0, 1),))).cached == entry * (1 + length + 1)
    assert model.decode(replace(GREEDY, draft_in_prefill=6, passes=((2, 4),))).cached == (
        entry * (4 + length + 6)
    )


def test_traffic_and_least_time():
    cost = Cost(flops=100.0, weights=10.0, cached=4.0)
    assert cost.bytes(2) == 28 and cost.bytes(1, 2) == 18
    assert cost.seconds(10.0, 28.0, 2) == 10 and cost.seconds(1000.0, 2.8, 2) == 10
    assert floor_s([cost, cost], 10.0, 28.0) == 20


def test_the_full_size_models_floors_on_an_h200():
    # Matrix rate and copy bandwidth as measured on one; milliseconds that follow by hand.
    rates = (788e12, 4.3e12)
    model, oft = CostModel(openvla_7b()), CostModel(openvla_7b_oft())
    work = Workload(24, passes=one_by_one(7))
    stages = model.inference(work)
    one = model.decode(replace(work, passes=((0, 1),)))
    assert floor_s([one], *rates) * 1e3 == pytest.approx(3.1, abs=0.05)
    assert floor_s([stages['towers'], stages['projector']], *rates) * 1e3 == pytest.approx(
        0.5, abs=0.06
    )
    assert floor_s([stages['prefill']], *rates) * 1e3 == pytest.approx(4.6, abs=0.15)
    assert floor_s(stages.values(), *rates) * 1e3 == pytest.approx(23.6, abs=0.4)
    drafted = replace(work, draft_in_prefill=6, passes=())
    assert floor_s(model.inference(drafted).values(), *rates) * 1e3 == pytest.approx(5.1, abs=0.3)
    assert floor_s(oft.inference(work).values(), *rates) * 1e3 == pytest.approx(10.9, abs=0.4)


def test_visual_tokens_of_another_number_of_layers_are_refused():
    model = CostModel(embedded(60))
    with pytest.raises(ValueError, match='visual tokens of 2 layers, the decoder has 3'):
        model.prefill(Workload(TEXT, (72, 36)))
