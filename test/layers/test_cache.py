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

"""Memory for keys and values: what it holds, what fits, and how it is cleaned."""

from hypothesis import given
from hypothesis import strategies as st
import pytest
import torch

from vla_accel_ros.layers.cache import CacheLender, KVCache
from vla_accel_ros.layers.shapes import DecoderConfig


def filled(layers, capacity, held):
    """A cache whose layers hold the tokens 0, 1, ... ."""
    cache = KVCache(DecoderConfig(width=16, heads=2, kv_heads=2, layers=layers), capacity)
    cache.room(0, layers, held)[:] = torch.arange(held).float()[:, None]
    cache.grow(held)
    return cache


def test_more_than_fits_is_refused():
    cache = filled(1, 3, 2)
    with pytest.raises(ValueError, match='holds 3 tokens a layer, 4 were asked for'):
        cache.room(0, 1, 2)
    assert cache.held == (2,)


def test_the_fullest_layer_says_what_fits():
    cache = filled(3, 5, 2)
    cache.grow(2, 1, 2)
    cache.check_room(1)
    cache.check_room(3, 0, 1)
    with pytest.raises(ValueError, match='holds 5 tokens a layer, 6 were asked for'):
        cache.check_room(2)


@given(st.integers(0, 5), st.integers(0, 7))
def test_the_newest_are_forgotten(held, dropped):
    cache = filled(2, 5, held)
    if dropped > held:
        with pytest.raises(ValueError, match=f'cannot drop {dropped} tokens'):
            cache.drop_last(dropped)
        return
    cache.drop_last(dropped)
    assert cache.of_layer(0)[0, 0, 0, :, 0].tolist() == list(range(held - dropped))
    cache.clear()
    assert cache.held == (0, 0)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(-1, 2)), max_size=6))
def test_host_and_device_agree_on_what_is_held(changes):
    cache = KVCache(DecoderConfig(width=16, heads=2, kv_heads=2, layers=3), 20)
    for first, last, count in changes:
        if first < last and min(cache.held[first:last]) + count >= 0:
            cache.grow(count, first, last)
        assert cache.held == tuple(cache.lengths.tolist())


def test_a_new_memory_and_a_wiped_one_are_zeros():
    cache = filled(2, 5, 3)
    assert not cache.store[..., 3:, :].any()
    cache.store.fill_(float('nan'))
    cache.wipe()
    assert cache.held == (0, 0) and not cache.store.any()


def test_a_lent_cache_is_empty_and_made_anew_only_where_it_is_too_small():
    config = DecoderConfig(width=16, heads=2, kv_heads=2, layers=1)
    lend = CacheLender(lambda capacity: KVCache(config, capacity))
    lend.wipe()
    first = lend(65)
    assert first.capacity == 128
    first.grow(2)
    first.store.fill_(float('nan'))
    lend.wipe()
    assert lend(128) is first and first.held == (0,) and not first.store.any()
    assert lend(129).capacity == 192
