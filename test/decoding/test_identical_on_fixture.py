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

"""Identical tokens on the fixture with the original's weights: all corruptions, all images."""

from itertools import product
from pathlib import Path

from dropping import Dropping
from margins import NEAR_TIE, Margins
import numpy as np
import pytest
import torch

from vla_accel_ros.decoding.registry import create as create_decoder
from vla_accel_ros.engines.eager import Eager
from vla_accel_ros.models.checkpoints.folder import load
from vla_accel_ros.models.heads.tokens import answer
from vla_accel_ros.models.layout import layout_of
from vla_accel_ros.models.tokenizer import end_prompt
from vla_accel_ros.motion import Motion
from vla_accel_ros.pruning.interface import Scene
from vla_accel_ros.pruning.registry import create as create_pruner

FIXTURE = Path(__file__).parents[1] / 'fixtures' / 'openvla_tiny'
IMAGES = (0, 1)
PATTERNS = list(product((False, True), repeat=7))
# Before the projector and after a layer: positions with gaps, a cache whose layers differ.
DROPS = {0: range(0, 256, 2), 2: range(0, 256, 3)}


@pytest.fixture(scope='module')
def model():
    return load(FIXTURE, 'cpu', torch.float32)


class Remembering(Eager):
    """Run the towers once for each image: they see no draft."""

    def __init__(self):
        self._seen = {}

    def ready(self, program, bucket):
        """Give what runs the program; see `Engine.ready`."""
        if program.name != 'vision':
            return super().ready(program, bucket)

        def once(given, room):
            key = given['pixels'].data_ptr()
            if key not in self._seen:
                self._seen[key] = program.run(given, room)
            return dict(self._seen[key])

        return once


ENGINE = Remembering()


@pytest.fixture(scope='module')
def inputs(model):
    """Pixel values and prompt of each image."""
    with np.load(FIXTURE / 'inputs.npz') as arrays, np.load(FIXTURE / 'outputs.npz') as stored:
        return [
            (
                torch.from_numpy(stored[f'pixel_values{k}']),
                torch.tensor(
                    [end_prompt(arrays[f'input_ids{k}'][0].tolist(), model.config.prompt_end)]
                ),
            )
            for k in IMAGES
        ]


def scene(step):
    image = np.random.default_rng(0).integers(0, 256, (224, 224, 3), np.uint8)
    return Scene((image,), Motion((0.02, 0.0, 0.0), (0.0, 0.0, 0.0), 0.1), step * 10**8)


def run(model, inputs, pruner, decoder, draft=None, step=0):
    pixels, ids = inputs
    with torch.inference_mode():
        return answer(
            model,
            pixels,
            ids,
            scene(step),
            pruner,
            decoder,
            draft,
            model.config.tokenizer_vocab,
            lambda length: model.new_cache(length + 7),
            engine=ENGINE,
        )


def corrupted(model, tokens, pattern, generator):
    """Replace tokens by others: another bin, the one beside it, the end token, padding."""
    config = model.config
    strange = [1, 2, config.decoder.vocab - 1]
    result = []
    for token, wrong in zip(tokens, pattern, strict=True):
        other = token
        while wrong and other == token:
            bins = range(config.tokenizer_vocab - config.bins, config.tokenizer_vocab)
            other = int(generator.choice([generator.choice(bins), token - 1, *strange]))
        result.append(other)
    return result


def test_the_originals_tokens_are_far_from_a_tie(model, inputs):
    with np.load(FIXTURE / 'outputs.npz') as stored:
        for k in IMAGES:
            margins, pruner = Margins(), create_pruner('none', layout_of(model.config))
            answered = run(model, inputs[k], pruner, margins)
            assert answered.decoded.tokens.tolist() == stored[f'gen_ids{k}'].tolist()
            assert min(margins.margins) > NEAR_TIE


@pytest.mark.parametrize('k', IMAGES)
@pytest.mark.parametrize(('drops', 'kept'), [({}, 256), (DROPS, 85)])
def test_tokens_are_those_of_greedy_decoding_whatever_is_wrong_in_the_draft(
    model, inputs, drops, kept, k
):
    margins, pruner = Margins(), Dropping(layout_of(model.config), drops)
    greedy = run(model, inputs[k], pruner, margins)
    assert min(margins.margins) > NEAR_TIE
    expected, left = greedy.decoded.tokens.tolist(), greedy.kept_ids.tolist()
    assert len(left) == kept
    generator = np.random.default_rng(k)
    for pattern in PATTERNS:
        draft = corrupted(model, expected, pattern, generator)
        for name in ('verify', 'jacobi'):
            answered = run(model, inputs[k], pruner, create_decoder(name), draft)
            decoded = answered.decoded
            assert decoded.tokens.tolist() == expected, (name, draft)
            assert answered.kept_ids.tolist() == left
            if name == 'verify':
                assert decoded.passes == 1 + sum(pattern[:-1])
                assert decoded.accepted == 7 - sum(pattern)
            torch.testing.assert_close(decoded.peaks, greedy.decoded.peaks, atol=1e-4, rtol=0)


@pytest.mark.parametrize('name', ['verify', 'jacobi'])
def test_a_pruner_that_learns_from_decoding_learns_the_same(model, inputs, name):
    # Scores of refused drafts must not count: what is kept next would differ.
    generator = np.random.default_rng(0)
    patterns = [PATTERNS[i] for i in generator.permutation(len(PATTERNS))[:24]]
    plain, drafted = (
        create_pruner('vla_pruner', layout_of(model.config), keep=0.25, window=1) for _ in range(2)
    )
    decoder = create_decoder(name)
    for step, pattern in enumerate(patterns):
        k = step % len(IMAGES)
        margins = Margins()
        greedy = run(model, inputs[k], plain, margins, step=step)
        assert min(margins.margins) > NEAR_TIE
        expected = greedy.decoded.tokens.tolist()
        draft = corrupted(model, expected, pattern, generator)
        answered = run(model, inputs[k], drafted, decoder, draft, step)
        assert answered.decoded.tokens.tolist() == expected
        assert answered.kept_ids.tolist() == greedy.kept_ids.tolist()
        torch.testing.assert_close(
            drafted._memory.estimate(1, 0.8), plain._memory.estimate(1, 0.8), atol=1e-6, rtol=1e-4
        )
