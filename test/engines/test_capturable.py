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

"""Every program could be captured, and the choice of tokens reads the host once a drop."""

from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
import pytest
from refusing import OnDevice, Refusing, away, plain
import torch

from vla_accel_ros.decoding.registry import DECODERS
from vla_accel_ros.decoding.registry import create as create_decoder
from vla_accel_ros.engines import host
from vla_accel_ros.engines.programs.decoder import general
from vla_accel_ros.layers.shapes import DecoderConfig, TowerConfig
from vla_accel_ros.models import choice
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.families.oft.config import DISCRETE, OFTConfig
from vla_accel_ros.models.families.openvla.config import TokensConfig
from vla_accel_ros.models.families.registry import build
from vla_accel_ros.models.heads.slots import answer_chunk
from vla_accel_ros.models.heads.tokens import answer
from vla_accel_ros.models.layout import layout_of
from vla_accel_ros.motion import Motion
from vla_accel_ros.pruning.interface import Scene
from vla_accel_ros.pruning.registry import METHODS, create

FAST = Motion((0.05, 0.0, 0.02), (0.0, 0.0, 0.0), 0.1)
TOWER = TowerConfig(
    name='featurizer', width=16, depth=2, heads=2, mlp=32, patch=8, class_token=True
)
OPENVLA = VLAConfig(
    towers=(TOWER,),
    head=TokensConfig(),
    decoder=DecoderConfig(width=32, layers=6, heads=4, kv_heads=2, mlp=48, vocab=320),
    image_towers=((0,), (0,)),
    image_size=32,
    tokenizer_vocab=300,
    prompt_end=None,
    projector_layers=2,
    film=True,
)
CONFIGS = {
    'openvla': OPENVLA,
    'oft': replace(OPENVLA, head=OFTConfig(chunk=2, proprio=4)),
    'oft_discrete': replace(
        OPENVLA, film=False, head=OFTConfig(chunk=2, proprio=0, head=DISCRETE)
    ),
}
# Of each method those parameters that lead to other programs or other points of dropping.
# Two layers are traced in a third of the time.
CONFIGS |= {
    f'{name}_of_2_layers': replace(config, decoder=replace(config.decoder, layers=2))
    for name, config in CONFIGS.items()
}
WAYS = {
    'none': ({},),
    'random': ({'keep': 0.5}, {'keep': 0.5, 'place': 'before_llm'}),
    'dart': ({'keep': 0.5}, {'keep': 0.5, 'pivots': 3}),
    'info_entropy': ({'keep': 0.5},),
    'fastv': ({'keep': 0.5}, {'keep': 0.5, 'rows': 'all_rows'}),
    'sp_vla': (
        {'edges': False},
        {'edges': False, 'place': 'before_llm'},
        {'edges': False, 'place': 'after_layer', 'budget': 'fixed', 'keep': 0.5},
    ),
    'specprune': ({'k_local': 60}, {'k_local': 60, 'confidence': 'mean_std'}),
    'vla_pruner': ({'keep': 0.5, 'window': 1}, {'keep': 0.5, 'window': 1, 'rows': 'last_row'}),
}
# The first parameters with every decoder, the others where the family differs most.
CASES = [
    *(
        ('openvla', method, ways[0], decoder)
        for method, ways in WAYS.items()
        for decoder in DECODERS
    ),
    *(('openvla', method, way, 'greedy') for method, ways in WAYS.items() for way in ways[1:]),
    *(('oft', method, way, '-') for method, ways in WAYS.items() for way in ways),
    *(('oft_discrete', method, ways[0], '-') for method, ways in WAYS.items()),
]


@cache
def model_of(family):
    torch.manual_seed(0)
    return build(CONFIGS[family]).eval().requires_grad_(False)


@dataclass
class Capturing:
    """Run programs where only what can be captured is allowed; give what the host cannot read.

    The logits that a decoder chooses by are left to be read: that is one look a pass.
    """

    ran: set = field(default_factory=set)
    name = 'capturing'

    def ready(self, program, bucket):
        """Give what runs the program; see `Engine.ready`."""

        def run(given, room):
            given = {name: plain(tensor) for name, tensor in given.items()}
            assert tuple((name, tuple(tensor.shape)) for name, tensor in given.items()) == bucket
            assert set(given) == set(program.inputs), program.name
            others = self._in_other_ways(program, bucket, given, room)
            with Refusing():
                result = program.run(given, room)
            assert set(result) == set(program.outputs), program.name
            for other in others:
                assert set(other) == set(result), program.name
                for name, tensor in other.items():
                    torch.testing.assert_close(result[name], tensor, atol=1e-5, rtol=1e-4)
            return {
                name: tensor if name == 'logits' else away(tensor)
                for name, tensor in result.items()
            }

        return run

    def _in_other_ways(self, program, bucket, given, room):
        """Run a program that has not run yet where nothing is to be written to, and in general."""
        if (program, bucket) in self.ran:
            return []
        self.ran.add((program, bucket))
        before = {name: tensor.clone() for name, tensor in given.items()}
        with Refusing():
            results = [program.run(given, {})]
            if general(program) is not program:
                results.append(general(program).run(given, {}))
        assert all(torch.equal(before[name], given[name]) for name in given)
        if len(results) > 1:
            inside = room['store'].clone()
            with Refusing():
                results.append(general(program).run(given | {'store': inside}, {'store': inside}))
            assert not torch.equal(inside, given['store'])
        return results


