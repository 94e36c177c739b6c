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

import pytest
import torch

from vla_accel_ros.models.presets import scaled
from vla_accel_ros.training import thinning

SIDE = 8
# Tokens of a view, the index that says 'in none of them', and the second view's first token.
VIEW = NONE = SECOND = SIDE * SIDE


@pytest.fixture
def config():
    return scaled(12, cameras=2, image_size=56, patch=7, tower_width=64, tower_blocks=1)


def with_squares(config, *tokens):
    """Return flat pixels in which these (camera, token) hold a square of another brightness."""
    pixels = torch.zeros(1, config.channels, 56, 56)
    for camera, token in tokens:
        row, column = divmod(token, SIDE)
        # The first tower's channels only.
        pixels[
            :, 6 * camera : 6 * camera + 3, 7 * row : 7 * row + 3, 7 * column : 7 * column + 3
        ] = 2.0
    return pixels


def nothing_told(config):
    return torch.full((1, config.cameras, 4), -100)


def choose(config, pixels, index, tokens=16, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return thinning.choose(pixels, index, config, tokens, generator)


def test_contrast_is_that_of_each_token_in_each_view(config):
    there = thinning.contrast(with_squares(config, (0, 9), (1, 63)), config)
    assert there.shape == (1, 2, 64)
    assert torch.equal(there[0].nonzero(), torch.tensor([[0, 9], [1, 63]]))
    torch.testing.assert_close(there[0, 0, 9], 2 * torch.tensor(9 / 49 * 40 / 49).sqrt())


def test_tokens_with_something_in_them_are_shown(config):
    shown = choose(config, with_squares(config, (0, 9), (0, 17), (1, 40)), nothing_told(config))
    assert {9, 17, SECOND + 40} <= set(shown[0].tolist())


def test_as_many_of_each_view_in_order(config):
    shown = choose(config, with_squares(config, (0, 9)), nothing_told(config))[0]
    assert torch.equal(shown, shown.unique())
    assert int((shown < VIEW).sum()) == int((shown >= SECOND).sum()) == 8


def test_what_is_pointed_at_is_shown_however_flat(config):
    index = torch.tensor([[[3, 30, NONE, -100], [NONE, NONE, 5, 6]]])
    for seed in range(20):
        shown = choose(config, with_squares(config, (0, 9)), index, seed=seed)
        assert {3, 30, SECOND + 5, SECOND + 6} <= set(shown[0].tolist())


def test_a_token_for_each_object_of_each_view_is_the_least(config):
    thinning.check_room(24, 12, config)
    with pytest.raises(ValueError, match='tokens is 22, expected at least 24'):
        thinning.check_room(22, 12, config)
    thinning.check_room(2 * VIEW, 1000, config)


def test_among_flat_tokens_chance_decides(config):
    drawn = {
        tuple(
            choose(
                config, torch.zeros(1, config.channels, 56, 56), nothing_told(config), seed=seed
            )[0].tolist()
        )
        for seed in range(5)
    }
    assert len(drawn) == 5


def test_a_rank_says_where_a_shown_token_stands(config):
    index = torch.tensor([[[3, 30, NONE, -100], [NONE, NONE, 5, 6]]])
    shown = choose(config, with_squares(config, (0, 9)), index)
    ranks = thinning.ranks(index, shown, config)
    first = shown[0, :8].tolist()
    assert ranks[0, 0].tolist() == [first.index(3), first.index(30), 8, -100]
    assert shown[0, 8 + ranks[0, 1, 2:]].tolist() == [SECOND + 5, SECOND + 6]
    assert ranks[0, 1, :2].tolist() == [8, 8]
