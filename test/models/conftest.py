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

"""Small models, and the fixture with the original's numbers."""

from dataclasses import replace
from pathlib import Path
import sys

import numpy as np
import pytest
import torch

from vla_accel_ros.layers.dit_shape import DiTConfig
from vla_accel_ros.layers.shapes import DecoderConfig, TowerConfig
from vla_accel_ros.models.checkpoints.folder import save
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.families.cogact.config import CogACTConfig
from vla_accel_ros.models.families.openvla.config import TokensConfig
from vla_accel_ros.models.families.registry import build as build_model
from vla_accel_ros.models.presets import embedded
from vla_accel_ros.models.tokenizer import vocabulary, write_tokenizer

sys.path.insert(0, str(Path(__file__).parent))

WORDS = vocabulary(['pick up the red cube', 'place it in the bin'])
STATISTICS = {
    'action': {
        'q01': [-0.03, -0.03, -0.03, -0.1, -0.1, -0.1, 0.0],
        'q99': [0.03, 0.03, 0.03, 0.1, 0.1, 0.1, 1.0],
        'mask': [True] * 6 + [False],
    }
}


@pytest.fixture(scope='session')
def reference():
    return Path(__file__).parents[1] / 'fixtures' / 'openvla_tiny'


@pytest.fixture(scope='session')
def smolvla_fixture():
    return Path(__file__).parents[1] / 'fixtures' / 'smolvla_tiny'


@pytest.fixture(scope='session')
def cogact_reference():
    return Path(__file__).parents[1] / 'fixtures' / 'cogact_tiny'


@pytest.fixture(scope='session')
def cogact_config(small_config):
    """A CogACT of the small shape, with few and short walks."""
    dit = DiTConfig(width=24, depth=2, heads=4, mlp=48, frequencies=16)
    return replace(
        small_config,
        decoder=replace(small_config.decoder, logits=False),
        head=CogACTConfig(chunk=4, dit=dit, prompt_tail=(5, 2), steps=5, schedule=20),
    )


@pytest.fixture(scope='session')
def small_config():
    """Two cameras, two towers each, grouped heads, prefix tokens: everything but size."""
    towers = (
        TowerConfig(
            name='featurizer',
            width=16,
            depth=3,
            heads=2,
            mlp=32,
            patch=8,
            class_token=True,
            registers=2,
            layer_scale=True,
        ),
        TowerConfig(name='fused_featurizer', width=8, depth=2, heads=2, mlp=16, patch=8),
    )
    decoder = DecoderConfig(width=32, layers=3, heads=4, kv_heads=2, mlp=48, vocab=320)
    return VLAConfig(
        towers=towers,
        decoder=decoder,
        head=TokensConfig(),
        image_towers=((0, 1), (0, 1)),
        image_size=32,
        tokenizer_vocab=300,
        prompt_end=None,
        norm_stats={'small': STATISTICS},
    )


def random_model(config):
    torch.manual_seed(0)
    return build_model(config).eval().requires_grad_(False)


@pytest.fixture(scope='session')
def build():
    """Give what makes a model with random weights of a configuration."""
    return random_model


@pytest.fixture(scope='session')
def small(small_config):
    return random_model(small_config)


@pytest.fixture
def batch(small_config):
    """Pixel values and prompts of two samples."""
    generator = torch.Generator().manual_seed(1)
    config = small_config
    pixels = torch.randn(
        2, config.channels, config.image_size, config.image_size, generator=generator
    )
    ids = torch.randint(3, 40, (2, 9), generator=generator)
    ids[:, 0] = 1
    return pixels, ids


@pytest.fixture
def embedded_config():
    config = embedded(
        len(WORDS), image_size=32, tower_width=32, width=48, layers=2, heads=4, tower_blocks=1
    )
    return replace(config, norm_stats={'embedded': STATISTICS})


@pytest.fixture
def embedded_folder(embedded_config, tmp_path):
    folder = tmp_path / 'checkpoint'
    save(random_model(embedded_config), folder)
    write_tokenizer(WORDS, folder)
    return folder


@pytest.fixture
def views():
    generator = np.random.default_rng(3)
    return tuple(generator.integers(0, 256, (32, 32, 3), np.uint8) for _ in range(2))
