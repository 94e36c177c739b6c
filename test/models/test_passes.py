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

"""Passes of several tokens over a cache: masks, positions, layers that differ in length."""

import pytest
import torch

from vla_accel_ros.engines.eager import EAGER
from vla_accel_ros.engines.interface import call
from vla_accel_ros.engines.programs.decoder import Span
from vla_accel_ros.models.action_rows import ActionRows
from vla_accel_ros.models.passes import CachedPasses, extend

STAY = [0, 2, 3, 7, 8, 11]


@pytest.fixture
def filled(small):
    """A cache whose second and third layers lost tokens, and where the sequence goes on."""
    generator = torch.Generator().manual_seed(4)
    decoder = small.language_model.model
    x = torch.randn(1, 12, small.config.decoder.width, generator=generator)
    cache = small.new_cache(32)
    with torch.inference_mode():
        for first, last, stay in ((0, 1, None), (1, 3, torch.tensor(STAY))):
            given = {'x': x, 'positions': torch.arange(12)}
            if stay is not None:
                given |= {'positions': stay, 'stay': stay}
            count = len(given['positions'])
            room = cache.room(first, last, count)
            span = Span(decoder, first, last, narrowed=stay is not None)
            x = call(EAGER, span, given, {'new': room})['x']
            cache.grow(count, first, last)
    assert cache.held == (12, 6, 6)
    return cache, 12


def test_several_tokens_at_once_are_several_tokens_in_turn(small, filled):
    cache, first = filled
    tokens = torch.tensor([5, 9, 31, 7])
    with torch.inference_mode():
        language, positions = small.language_model, torch.arange(first, first + 4)[None]
        at_once, _ = extend(language, tokens[None], positions, cache)
        assert cache.held == (16, 10, 10)
        cache.drop_last(4)
        in_turn = [
            extend(language, tokens[None, i : i + 1], positions[:, i : i + 1], cache)[0]
            for i in range(4)
        ]
    torch.testing.assert_close(at_once, torch.cat(in_turn, 1), atol=1e-5, rtol=1e-5)


def test_the_loop_is_passes_of_the_likeliest_token_in_turn(small, filled):
    cache, first = filled
    looped = CachedPasses(small.language_model, cache, first, rows=ActionRows((1, 3)))
    with torch.inference_mode():
        tokens, peaks = looped.greedy(torch.tensor([5]), 0, 4)
        assert cache.held == (16, 10, 10) and cache.lengths.tolist() == [16, 10, 10]
        rows = cache.store[2, :, :, :, 6:10].clone()
        cache.drop_last(4)
        passes = CachedPasses(small.language_model, cache, first, rows=ActionRows((1, 3)))
        fed, peak = torch.tensor([5]), []
        for place in range(4):
            logits = passes.extend(fed[-1:], place)
            peak.append(logits.max(-1).values)
            fed = torch.cat([fed, logits.argmax(-1)])
    assert tokens.tolist() == fed[1:].tolist()
    assert torch.equal(peaks, torch.cat(peak))
    assert torch.equal(cache.store[2, :, :, :, 6:10], rows)
    assert looped.made == passes.made == [(0, 1), (1, 1), (2, 1), (3, 1)]


def test_refused_tokens_leave_no_trace(small, filled):
    cache, first = filled
    passes = CachedPasses(small.language_model, cache, first)
    with torch.inference_mode():
        passes.extend(torch.tensor([5]), 0)
        clean = passes.extend(torch.tensor([9, 31]), 1)
        passes.rollback(3)
        passes.extend(torch.tensor([5, 40, 41, 42]), 0)
        passes.rollback(3)
        again = passes.extend(torch.tensor([9, 31]), 1)
    torch.testing.assert_close(again, clean, atol=1e-5, rtol=1e-5)
    assert clean.shape == (2, small.config.decoder.vocab)


def test_more_tokens_cannot_be_taken_back_than_a_layer_holds(small, filled):
    cache, first = filled
    passes = CachedPasses(small.language_model, cache, first)
    with pytest.raises(ValueError, match='cannot drop 7 tokens, a layer holds 6'):
        passes.rollback(7)
