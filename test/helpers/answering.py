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

"""Frames answered by a tiny model on an engine, for engines to be compared."""

import numpy as np
import torch

from vla_accel_ros.decoding.registry import create as create_decoder
from vla_accel_ros.engines.eager import EAGER
from vla_accel_ros.models.heads.slots import answer_chunk
from vla_accel_ros.models.heads.tokens import answer
from vla_accel_ros.models.layout import layout_of
from vla_accel_ros.motion import Motion
from vla_accel_ros.pruning.interface import Scene
from vla_accel_ros.pruning.registry import create

FAST = Motion((0.05, 0.0, 0.02), (0.0, 0.0, 0.0), 0.1)
# A way of each method in which it drops tokens of a tiny model.
DROPPING = {
    'none': {},
    'random': {'keep': 0.5},
    'dart': {'keep': 0.5},
    'info_entropy': {'keep': 0.5},
    'fastv': {'keep': 0.5},
    'sp_vla': {'edges': False},
    'specprune': {'k_local': 60},
    'vla_pruner': {'keep': 0.5, 'window': 1},
}


@torch.inference_mode()
def answers(model, method='none', decoder='greedy', engine=EAGER, steps=3, **options):
    """Answer the same frames, drafting by the answer before.

    Args:
        model: One of `tiny_models`.
        method: Of pruning.
        decoder: A name, or a decoder; no matter where a model answers in one pass.
        engine: What runs the programs.
        steps: Frames.
        options: The method's.

    Returns:
        What `answer` or `answer_chunk` gave, by frame.
    """
    config, found, draft = model.config, [], None
    decoder = create_decoder(decoder) if isinstance(decoder, str) else decoder
    pruner = create(method, layout_of(config), **(options or DROPPING[method]))
    generator, random = torch.Generator().manual_seed(0), np.random.default_rng(0)
    ids = torch.tensor([[1, *range(5, 12)]])
    for step in range(steps):
        side = config.image_size
        pixels = torch.randn(1, config.channels, side, side, generator=generator)
        images = tuple(random.integers(0, 256, (side, side, 3), np.uint8) for _ in range(2))
        scene = Scene(images, FAST, step * 10**8)
        if config.head.single_pass:
            proprio = torch.zeros(1, config.proprio) if config.proprio else None
            done = answer_chunk(
                model, pixels, ids, proprio, scene, pruner, model.new_cache, engine=engine
            )
        else:
            blank = config.tokenizer_vocab - 5
            done = answer(
                model,
                pixels,
                ids,
                scene,
                pruner,
                decoder,
                draft,
                blank,
                lambda length: model.new_cache(length + config.action_dims),
                engine=engine,
            )
            draft = done.decoded.tokens.tolist()
        found.append(done)
    return found


def same(found, expected):
    """Check that answers to the same frames are equal but for rounding."""
    for one, other in zip(found, expected, strict=True):
        assert one.kept_ids.tolist() == other.kept_ids.tolist()
        torch.testing.assert_close(one.decoded.peaks, other.decoded.peaks, atol=1e-4, rtol=1e-4)
        assert one.decoded.tokens.tolist() == other.decoded.tokens.tolist()
        assert one.decoded.passes == other.decoded.passes
