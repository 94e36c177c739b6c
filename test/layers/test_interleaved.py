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

"""The interleaved expert: who sees whom, and from where positions count."""

import pytest
import torch

from vla_accel_ros.layers.cache import KVCache
from vla_accel_ros.layers.interleaved import InterleavedExpert
from vla_accel_ros.layers.memory import Held, Masked, Placed
from vla_accel_ros.layers.shapes import DecoderConfig

CHUNK, CAPACITY, HELD = 4, 14, (9, 9, 6, 5)
SHAPE = {'heads': 4, 'kv_heads': 2, 'head_size': 8, 'vocab': 20, 'layers': 4}
EXPERT = DecoderConfig(width=20, mlp=24, **SHAPE)


@pytest.fixture
def expert():
    torch.manual_seed(0)
    return InterleavedExpert(EXPERT, cross=(1, 3)).eval().requires_grad_(False)


@pytest.fixture
def cache():
    torch.manual_seed(1)
    made = KVCache(DecoderConfig(width=32, mlp=8, **SHAPE), CAPACITY)
    for layer, count in enumerate(HELD):
        made.room(layer, layer + 1, count).normal_()
        made.grow(count, layer, layer + 1)
    return made


def run(expert, cache, x, begin=12, memory=None):
    memory = Held(cache.store, cache.held, inside=False) if memory is None else memory
    memory.begin(x.shape[1])
    return expert(x, begin + torch.arange(x.shape[1]), memory, taps=(1, 2))


def test_all_forms_of_a_memory_give_the_same(expert, cache):
    x = torch.randn(1, CHUNK, 20)
    expected, queries = run(expert, cache, x)
    assert [*queries] == [1, 2] and queries[2].shape == (1, 4, CHUNK, 8)
    for memory in (
        Held(cache.store.clone(), cache.held, inside=True),
        Masked(cache.store, cache.lengths),
        Placed(cache.store.clone(), cache.lengths),
    ):
        found, _ = run(expert, cache, x, memory=memory)
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_an_action_sees_those_before_it_and_none_behind(expert, cache):
    x = torch.randn(1, CHUNK, 20)
    before, _ = run(expert, cache, x)
    x[:, 2] += 1
    after, _ = run(expert, cache, x)
    changed = (before - after).abs().amax((0, 2)) > 1e-6
    assert changed.tolist() == [False, False, True, True]


def test_without_self_layers_actions_do_not_see_one_another(cache):
    torch.manual_seed(0)
    expert = InterleavedExpert(EXPERT, cross=range(4)).eval().requires_grad_(False)
    x = torch.randn(1, CHUNK, 20)
    before, _ = run(expert, cache, x)
    x[:, 1] += 1
    after, _ = run(expert, cache, x)
    changed = (before - after).abs().amax((0, 2)) > 1e-6
    assert changed.tolist() == [False, True, False, False]


def test_cross_layers_count_from_nought_wherever_the_prefix_ends(cache):
    x = torch.randn(1, CHUNK, 20)
    for cross, same in ((range(4), True), ((1, 3), False)):
        torch.manual_seed(0)
        expert = InterleavedExpert(EXPERT, cross).eval().requires_grad_(False)
        here, there = (run(expert, cache, x, begin)[0] for begin in (12, 40))
        assert torch.allclose(here, there, atol=1e-6) is same


def test_the_prefix_is_projected_over_all_key_heads_together(expert, cache):
    attention = expert.layers[1].self_attn
    prefix = cache.of_layer(1)
    found = attention.project(prefix)
    assert found.shape == prefix.shape
    row = attention.k_proj(prefix[0, 0, :, 3].flatten())
    torch.testing.assert_close(found[0, 0, :, 3].flatten(), row)
    row = attention.v_proj(prefix[1, 0, :, 3].flatten())
    torch.testing.assert_close(found[1, 0, :, 3].flatten(), row)
