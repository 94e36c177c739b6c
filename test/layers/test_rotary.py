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

"""Rotary positions: what the table holds, and that it stays what it is."""

import copy

import pytest
import torch

from vla_accel_ros.layers.rotary import Rotary, rope_table, rotate
from vla_accel_ros.layers.shapes import DecoderConfig

CONFIG = DecoderConfig(width=32, heads=2, kv_heads=2, max_positions=2048)


def plainly(x, positions, theta):
    """Rotate x [B, heads, S, width] as RoFormer writes it down, eq. 34 with halves for pairs."""
    half = x.shape[-1] // 2
    frequency = 1.0 / theta ** (torch.arange(0, 2 * half, 2).float() / (2 * half))
    angle = positions.float()[:, None] * frequency
    cosine, sine, (a, b) = angle.cos(), angle.sin(), x.split(half, -1)
    return torch.cat([a * cosine - b * sine, b * cosine + a * sine], -1)


def test_the_table_gives_the_cosines_that_would_be_computed():
    positions = torch.tensor([0, 1, 17, 256, 1999, 2047])
    x = torch.randn(2, 3, len(positions), 16)
    rope = Rotary(CONFIG)(positions[None], torch.float32)
    expected = plainly(x, positions, CONFIG.rope_theta)
    torch.testing.assert_close(rotate(x, rope), expected, atol=1e-6, rtol=0)


def test_rotation_keeps_lengths_and_position_nought():
    rope = Rotary(CONFIG)(torch.arange(9)[None], torch.float32)
    x = torch.randn(1, 2, 9, 16)
    assert torch.allclose(rotate(x, rope).norm(dim=-1), x.norm(dim=-1), atol=1e-5)
    assert torch.equal(rotate(x, rope)[:, :, 0], x[:, :, 0])


@pytest.mark.parametrize(
    'change',
    [
        lambda module: module.bfloat16(),
        lambda module: module.half().to('cpu', torch.float64),
        lambda module: module.to('meta').to_empty(device='cpu'),
        copy.deepcopy,
    ],
)
def test_the_table_stays_float32_and_right_whatever_the_model_is_cast_to(change):
    changed = change(Rotary(CONFIG))
    assert torch.equal(changed.table, rope_table(CONFIG))
    assert not changed.state_dict()


def test_a_model_built_without_memory_has_its_table_where_it_is_moved():
    with torch.device('meta'):
        rotary = Rotary(CONFIG)
    assert rotary.bfloat16().table.is_meta
    assert torch.equal(rotary.to('cpu').table, rope_table(CONFIG))
