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

"""Rows that an action expert is given without noise, in training."""

from types import SimpleNamespace

import pytest
import torch

from vla_accel_ros.layers.shapes import DecoderConfig
from vla_accel_ros.models.families.pi0.config import Pi0Config
from vla_accel_ros.models.families.pi0.model import Pi0Flow
from vla_accel_ros.training.flow import draw_given, velocity
from vla_accel_ros.training.shared_prefix import Shared

B, K, R, CHUNK = 2, 1, 2, 4


@pytest.fixture(scope='module')
def asked():
    """Give a network and what its chunks look at."""
    torch.manual_seed(0)
    shape = DecoderConfig(width=16, layers=2, heads=2, kv_heads=2, mlp=32, vocab=1, logits=False)
    head = Pi0Config(chunk=CHUNK, numbers=3, expert=shape, adaptive=True, state=0)
    front = [tuple(torch.randn(2, B, 2, 5, 8)) for _ in range(2)]
    words = [tuple(torch.randn(2, B, K, 2, 3, 8)) for _ in range(2)]
    shared = Shared(front, words, torch.zeros(B, K, 1, 1, 1, 3), torch.full((B, K), 8))
    return SimpleNamespace(
        network=Pi0Flow(head, shape), shared=shared, x=torch.randn(B, K, R, CHUNK, 3)
    )


def of(asked, time, given=None):
    times = torch.full((B, K, R), time)
    return velocity(asked.network, asked.shared, asked.x, times, given)


@torch.no_grad()
def test_given_rows_have_time_0_and_the_others_the_time_of_the_chunk(asked):
    given = torch.zeros(B, K, R, CHUNK, dtype=torch.bool)
    torch.testing.assert_close(of(asked, 0.7, given), of(asked, 0.7))
    torch.testing.assert_close(of(asked, 0.7, ~given), of(asked, 0.0))
    given[..., :2] = True
    mixed = of(asked, 0.7, given)
    assert not torch.allclose(mixed, of(asked, 0.7)) and not torch.allclose(mixed, of(asked, 0.0))


def test_up_to_so_many_first_rows_are_given():
    given = draw_given((200, CHUNK), 2, torch.Generator().manual_seed(0))
    assert sorted({*given.sum(1).tolist()}) == [0, 1, 2]
    assert (given[:, 1:] <= given[:, :-1]).all()
