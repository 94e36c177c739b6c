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

"""The decoder gives the same with a cache as without, wherever the cut is."""

from eager_rows import eager_rows
from hypothesis import given, settings
from hypothesis import strategies as st
import pytest
import torch

from vla_accel_ros.layers.cache import CacheLender, KVCache
from vla_accel_ros.layers.llama import LlamaDecoder, Rotary, rotate, run_layers
from vla_accel_ros.layers.shapes import DecoderConfig
from vla_accel_ros.pruning.scores import attention_rows


def decoder_of(layers=2, heads=4, kv_heads=2, seed=0):
    torch.manual_seed(seed)
    config = DecoderConfig(
        width=8 * heads, layers=layers, heads=heads, kv_heads=kv_heads, mlp=40, vocab=50
    )
    return LlamaDecoder(config).eval().requires_grad_(False)


def over(decoder, x, positions, cache, mask=None):
    """Run all layers over what a cache holds, filling it."""
    depth, count = decoder.config.layers, x.shape[1]
    causal = mask is None and count > 1
    past, room = cache.held(0, depth), cache.room(0, depth, count)
    rope = decoder.rope(positions, x)
    ran = run_layers(decoder, 0, depth, x, rope, mask, causal, past, room)
    cache.grow(0, depth, count)
    return decoder.norm(ran.x)


@settings(max_examples=25)
@given(
    st.integers(1, 3),
    st.sampled_from([(1, 1), (4, 4), (4, 2), (6, 1)]),
    st.integers(2, 12),
    st.data(),
)
def test_any_cut_into_prefill_and_decode_equals_the_full_pass(layers, heads, length, data):
    decoder = decoder_of(layers, *heads)
    x = torch.randn(2, length, decoder.config.width)
    positions = torch.arange(length)[None]
    whole = decoder.run(x, positions)
    cut = data.draw(st.integers(1, length - 1))
    cache = KVCache(decoder.config, length, batch=2)
    parts = [over(decoder, x[:, :cut], positions[:, :cut], cache)]
    parts += [
        over(decoder, x[:, i : i + 1], positions[:, i : i + 1], cache) for i in range(cut, length)
    ]
    assert torch.allclose(torch.cat(parts, 1), whole, atol=1e-5)
    assert cache.lengths == [length] * layers


@pytest.mark.parametrize(('heads', 'kv_heads'), [(4, 4), (4, 2)])
@pytest.mark.parametrize('held', [0, 4])
def test_room_spares_a_copy_and_changes_nothing(heads, kv_heads, held):
    decoder = decoder_of(3, heads, kv_heads)
    x, positions = torch.randn(1, 7, 8 * heads), torch.arange(7)[None]
    rope = decoder.rope(positions, x)
    before = tuple(part[:, :, :held] for part in rope)
    past = run_layers(decoder, 0, 3, x[:, :held], before, causal=True).new if held else None
    mask = torch.ones(7, 7, dtype=torch.bool).tril()[held:]
    rest = x[:, held:], tuple(part[:, :, held:] for part in rope), mask
    free = run_layers(decoder, 1, 3, *rest, past=None if past is None else past[1:], taps=(2,))
    cache = KVCache(decoder.config, 9)
    if held:
        cache.room(0, 3, held).copy_(past)
        cache.grow(0, 3, held)
    room = cache.room(1, 3, 7 - held)
    inside = run_layers(decoder, 1, 3, *rest, past=cache.held(1, 3), room=room, taps=(2,))
    torch.testing.assert_close(inside.x, free.x, atol=1e-6, rtol=0)
    torch.testing.assert_close(inside.new, free.new, atol=1e-6, rtol=0)
    assert list(inside.queries) == [2] and torch.equal(inside.queries[2], free.queries[2])
    assert inside.new.data_ptr() == room[:, :, :, :, held:].data_ptr()
    if held:
        assert torch.equal(cache.held(1, 3), past[1:])


def test_dropped_tokens_leave_the_others_positions_alone():
    # With token 2 invisible to all, dropping it must change nothing: positions stay absolute.
    decoder = decoder_of()
    x, positions = torch.randn(1, 6, 32), torch.arange(6)[None]
    mask = torch.ones(6, 6, dtype=torch.bool).tril()
    mask[:, 2] = False
    mask[2, 2] = True
    keep = torch.tensor([0, 1, 3, 4, 5])
    hidden = decoder.run(x, positions, mask)[:, keep]
    cache = KVCache(decoder.config, 6)
    short = over(decoder, x[:, keep[:-1]], positions[:, keep[:-1]], cache)
    last = over(decoder, x[:, 5:], positions[:, 5:], cache)
    assert torch.allclose(torch.cat([short, last], 1), hidden, atol=1e-5)


def test_only_distances_between_positions_matter():
    decoder = decoder_of()
    x, positions = torch.randn(1, 5, 32), torch.arange(5)[None]
    assert torch.allclose(decoder.run(x, positions), decoder.run(x, positions + 300), atol=1e-4)


