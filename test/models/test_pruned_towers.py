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

"""Visual tokens dropped between two blocks of the towers."""

from dataclasses import replace

import numpy as np
import pytest
from scripted_pruner import Scripted
import torch

from vla_accel_ros.engines.eager import EAGER
from vla_accel_ros.engines.interface import call
from vla_accel_ros.models.inference import Inference
from vla_accel_ros.models.layout import layout_of
from vla_accel_ros.models.pruned import encode
from vla_accel_ros.pruning.interface import Needs, Scene


@pytest.mark.parametrize('gone', [(), (0, 3, 17)])
@pytest.mark.parametrize('coordinates', [False, True])
def test_tokens_dropped_in_the_towers_leave_the_others_places_alone(
    small_config, build, batch, gone, coordinates
):
    towers = tuple(replace(tower, depth=tower.depth + 1) for tower in small_config.towers)
    model = build(replace(small_config, towers=towers, coordinates=coordinates))
    layout = layout_of(model.config)
    needs = Needs(tower_attention=True, tower_drop=1, drops=(0,))
    pruner = Scripted(layout, needs, {'towers': gone} if gone else {})
    scene = Scene((np.zeros((32, 32, 3), np.uint8),) * layout.cameras)
    pixels = batch[0][:1]
    with torch.inference_mode():
        visual, present, projected = encode(Inference(model, pruner, scene), pixels, batch[1][:1])
        first, then = model.half_towers(1, attention=False)
        rows = call(EAGER, first, {'pixels': pixels})
        left = [i for i in range(layout.total) if i not in gone]
        stay = {
            f'stay.{image}': torch.tensor(
                [i % layout.tokens for i in left if i // layout.tokens == image]
            )
            for image in range(layout.cameras)
        }
        features = call(EAGER, then, rows | stay)['features']
        whole = features.new_zeros(1, layout.total, features.shape[-1]).index_copy(
            1, torch.tensor(left), features
        )
        expected = model.project_rows(whole, torch.tensor(left))
        plain = model.encode_images(pixels)
    assert present.tolist() == left and projected == len(left)
    torch.testing.assert_close(visual, expected, atol=1e-6, rtol=1e-5)
    same = torch.allclose(visual, plain[:, left], atol=1e-5)
    assert same is not bool(gone)
