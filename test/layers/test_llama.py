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

from vla_accel_ros.layers.attending import Own, run_layers
from vla_accel_ros.layers.cache import KVCache
from vla_accel_ros.layers.llama import LlamaDecoder
from vla_accel_ros.layers.memory import Held
from vla_accel_ros.layers.shapes import DecoderConfig
from vla_accel_ros.pruning.scores import attention_rows


def decoder_of(layers=2, heads=4, kv_heads=2, seed=0):
    torch.manual_seed(seed)
    config = DecoderConfig(
        width=8 * heads, layers=layers, heads=heads, kv_heads=kv_heads, mlp=40, vocab=50
    )
    return LlamaDecoder(config).eval().requires_grad_(False)


def over(decoder, x, positions, cache):
    """Run all layers over what a cache holds, filling it."""
    memory, count = Held(cache.store, cache.held, inside=True), x.shape[1]
    cache.check_room(count)
    memory.begin(count)
    rope = decoder.rope(positions, x)
    x, _ = run_layers(decoder, 0, decoder.config.layers, x, rope, memory)
    cache.grow(count)
    return decoder.norm(x)


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
    assert cache.held == (length,) * layers


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


@pytest.mark.parametrize(('heads', 'kv_heads'), [(4, 4), (4, 2)])
def test_fused_attention_is_the_eager_one(heads, kv_heads):
    decoder = decoder_of(1, heads, kv_heads)
    layer, x = decoder.layers[0], torch.randn(2, 6, 8 * heads)
    rope, attention = decoder.rope(torch.arange(6)[None], x), layer.self_attn
    normed = layer.input_layernorm(x)
    values = attention.values(normed)
    values = values.repeat_interleave(heads // kv_heads, 1)
    eager = attention.o_proj((eager_rows(layer, x, rope) @ values).transpose(1, 2).flatten(2))
    fused = attention(normed, rope, causal=True)
    torch.testing.assert_close(fused, eager, atol=1e-6, rtol=0)


@pytest.mark.parametrize(('heads', 'kv_heads'), [(4, 4), (4, 2)])
def test_tapped_queries_give_the_eager_attention(heads, kv_heads):
    decoder = decoder_of(2, heads, kv_heads)
    x, positions, entering = torch.randn(1, 6, 8 * heads), torch.arange(6), []
    rope, own = decoder.rope(positions[None], x), Own(range(2), causal=True)
    ran, tapped = run_layers(decoder, 0, 2, x, rope, own, taps=(1, 2))
    assert torch.equal(decoder.norm(ran), decoder.run(x, positions[None], collect=entering))
    for layer in (1, 2):
        queries, keys = tapped[layer][0, :, 3:], own.new[layer - 1, 0, 0]
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