def test_rotation_keeps_lengths_and_position_nought():
    rope = Rotary(DecoderConfig(width=32, heads=2, kv_heads=2))(
        torch.arange(9)[None], torch.float32
    )
    x = torch.randn(1, 2, 9, 16)
    assert torch.allclose(rotate(x, rope).norm(dim=-1), x.norm(dim=-1), atol=1e-5)
    assert torch.equal(rotate(x, rope)[:, :, 0], x[:, :, 0])


def test_frequencies_stay_float32_in_a_bfloat16_model():
    decoder = decoder_of()
    late = torch.tensor([[1999]])
    before = decoder.rotary(late, torch.float32)[0]
    assert torch.equal(decoder.bfloat16().rotary(late, torch.float32)[0], before)


@pytest.mark.parametrize(('heads', 'kv_heads'), [(4, 4), (4, 2)])
def test_fused_attention_is_the_eager_one(heads, kv_heads):
    decoder = decoder_of(1, heads, kv_heads)
    layer, x = decoder.layers[0], torch.randn(2, 6, 8 * heads)
    rope, attention = decoder.rope(torch.arange(6)[None], x), layer.self_attn
    normed = layer.input_layernorm(x)
    values = attention._heads(attention.v_proj(normed), kv_heads)
    values = values.repeat_interleave(heads // kv_heads, 1)
    eager = attention.o_proj((eager_rows(layer, x, rope) @ values).transpose(1, 2).flatten(2))
    fused = attention(normed, rope, causal=True)
    torch.testing.assert_close(fused, eager, atol=1e-6, rtol=0)


@pytest.mark.parametrize(('heads', 'kv_heads'), [(4, 4), (4, 2)])
def test_tapped_queries_give_the_eager_attention(heads, kv_heads):
    decoder = decoder_of(2, heads, kv_heads)
    x, positions, entering = torch.randn(1, 6, 8 * heads), torch.arange(6), []
    rope = decoder.rope(positions[None], x)
    ran = run_layers(decoder, 0, 2, x, rope, causal=True, taps=(1, 2))
    assert torch.equal(decoder.norm(ran.x), decoder.run(x, positions[None], collect=entering))
    for layer in (1, 2):
        queries, keys = ran.queries[layer][0, :, 3:], ran.new[layer - 1, 0, 0]
        rows = attention_rows(queries, keys, positions[3:], positions)
        eager = eager_rows(decoder.layers[layer - 1], entering[layer - 1], rope)[0, :, 3:]
        torch.testing.assert_close(rows, eager, atol=1e-6, rtol=0)


def test_collect_gives_what_enters_each_layer():
    decoder = decoder_of(3)
    x, positions, entering = torch.randn(1, 4, 32), torch.arange(4)[None], []
    last = decoder.run(x, positions, collect=entering)
    rope = decoder.rope(positions, x)
    assert len(entering) == 3 and torch.equal(entering[0], x)
    again = decoder.norm(decoder.layers[2](entering[2], rope, causal=True))
    assert torch.equal(again, last)


def filled(layers, capacity, held):
    """A cache whose layers hold the tokens 0, 1, ... ."""
    cache = KVCache(DecoderConfig(width=16, heads=2, kv_heads=2, layers=layers), capacity)
    cache.room(0, layers, held)[:] = torch.arange(held).float()[:, None]
    cache.grow(0, layers, held)
    return cache


def test_cache_refuses_more_than_it_holds():
    cache = filled(1, 3, 2)
    with pytest.raises(ValueError, match='holds 3 tokens a layer, 4 were asked for'):
        cache.room(0, 1, 2)
    assert cache.lengths == [2]


@given(st.integers(0, 5), st.integers(0, 7))
def test_cache_forgets_the_newest(held, dropped):
    cache = filled(2, 5, held)
    if dropped > held:
        with pytest.raises(ValueError, match=f'cannot drop {dropped} tokens'):
            cache.drop_last(dropped)
        return
    cache.drop_last(dropped)
    assert cache.held(0, 1)[0, 0, 0, 0, :, 0].tolist() == list(range(held - dropped))
    cache.clear()
    assert cache.lengths == [0, 0]


@given(st.lists(st.integers(0, 2), min_size=1, max_size=6))
def test_groups_are_the_layers_that_hold_equally_many(lengths):
    cache = KVCache(DecoderConfig(width=16, heads=2, kv_heads=2, layers=len(lengths)), 3)
    for layer, length in enumerate(lengths):
        cache.grow(layer, layer + 1, length)
    groups = cache.groups
    assert [layer for group in groups for layer in range(*group)] == list(range(len(lengths)))
    assert all(len(set(lengths[first:last])) == 1 for first, last in groups)
    assert all(lengths[last] != lengths[last - 1] for _, last in groups[:-1])


def test_a_lent_cache_is_empty_and_made_anew_only_where_it_is_too_small():
    config = DecoderConfig(width=16, heads=2, kv_heads=2, layers=1)
    lend = CacheLender(lambda capacity: KVCache(config, capacity))
    first = lend(65)
    assert first.capacity == 128
    first.grow(0, 1, 2)
    assert lend(128) is first and first.lengths == [0]
    assert lend(129).capacity == 192
