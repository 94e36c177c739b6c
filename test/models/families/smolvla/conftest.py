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

"""A SmolVLA with random weights."""

import numpy as np
import pytest
import torch

from vla_accel_ros.layers.shapes import DecoderConfig, TowerConfig
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.families.smolvla.config import SmolVLAConfig
from vla_accel_ros.models.families.smolvla.model import SmolVLA
from vla_accel_ros.models.heads.interface import Ask
from vla_accel_ros.motion import Motion
from vla_accel_ros.pruning.interface import Scene

SIDE, CAMERAS = 32, 2
MOVING = Motion((0.05, 0.0, 0.02), (0.0, 0.0, 0.0), 0.1)


@pytest.fixture(scope='session')
def small_smolvla_config():
    tower = TowerConfig(
        width=24,
        depth=3,
        heads=3,
        mlp=40,
        patch=4,
        feature_block=-1,
        final_norm=True,
        activation='gelu_tanh',
    )
    decoder = DecoderConfig(
        width=32, layers=4, heads=4, kv_heads=2, mlp=48, vocab=60, max_positions=128, logits=False
    )
    head = SmolVLAConfig(
        chunk=4,
        camera_names=('one', 'two'),
        proprio=6,
        state_width=8,
        numbers=9,
        expert_width=20,
        expert_mlp=28,
        steps=3,
    )
    return VLAConfig(
        towers=(tower,),
        decoder=decoder,
        head=head,
        image_towers=((0,),) * CAMERAS,
        image_size=SIDE,
        shuffle=2,
        projector_layers=1,
        tokenizer_vocab=60,
        bins=2,
        prompt_end=None,
    )


def random_smolvla(config):
    torch.manual_seed(0)
    model = SmolVLA(config).eval().requires_grad_(False)
    # A table of usual random weights weighs next to nothing beside the state's row.
    model.language_model.model.embed_tokens.weight.data.normal_(std=0.2)
    return model


@pytest.fixture(scope='session')
def small_smolvla(small_smolvla_config):
    return random_smolvla(small_smolvla_config)


@pytest.fixture
def ask_at():
    """Give what makes an ask of a step: other images at each of them."""

    def make(step):
        generator = np.random.default_rng(step)
        images = generator.integers(0, 256, (CAMERAS, SIDE, SIDE, 3), np.uint8)
        pixels = torch.from_numpy(images / 127.5 - 1).float().permute(0, 3, 1, 2).flatten(0, 1)
        return Ask(
            pixels[None],
            torch.arange(3, 10)[None],
            torch.linspace(-1, 1, 6)[None],
            Scene(tuple(images), MOVING, step * 10**8),
        )

    return make
