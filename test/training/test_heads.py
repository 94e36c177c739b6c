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

from vla_accel_ros.models.presets import embedded
from vla_accel_ros.training.heads import Heads, in_units, locate_loss, point_loss

GRID, OBJECTS = 2, 3
# An object in the third token, one out of view, one that is not to be told.
PLACES = torch.tensor([[[[0.25, 0.75], [0.0, 0.0], [0.6, 0.6]]]])
SEEN = torch.tensor([[[1, 0, -1]]])
POSITIONS = torch.tensor([[[0.6, 0.1, 0.02], [0.5, 0.2, 0.02], [0.4, -0.2, 0.02]]])


@pytest.fixture
def heads():
    config = embedded(
        12, cameras=1, image_size=32, tower_width=32, tower_blocks=1, width=48, layers=2, heads=2
    )
    return Heads(config, OBJECTS, (1,), still=(0,), middle=(0.5, 0.0, 0.1))


def features(heads: Heads, logit: float = 30.0) -> list[torch.Tensor]:
    """Make the head answer as it should; a feature is a token's one-hot index."""
    head = heads.locate[0]
    with torch.no_grad():
        head.out.weight.zero_()
        head.out.bias.zero_()
        rows = head.out.weight.view(OBJECTS, 6, -1)
        rows[0, 0, 2] = logit
        rows[0, 3:, 2] = in_units(POSITIONS[0, 0], heads.middle)
        head.none[1] = logit
    return [torch.eye(GRID * GRID, head.out.in_features)[None]]


def test_right_answers_cost_nothing(heads):
    loss, error = locate_loss(heads, features(heads), PLACES, SEEN, POSITIONS)
    assert loss.item() < 1e-5
    assert error.item() < 1e-5


def test_a_thing_in_another_place_of_the_room_costs_something_only_where_the_camera_stands_still(
    heads,
):
    there = features(heads)
    elsewhere = POSITIONS + 0.05
    assert locate_loss(heads, there, PLACES, SEEN, elsewhere)[0].item() > 0.1
    heads.still = ()
    assert locate_loss(heads, there, PLACES, SEEN, elsewhere)[0].item() < 1e-5


@pytest.mark.parametrize('seen', [0, -1])
def test_a_batch_with_nothing_in_view_has_finite_gradients(heads, seen):
    nothing = torch.full_like(SEEN, seen)
    loss, _ = locate_loss(heads, features(heads), PLACES, nothing, POSITIONS)
    loss.backward()
    assert loss.isfinite()
    assert all(p.grad is None or p.grad.isfinite().all() for p in heads.parameters())


def test_where_no_layer_is_asked_pointing_costs_nothing(heads):
    silent = Heads(heads.config, OBJECTS, ())
    rows = torch.zeros(1, 1, dtype=torch.long)
    loss, right = point_loss(
        silent, silent.point, [torch.zeros(1, 5, 48)], 4, rows, rows[..., None]
    )
    assert loss == 0 and right.isnan()


def test_what_is_not_to_be_told_costs_nothing_wherever_it_is(heads):
    there, elsewhere = features(heads), POSITIONS.clone()
    elsewhere[:, 2] += 1.0
    assert locate_loss(heads, there, PLACES, SEEN, elsewhere)[0].item() < 1e-5
