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

"""Towers give one feature vector a patch, and only what runs is built."""

from dataclasses import replace

import pytest
import torch

from vla_accel_ros.layers.projector import Projector, patch_coordinates
from vla_accel_ros.layers.shapes import TowerConfig
from vla_accel_ros.layers.vit import Tower

STEM = TowerConfig(
    width=32, depth=2, heads=2, mlp=64, patch=16, feature_block=-1, patch_embed='stem'
)


def test_only_blocks_up_to_the_features_are_built():
    config = TowerConfig(width=16, depth=4, heads=2, mlp=32, patch=8)
    assert len(Tower(config, 32).blocks) == 3
    assert len(Tower(replace(config, feature_block=-1), 32).blocks) == 4


@pytest.mark.parametrize('size', [96, 128])
def test_stem_gives_the_token_grid(size):
    tokens = Tower(STEM, size)(torch.zeros(3, 3, size, size))
    assert tokens.shape == (3, (size // 16) ** 2, 32)


def test_prefix_tokens_take_part_and_are_stripped():
    torch.manual_seed(0)
    config = TowerConfig(
        width=16, depth=2, heads=2, mlp=32, patch=8, class_token=True, registers=4
    )
    tower, image = Tower(config, 32), torch.randn(1, 3, 32, 32)
    before = tower(image)
    assert before.shape == (1, 16, 16)
    with torch.no_grad():
        tower.reg_token.add_(torch.randn_like(tower.reg_token))
    assert not torch.allclose(tower(image), before)


def test_conv_embedding_is_linear_in_each_patch():
    torch.manual_seed(0)
    tower = Tower(TowerConfig(width=16, depth=2, heads=2, mlp=32, patch=8), 32)
    image = torch.randn(1, 3, 32, 32)
    changed = image.clone()
    changed[:, :, 8:16, 16:24] += 1  # row 1, column 2
    moved = (tower.patch_embed(changed) - tower.patch_embed(image)).abs().sum(-1)[0]
    assert moved.nonzero().flatten().tolist() == [4 + 2]


def test_film_starts_as_the_identity_and_reads_the_language():
    torch.manual_seed(0)
    plain, film = Tower(STEM, 32), Tower(STEM, 32, language_width=8)
    film.load_state_dict(plain.state_dict(), strict=False)
    image, language = torch.randn(2, 3, 32, 32), torch.randn(2, 8)
    assert torch.equal(film(image, language), plain(image))
    with torch.no_grad():
        film.blocks[0].scale.weight.normal_()
    assert not torch.allclose(film(image, language), film(image, -language))


def test_coordinates_are_the_patch_centres():
    where = patch_coordinates(2)
    assert where.tolist() == [[-0.5, -0.5], [0.5, -0.5], [-0.5, 0.5], [0.5, 0.5]]


@pytest.mark.parametrize('layers', [2, 3])
def test_projector_has_the_layers_of_its_kind(layers):
    projector = Projector(6, 8, layers)
    assert projector(torch.zeros(1, 4, 6)).shape == (1, 4, 8)
    assert len(projector.state_dict()) == 2 * layers