@pytest.fixture
def answered(monkeypatch):
    """Give what answers some frames with a new pruner, on programs that refuse.

    It gives the engine, and by frame the answer, how often the host was asked, and why the pruner
    kept what it kept.
    """
    fetched = []

    def fetch(tensors):
        fetched.append(sum(isinstance(tensor, OnDevice) for tensor in tensors))
        return host.fetch([plain(tensor) for tensor in tensors])

    monkeypatch.setattr(choice, 'fetch', fetch)

    @torch.inference_mode()
    def run(family, method, options, decoder, steps=3, engine=None):
        model, config = model_of(family), CONFIGS[family]
        engine = Capturing() if engine is None else engine
        pruner, found, draft = create(method, layout_of(config), **options), [], None
        generator, random = torch.Generator().manual_seed(0), np.random.default_rng(0)
        ids = torch.tensor([[1, *range(5, 12)]])
        for step in range(steps):
            pixels = torch.randn(1, config.channels, 32, 32, generator=generator)
            images = tuple(random.integers(0, 256, (32, 32, 3), np.uint8) for _ in range(2))
            scene = Scene(images, FAST, step * 10**8)
            fetched.clear()
            if config.head.single_pass:
                proprio = torch.zeros(1, 4) if config.proprio else None
                done = answer_chunk(
                    model, pixels, ids, proprio, scene, pruner, model.new_cache, engine=engine
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
                    295,
                    lambda length: model.new_cache(length + 7),
                    engine=engine,
                )
                draft = plain(done.decoded.tokens).tolist()
                draft[step] -= 1
            assert all(fetched)
            found.append((done, len(fetched), pruner.reason))
        return engine, found

    return run


@pytest.mark.parametrize(('family', 'method', 'options', 'decoder'), CASES)
def test_programs_can_be_captured_and_the_host_is_asked_once_a_drop(
    family, method, options, decoder, answered
):
    _, found = answered(family, method, options, decoder)
    for done, fetches, _ in found:
        needs = done.work.needs
        # At the end a method learns, in the copy that brings the answer.
        learns = bool(needs.decode) or max(needs.layers, default=0) > max(needs.drops, default=0)
        assert done.round_trips == fetches <= len(needs.drops) + learns
    done, fetches, reason = found[-1]
    assert (reason == 'pruned') is (method != 'none')
    assert (fetches > 0) is (method not in ('none', 'random'))


def test_every_method_is_tried():
    assert set(WAYS) == set(METHODS)


def test_every_program_is_tried(answered):
    names = set()
    for case in (
        ('openvla', 'vla_pruner', WAYS['vla_pruner'][0], 'greedy'),
        ('openvla', 'sp_vla', WAYS['sp_vla'][1], 'verify'),
        ('oft', 'none', {}, '-'),
    ):
        names |= {program.name for program, _ in answered(*case)[0].ran}
    assert names == {
        'language',
        'vision',
        'patch_attention',
        'projector',
        'distances',
        'narrow',
        'prompt',
        'sequence',
        'span',
        'row_scores',
        'lm_head',
        'pass',
        'loop',
        'action_scores',
        'head',
    }


def test_programs_of_one_frame_serve_the_next_within_a_bucket(answered):
    # Programs are equal by their facts, so that an engine finds again what it built.
    case = ('openvla', 'fastv', {'keep': 0.5, 'rows': 'all_rows'}, 'greedy')
    (once, _), (often, _) = answered(*case, steps=1), answered(*case, steps=3)
    assert once.ran == often.ran
    spans = [program for program, _ in often.ran if program.name == 'span']
    # Between two drops the decoder runs as one span.
    assert sorted((span.first, span.last) for span in spans) == [(0, 1), (1, 6)]


class Recording(Capturing):
    """Keep what one program of each kind was run on."""

    def __init__(self):
        super().__init__()
        self.runs = {}

    def ready(self, program, bucket):
        """Give what runs the program; see `Engine.ready`."""

        def run(given, room):
            given = {name: plain(tensor) for name, tensor in given.items()}
            self.runs.setdefault(program.name, (general(program), given))
            return program.run(given, room)

        return run


@pytest.mark.parametrize(
    ('family', 'decoder', 'names'),
    [
        ('openvla_of_2_layers', 'greedy', ('vision', 'projector', 'span', 'lm_head', 'loop')),
        ('openvla_of_2_layers', 'verify', ('pass',)),
        ('oft_of_2_layers', '-', ('sequence', 'span', 'head')),
    ],
)
def test_programs_are_traced_whole(family, decoder, names, answered):
    engine = Recording()
    answered(family, 'none', {}, decoder, engine=engine)
    for name in names:
        program, given = engine.runs[name]
        if name == 'loop':
            program = replace(program, count=2)
        expected = program.run(given, {})
        torch.compiler.reset()
        with torch.inference_mode():
            traced = torch.compile(
                lambda tensors, of=program: of.run(tensors, {}), fullgraph=True, backend='eager'
            )
            found = traced(given)
        assert set(found) == set(expected)
        for each, tensor in expected.items():
            torch.testing.assert_close(found[each], tensor, atol=1e-5, rtol=1e-4)
