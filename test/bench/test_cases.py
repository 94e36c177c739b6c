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

import pytest

from vla_accel_ros.bench.cases import (
    GREEDY,
    SINGLE_PASS,
    Decoding,
    cases,
    parse_decoder,
    parse_keep,
    parse_method,
    prunings,
)


def test_methods_and_ratios_are_combined_and_no_method_is_run_twice_at_one_count():
    found = prunings(['transformers', 'none', 'fastv', 'specprune'], ['own', '0.5'])
    assert [p.name for p in found] == [
        'transformers',
        'none',
        'fastv 0.5',
        'specprune own',
        'specprune 0.5',
    ]
    assert dict(found[2].parameters) == {'keep': 0.5}
    assert dict(found[3].parameters) == {}
    assert dict(found[4].parameters) == {'keep': 0.5, 'budget': 'fixed'}


def test_settings_written_with_a_method_win():
    (found,) = prunings(['fastv:keep=0.125:rows=all_rows:layer=3'], ['0.5', '0.25'], layer=2)
    assert dict(found.parameters) == {'keep': 0.125, 'rows': 'all_rows', 'layer': 3}


def test_a_ratio_written_with_a_method_is_kept_though_it_has_a_budget_of_its_own():
    asked, adaptive = prunings(['sp_vla:keep=0.5', 'sp_vla:keep=0.5:budget=adaptive'], ['0.25'])
    assert dict(asked.parameters) == {'keep': 0.5, 'budget': 'fixed'}
    assert dict(adaptive.parameters) == {'keep': 0.5, 'budget': 'adaptive'}


def test_the_layer_reaches_those_that_have_one():
    found = prunings(['none', 'random:place=after_layer', 'vla_pruner'], ['0.25'], layer=2)
    assert [p.parameters.get('layer') for p in found] == [None, 2, 2]


def test_settings_have_the_types_of_their_parameters():
    name, values = parse_method(
        'specprune:history=false:drop_layers=3/5:drop_share=0.2:k_local=7:confidence=mean_std'
    )
    assert name == 'specprune'
    assert values == {
        'history': False,
        'drop_layers': (3, 5),
        'drop_share': 0.2,
        'k_local': 7,
        'confidence': 'mean_std',
    }


@pytest.mark.parametrize(
    ('text', 'named'),
    [
        ('prune', 'prune.*transformers.*fastv'),
        ('fastv:speed=1', 'speed=1.*keep='),
        ('fastv:keep', 'keep'),
        ('fastv:keep=2', '2'),
        ('fastv:keep=much', 'much.*expected a number'),
        ('specprune:history=perhaps', 'perhaps.*true or false'),
        ('transformers:keep=1', 'keep=1'),
        ('', "''.*expected one of"),
    ],
)
def test_a_method_that_cannot_be_run_is_named(text, named):
    with pytest.raises(ValueError, match=named):
        parse_method(text)


@pytest.mark.parametrize('text', ['0', '-0.5', '1.5', 'all', '', 'nan'])
def test_a_keep_ratio_out_of_range_is_named(text):
    with pytest.raises(ValueError, match=f"'{text}'.*above 0 and at most 1"):
        parse_keep(text)


def test_a_decoder_without_a_draft_gets_the_right_one():
    assert parse_decoder('verify') == Decoding('verify', 'right')
    assert parse_decoder('jacobi:previous') == Decoding('jacobi', 'previous')
    assert parse_decoder('greedy') == GREEDY


@pytest.mark.parametrize(
    ('text', 'named'),
    [('beam', 'beam.*greedy'), ('verify:best', 'best.*right'), ('greedy:right', 'no draft')],
)
def test_a_decoder_that_cannot_be_run_is_named(text, named):
    with pytest.raises(ValueError, match=named):
        parse_decoder(text)


def test_cases_come_by_pruning_with_greedy_decoding_first_and_the_plain_baseline_alone():
    groups = cases(prunings(['transformers', 'none'], ['own']), ['verify:right', 'greedy'])
    assert [[case.name for case in group] for group in groups] == [
        ['transformers, greedy'],
        ['none, greedy', 'none, verify:right'],
    ]


def test_a_single_pass_model_has_nothing_to_decode():
    groups = cases(prunings(['transformers', 'fastv'], ['0.5']), ['greedy', 'verify'], True)
    assert [[case.decoding.decoder for case in group] for group in groups] == [[SINGLE_PASS]] * 2


@pytest.mark.parametrize(
    ('methods', 'keeps', 'decoders'),
    [([], ['0.5'], ['greedy']), (['none'], ['own'], []), (['fastv'], ['own'], ['greedy'])],
)
def test_nothing_to_compare_is_an_error(methods, keeps, decoders):
    with pytest.raises(ValueError, match='nothing to compare'):
        cases(prunings(methods, keeps), decoders)


def test_what_comes_twice_is_an_error():
    with pytest.raises(ValueError, match=r'twice: fastv 0\.5'):
        prunings(['fastv'], ['0.5', '0.5'])
    with pytest.raises(ValueError, match='twice: verify:right'):
        cases(prunings(['none'], ['own']), ['verify', 'verify:right'])
