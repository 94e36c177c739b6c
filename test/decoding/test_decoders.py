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

"""The ways of decoding on a model without rounding: exactness, passes, what is counted."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st
import pytest
from table_model import VOCAB, TableModel, decode
import torch

from vla_accel_ros.decoding.registry import DECODERS, EXACT, create

COUNT = 7
drafts = st.one_of(st.none(), st.lists(st.integers(0, VOCAB - 1), min_size=7, max_size=7))


def truth(model):
    tokens = []
    while len(tokens) < COUNT:
        tokens.append(model.next(tokens))
    return tokens


def corrupted(tokens, pattern):
    return [
        (token + 1) % VOCAB if wrong else token
        for token, wrong in zip(tokens, pattern, strict=True)
    ]


@given(
    seed=st.integers(0, 10**6), reach=st.integers(0, 7), draft=drafts, name=st.sampled_from(EXACT)
)
def test_exact_decoders_give_the_tokens_of_greedy_decoding(seed, reach, draft, name):
    model = TableModel(seed, reach)
    decoded = decode(create(name), model, draft)
    assert decoded.tokens.tolist() == truth(model)
    assert decoded.tokens.dtype == torch.int64
    # Each peak is the logit of its token, in the pass that settled it.
    assert decoded.peaks.tolist() == [1 + place for place in range(COUNT)]
    assert 1 <= decoded.passes <= COUNT
    # What is left in the cache is the answer, so that attention scores may be read from it.
    assert model.cache == truth(model)[:-1]


@pytest.mark.parametrize('pattern', list(product((False, True), repeat=COUNT)))
def test_verify_takes_a_pass_more_for_each_wrong_number_but_the_last(pattern):
    model = TableModel(5)
    draft = corrupted(truth(model), pattern)
    decoded = decode(create('verify'), model, draft)
    assert decoded.tokens.tolist() == truth(model)
    assert decoded.passes == 1 + sum(pattern[:-1])
    assert decoded.accepted == COUNT - sum(pattern)


@pytest.mark.parametrize('pattern', list(product((False, True), repeat=COUNT)))
def test_jacobi_accepts_the_longest_matching_prefix(pattern):
    model = TableModel(5)
    decoded = decode(create('jacobi'), model, corrupted(truth(model), pattern))
    prefix = pattern.index(True) if any(pattern) else COUNT
    assert decoded.tokens.tolist() == truth(model)
    assert decoded.accepted == prefix
    assert decoded.passes <= max(1, COUNT - prefix)


def test_jacobi_needs_no_draft_where_numbers_do_not_depend_on_one_another():
    model = TableModel(1, reach=0)
    decoded = decode(create('jacobi'), model)
    # One pass to choose, one to see that nothing moved.
    assert decoded.tokens.tolist() == truth(model) and decoded.passes == 2
    assert decoded.accepted == 0


def test_greedy_runs_one_token_a_pass_and_looks_at_no_draft():
    model = TableModel(2)
    decoded = decode(create('greedy'), model, truth(model))
    assert model.widths == [1] * 6 and decoded.passes == COUNT and decoded.accepted == 0


def test_verify_without_a_draft_is_greedy_decoding():
    model = TableModel(2)
    decoded = decode(create('verify'), model)
    assert model.widths == [1] * 6 and decoded.passes == COUNT and decoded.accepted == 0


def test_a_right_draft_takes_no_pass_after_the_prefill():
    for name in ('verify', 'jacobi', 'relaxed'):
        model = TableModel(3)
        decoded = decode(create(name), model, truth(model))
        assert model.widths == [] and decoded.passes == 1 and decoded.accepted == COUNT


@pytest.mark.parametrize('name', DECODERS)
def test_an_end_token_shortens_nothing(name):
    model = TableModel(4, forced={0: 2, 3: 2})
    for draft in (None, truth(model), [2] * COUNT):
        decoded = decode(create(name), model, draft)
        assert len(decoded.tokens) == COUNT
        assert decoded.tokens[0] == decoded.tokens[3] == 2


@given(seed=st.integers(0, 10**6), draft=drafts)
def test_relaxed_by_no_bins_is_jacobi(seed, draft):
    relaxed = decode(create('relaxed', 0), TableModel(seed), draft)
    jacobi = decode(create('jacobi'), TableModel(seed), draft)
    assert relaxed.tokens.tolist() == jacobi.tokens.tolist()
    assert (relaxed.passes, relaxed.accepted) == (jacobi.passes, jacobi.accepted)


def test_relaxed_stops_when_nothing_moves_far_and_emits_the_models_tokens():
    model = TableModel(0, forced=dict(enumerate([30, 31, 32, 33, 34, 35, 36])))
    draft = [31, 30, 32, 35, 34, 35, 36]
    near = decode(create('relaxed', 2), model, draft)
    assert near.passes == 1 and near.accepted == COUNT
    assert near.tokens.tolist() == [30, 31, 32, 33, 34, 35, 36]
    # A move of 3 is a move: from there on it goes as Jacobi does.
    far = decode(create('relaxed', 2), model, [31, 30, 32, 36, 34, 35, 36])
    assert far.passes == 2 and far.accepted == 3
    assert far.tokens.tolist() == [30, 31, 32, 33, 34, 35, 36]


@given(seed=st.integers(0, 10**6), reach=st.integers(0, 7), draft=drafts, bins=st.integers(0, 64))
def test_each_relaxed_token_follows_from_inputs_near_to_those_emitted(seed, reach, draft, bins):
    model = TableModel(seed, reach)
    decoded = decode(create('relaxed', bins), model, draft)
    tokens, inputs = decoded.tokens.tolist(), model.cache
    assert tokens == [model.next(inputs[:place]) for place in range(COUNT)]
    assert all(abs(a - b) <= bins for a, b in zip(inputs, tokens, strict=False))
    assert 1 <= decoded.passes <= COUNT


@pytest.mark.parametrize('count', [1, 2, 7, 14])
@pytest.mark.parametrize('name', DECODERS)
def test_answers_may_have_any_length(name, count):
    model = TableModel(6)
    expected = []
    while len(expected) < count:
        expected.append(model.next(expected))
    for draft in (None, expected, [0] * count):
        decoded = decode(create(name, 0), model, draft, count)
        assert decoded.tokens.tolist() == expected


def test_unknown_ways_and_bins_below_nought_are_refused():
    with pytest.raises(ValueError, match="'magic', expected one of greedy, verify, jacobi, rel"):
        create('magic')
    with pytest.raises(ValueError, match='-1 bins, expected 0 or more'):
        create('relaxed', -1)
