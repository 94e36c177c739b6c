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

"""Towers in two parts: what is left is what a mask over dropped patches would leave."""

import pytest
import torch
import torch.nn.functional as F

from vla_accel_ros.layers.connector import shuffled
from vla_accel_ros.layers.half_towers import begin, finish
from vla_accel_ros.layers.shapes import TowerConfig
from vla_accel_ros.layers.vit import Tower, VisionBackbone, look_at

SIDE, PATCH = 32, 4


def backbone_of(prefix):
    torch.manual_seed(0)
    config = TowerConfig(
        width=24,
        depth=4,
        heads=3,
        mlp=40,
        patch=PATCH,
        feature_block=-1,
        class_token=bool(prefix),
        registers=2 * prefix,
    )
    return VisionBackbone((config,), SIDE).eval().requires_grad_(False)


def masked(tower: Tower, image, block, left):
    """Run all patches, those that were dropped hidden from the blocks behind `block`."""
    prefix, x = tower.config.prefix, tower.embed(image)
    seen = torch.cat([torch.ones(prefix, dtype=torch.bool), left])
    for index, each in enumerate(tower.blocks):
        q, k, v = each.attn.separate(each.attn.qkv(each.norm1(x)))
        mask = seen if index >= block else torch.ones_like(seen)
        out = F.scaled_dot_product_attention(q, k, v, mask[None]).transpose(1, 2).flatten(2)
        x = x + each.attn.proj(out)
        x = x + each.mlp(each.norm2(x))
    return x[:, prefix:]


@pytest.mark.parametrize('prefix', [0, 1])
@pytest.mark.parametrize('factor', [1, 2, 4])
@pytest.mark.parametrize('block', [1, 3])
def test_dropped_patches_are_as_if_hidden_from_the_blocks_that_follow(prefix, factor, block):
    backbone, pixels = backbone_of(prefix), torch.randn(1, 6, SIDE, SIDE)
    grid = SIDE // PATCH // factor
    rows, queries, _ = begin(backbone, ((0,), (0,)), pixels, None, block, attention=True)
    assert [len(rows), len(queries)] == [2, 2]
    for image, stay in enumerate((torch.arange(0, grid**2, 2), torch.tensor([1, 3]))):
        left = torch.zeros(grid, grid, dtype=torch.bool)
        left.view(-1)[stay] = True
        patches = left.repeat_interleave(factor, 0).repeat_interleave(factor, 1).flatten()
        tower = backbone.tower(0)
        found = finish(tower, rows[image], stay, block, factor)
        expected = masked(tower, pixels[:, 3 * image : 3 * image + 3], block, patches)
        expected = shuffled(expected, factor)[:, stay]
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_with_all_tokens_left_the_two_parts_are_the_whole():
    backbone, pixels = backbone_of(1), torch.randn(2, 3, SIDE, SIDE)
    rows, _, _ = begin(backbone, ((0,),), pixels, None, 2, attention=False)
    found = finish(backbone.tower(0), rows[0], torch.arange(64), 2)
    whole = look_at(backbone, ((0,),), pixels, None)[0][0]
    torch.testing.assert_close(found, whole, atol=1e-6, rtol=1e-6)
