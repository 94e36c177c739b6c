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

"""What queries look at: rooms, trimmed rows, and memories in all their forms."""

import pytest
import torch

from vla_accel_ros.layers.attending import Own, run_layers
from vla_accel_ros.layers.cache import KVCache
from vla_accel_ros.layers.llama import LlamaDecoder
from vla_accel_ros.layers.memory import Held, Masked, Placed
from vla_accel_ros.layers.shapes import DecoderConfig

HEADS = pytest.mark.parametrize(('heads', 'kv_heads'), [(4, 4), (4, 2)])


def decoder_of(heads, kv_heads, layers=3, dtype=torch.float32):
    torch.manual_seed(0)
    config = DecoderConfig(
        width=8 * heads, layers=layers, heads=heads, kv_heads=kv_heads, mlp=40, vocab=50
    )
    return LlamaDecoder(config).to(dtype).eval().requires_grad_(False)


@HEADS
@pytest.mark.parametrize('causal', [True, False])
def test_room_spares_a_copy_and_changes_nothing(heads, kv_heads, causal):
    decoder = decoder_of(heads, kv_heads)
    x = torch.randn(1, 7, 8 * heads)
    rope, cache = decoder.rope(torch.arange(7)[None], x), KVCache(decoder.config, 9)
    free, inside = Own(range(1, 3), causal), Own(range(1, 3), causal, room=cache.room(1, 3, 7))
    one, two = (run_layers(decoder, 1, 3, x, rope, attend, taps=(2,)) for attend in (free, inside))
    torch.testing.assert_close(two[0], one[0], atol=1e-6, rtol=0)
    assert list(two[1]) == [2] and torch.equal(two[1][2], one[1][2])
    assert torch.equal(inside.new, free.new)
    assert torch.equal(cache.store[1:, :, :, :, :7], free.new)
    assert not cache.store[0].any() and not cache.store[..., 7:, :].any()


@HEADS
@pytest.mark.parametrize('causal', [True, False])
@pytest.mark.parametrize('wanted', [1, 3, 7])
def test_a_last_layer_for_some_rows_gives_these_rows_and_all_keys(heads, kv_heads, causal, wanted):
    decoder = decoder_of(heads, kv_heads)
    x, rows = torch.randn(2, 7, 8 * heads), torch.arange(7 - wanted, 7)
    rope = decoder.rope(torch.arange(7)[None], x)
    whole, few = Own(range(3), causal), Own(range(3), causal, rows)
    all_x, all_queries = run_layers(decoder, 0, 3, x, rope, whole, taps=(2, 3))
    few_x, few_queries = run_layers(decoder, 0, 3, x, rope, few, taps=(2, 3), rows=rows)
    torch.testing.assert_close(few_x, all_x[:, rows], atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(few.new, whole.new, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(few_queries[2], all_queries[2], atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(few_queries[3], all_queries[3][:, :, rows], atol=1e-6, rtol=1e-5)


def memories(cache):
    """All forms of a memory, those that write each over a copy of the store."""
    store, lengths, held = cache.store, cache.lengths, cache.held
    return {
        'held_inside': Held(store.clone(), held, inside=True),
        'held': Held(store, held, inside=False),
        'masked': Masked(store, lengths),
        'placed': Placed(store.clone(), lengths),
    }


@HEADS
@pytest.mark.parametrize('lengths', [(5, 5, 5), (6, 3, 1)])
@pytest.mark.parametrize('counts', [(1,), (4,), (1, 1, 1)])
@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_all_forms_of_a_memory_give_the_same(heads, kv_heads, lengths, counts, dtype):
    decoder = decoder_of(heads, kv_heads, dtype=dtype)
    cache = KVCache(decoder.config, 12, batch=2, dtype=dtype)
    torch.manual_seed(1)
    for layer, length in enumerate(lengths):
        cache.room(layer, layer + 1, length).normal_()
        cache.grow(length, layer, layer + 1)
    # What a refused draft left behind what is held.
    cache.store[:, :, :, :, 6:8] = 3.0
    before, steps = cache.store.clone(), [torch.randn(2, n, 8 * heads).to(dtype) for n in counts]
    found = {}
    for name, memory in memories(cache).items():
        outs, place = [], 20
        for x in steps:
            memory.begin(x.shape[1])
            rope = decoder.rope(torch.arange(place, place + x.shape[1])[None], x)
            outs.append(run_layers(decoder, 0, 3, x, rope, memory)[0])
            place += x.shape[1]
        assert memory.inside is (memory.store is not cache.store)
        found[name] = torch.cat(outs, 1), memory.new, memory.store
    assert torch.equal(cache.store, before)
    close = {'atol': 1e-5, 'rtol': 1e-5} if dtype == torch.float32 else {'atol': 0.1, 'rtol': 0.05}
    for out, new, _ in found.values():
        torch.testing.assert_close(out, found['held'][0], **close)
        torch.testing.assert_close(new, found['held'][1], **close)
    for name in ('held_inside', 'placed'):
        _, new, store = found[name]
        for layer, length in enumerate(lengths):
            end = length + sum(counts)
            assert torch.equal(store[layer, :, :, :, length:end], new[layer])
            assert torch.equal(store[layer, :, :, :, end:], before[layer, :, :, :, end:])
