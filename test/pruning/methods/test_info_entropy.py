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


"""VLA-InfoEntropy: two entropies, their union, and the shift from one to the other."""

import numpy as np
from pruning_harness import drive, flat, textured
import torch

from vla_accel_ros.pruning.interface import Rows
from vla_accel_ros.pruning.registry import create

HALF = 128


def images(layout):
    """Give a view whose patches have fewer grey levels the lower their row."""
    image, side = flat(layout)[0], layout.patch
    for row in range(layout.rows):
        patch = np.arange(side * side).reshape(side, side) % (2 * (layout.rows - row))
        image[row * side : (row + 1) * side] = np.tile(patch, layout.columns)[..., None]
    return (image,)


def focus(layout):
    return lambda layer, rows: torch.linspace(0.1, 0.9, layout.total)[None]


def test_it_asks_for_the_words_attention_at_its_layer_and_its_focus(layout):
    seen = drive(create('info_entropy', layout), images=images(layout))
    assert seen.needs.layers == {2: (Rows.TEXT,)} and seen.needs.focus == (2,)
    assert list(seen.kept) == ['layer 2'] and seen.count == 64


def test_the_budget_goes_from_texture_to_attention(layout):
    pruner = create('info_entropy', layout, texture_first=1.0, texture_last=0.0, horizon=4)
    by_texture = []
    for _ in range(6):
        seen = drive(pruner, images=images(layout), scores=focus(layout))
        assert seen.count == 64
        by_texture.append(int(seen.mask[0, :HALF].sum()))
    assert by_texture == [64, 48, 32, 16, 0, 0]
    pruner.reset()
    assert (
        int(drive(pruner, images=images(layout), scores=focus(layout)).mask[0, :HALF].sum()) == 64
    )


def test_kept_are_the_highest_by_either_score(layout):
    pruner = create('info_entropy', layout, texture_first=0.5, texture_last=0.5)
    mask = drive(pruner, images=images(layout), scores=focus(layout)).mask[0]
    # Two rows of most texture, and the last two, which words look at.
    assert mask.nonzero().flatten().tolist() == [*range(32), *range(224, 256)]


def test_what_the_union_leaves_free_goes_to_attention(layout):
    pruner = create('info_entropy', layout, texture_first=0.5, texture_last=0.5)
    texture_too = focus(layout)(0, None).flip(-1)
    mask = drive(pruner, images=images(layout), scores=lambda *_: texture_too).mask[0]
    assert mask.nonzero().flatten().tolist() == list(range(64))


def test_a_covered_camera_keeps_all(two_cameras):
    pruner = create('info_entropy', two_cameras)
    seen = drive(pruner, images=textured(two_cameras)[:1] + flat(two_cameras)[1:])
    assert seen.count == 512 and pruner.reason == 'no_contrast'
