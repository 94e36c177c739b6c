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
from vla_accel_ros.layers.llama import LlamaDecoder, Rotary, rotate
from vla_accel_ros.layers.shapes import DecoderConfig
from vla_accel_ros.models.attention_taps import QueryTap, row_weights


def decoder_of(layers=2, heads=4, kv_heads=2, seed=0):
    torch.manual_seed(seed)
    config = DecoderConfig(
        width=8 * heads, layers=layers, heads=heads, kv_heads=kv_heads, mlp=40, vocab=50
    )
    return LlamaDecoder(config).eval().requires_grad_(False)


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
    parts = [decoder.run(x[:, :cut], positions[:, :cut], cache=cache)]
    parts += [
        decoder.run(x[:, i : i + 1], positions[:, i : i + 1], cache=cache)
        for i in range(cut, length)
    ]
    assert torch.allclose(torch.cat(parts, 1), whole, atol=1e-5)
    assert cache.lengths == [length] * layers


def test_several_tokens_over_a_cache_need_a_mask_and_equal_the_full_pass_with_it():
    decoder = decoder_of()
    x, positions = torch.randn(1, 7, 32), torch.arange(7)[None]
    cache = KVCache(decoder.config, 7)
    decoder.run(x[:, :4], positions[:, :4], cache=cache)
    with pytest.raises(ValueError, match='3 tokens over a filled cache need an explicit mask'):
        decoder.run(x[:, 4:], positions[:, 4:], cache=cache)
    mask = torch.ones(7, 7, dtype=torch.bool).tril()[4:]
    late = decoder.run(x[:, 4:], positions[:, 4:], mask, cache)
    assert torch.allclose(late, decoder.run(x, positions)[:, 4:], atol=1e-5)


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
    short = decoder.run(x[:, keep[:-1]], positions[:, keep[:-1]], cache=cache)
    last = decoder.run(x[:, 5:], positions[:, 5:], cache=cache)
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
    fused = attention(normed, rope, None, True, None, 0)
    torch.testing.assert_close(fused, eager, atol=1e-6, rtol=0)


@pytest.mark.parametrize(('heads', 'kv_heads'), [(4, 4), (4, 2)])
def test_tapped_rows_are_the_eager_attention(heads, kv_heads):
    decoder = decoder_of(2, heads, kv_heads)
    x, positions = torch.randn(1, 6, 8 * heads), torch.arange(6)
    cache, entering = KVCache(decoder.config, 6), []
    with QueryTap(decoder, (1, 2), tail=3) as tap:
        decoder.run(x, positions[None], cache=cache, collect=entering)
    for layer in (1, 2):
        rows = row_weights(decoder, layer, tap.take(layer), positions[3:], cache, positions)
        rope = decoder.rope(positions[None], x)
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


def test_cache_refuses_more_than_it_holds():
    cache = KVCache(DecoderConfig(width=16, heads=2, kv_heads=2, layers=1), 3)
    tokens = torch.zeros(1, 2, 2, 8)
    cache.append(0, tokens, tokens)
    with pytest.raises(ValueError, match='holds 3 tokens a layer, 4 were asked for'):
        cache.append(0, tokens, tokens)


@given(st.integers(0, 5), st.integers(0, 7))
def test_cache_forgets_the_newest(held, dropped):
    cache = KVCache(DecoderConfig(width=16, heads=2, kv_heads=2, layers=2), 5)
    tokens = torch.arange(held).float().expand(1, 2, 8, held).transpose(2, 3)
    for layer in range(2):
        cache.append(layer, tokens, tokens)
    if dropped > held:
        with pytest.raises(ValueError, match=f'cannot drop {dropped} tokens'):
            cache.drop_last(dropped)
        return
    cache.drop_last(dropped)
    keys, _ = cache.append(0, tokens[:, :, :0], tokens[:, :, :0])
    assert torch.equal(keys, tokens[:, :, : held - dropped])
    cache.clear()
    assert cache.lengths == [0, 0]


def test_a_lent_cache_is_empty_and_made_anew_only_where_it_is_too_small():
    config = DecoderConfig(width=16, heads=2, kv_heads=2, layers=1)
    lend = CacheLender(lambda capacity: KVCache(config, capacity))
    first = lend(65)
    assert first.capacity == 128
    tokens = torch.zeros(1, 2, 2, 8)
    first.append(0, tokens, tokens)
    assert lend(128) is first and first.lengths == [0]
    assert lend(129).capacity == 192
