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

"""Methods of eval's language, and what keep ratios and decoders make of them."""

import pytest

from vla_accel_ros.acceleration import find
from vla_accel_ros.bench.cases import SINGLE_PASS, Case, cases, scheduled


def listed(*given, **more):
    return [[case.name for case in group] for group in cases(*given, **more)]


def one(*given, **more):
    ((case,),) = cases(*given, **more)
    return case


def test_methods_are_those_of_eval_and_what_they_say_is_all_that_is_run():
    text = 'none,sp_vla@keep=0.25,hold+jacobi,fast'
    assert listed(text) == [['none', 'hold+jacobi', 'fast'], ['sp_vla@keep=0.25']]
    found = {case.name: case.method for group in cases(text) for case in group}
    assert found == {method.name: method for method in find(text)}


def test_scheduling_is_left_out_and_named():
    text = 'transformers,none,sp_vla@keep=0.25,sp_vla@keep=0.5,hold+jacobi,jacobi,fastv,fast'
    assert scheduled(case for group in cases(text) for case in group) == [
        'hold+jacobi',
        'fast',
        'sp_vla',
    ]


def test_ratios_are_written_into_methods_and_no_method_is_run_twice_at_one_count():
    groups = cases('transformers,none,fastv,specprune', ['own', '0.5'])
    found = [case for group in groups for case in group]
    assert [case.name for case in found] == [
        'transformers',
        'none',
        'fastv@keep=0.5',
        'specprune',
        'specprune@keep=0.5',
    ]
    assert [case.keep for case in found] == [None, None, 0.5, None, 0.5]
    assert found[4].parameters == {'keep': 0.5, 'budget': 'fixed'}


def test_what_a_method_says_itself_stays():
    case = one('fastv@keep=0.125,rows=all_rows,layer=3', ['0.5', '0.25'], layer=2)
    assert case.parameters == {'keep': 0.125, 'rows': 'all_rows', 'layer': 3}
    assert one('sp_vla@budget=adaptive', ['0.5']).keep is None
    assert one('tuned_fastv', ['0.5']).keep == 0.75


def test_a_ratio_without_a_pruning_method_is_what_it_is_in_eval():
    case = one('none@keep=0.5', ['0.25'])
    assert (case.pruner, case.keep) == ('fastv', 0.5)


def test_the_layer_reaches_those_that_drop_after_one():
    text = 'none,random,random@place=after_layer,vla_pruner'
    assert listed(text, ['0.25'], layer=2) == [
        ['none'],
        ['random@keep=0.25'],
        ['random@place=after_layer,layer=2,keep=0.25'],
        ['vla_pruner@layer=2,keep=0.25'],
    ]


def test_decoders_are_written_into_methods_that_name_none_with_greedy_decoding_first():
    groups = cases('transformers,none,fastv,fast', ['0.5'], 'verify,greedy,jacobi@draft=previous')
    assert [[(case.name, case.decoding) for case in group] for group in groups] == [
        [('transformers', 'greedy')],
        [
            ('none', 'greedy'),
            ('verify', 'verify, right draft'),
            ('jacobi@draft=previous', 'jacobi, previous draft'),
            ('fast', 'jacobi, right draft'),
        ],
        [
            ('fastv@keep=0.5', 'greedy'),
            ('fastv+verify@keep=0.5', 'verify, right draft'),
            ('fastv+jacobi@keep=0.5,draft=previous', 'jacobi, previous draft'),
        ],
    ]


def test_a_given_draft_is_right_or_wrong_or_both_and_others_are_as_they_are():
    text = 'verify,relaxed@relaxed_bins=3,draft=none'
    ((right, wrong, without),) = cases(text, given=['right', 'wrong'])
    assert [right.decoding, wrong.decoding] == ['verify, right draft', 'verify, wrong draft']
    assert [right.name, wrong.name] == ['verify', 'verify, wrong draft']
    assert without.decoding == 'relaxed by 3, no draft'


def test_a_single_pass_model_has_nothing_to_decode():
    groups = cases('transformers,fastv,jacobi', ['0.5'], 'greedy,verify', single_pass=True)
    assert [[case.name for case in group] for group in groups] == [
        ['transformers'],
        ['fastv@keep=0.5'],
        ['jacobi'],
    ]
    assert {case.decoding for group in groups for case in group} == {SINGLE_PASS}
    assert {case.draft for group in groups for case in group} == {'none'}


def test_cases_with_the_same_tokens_kept_are_told_by_their_pruning():
    (first, second), (other,) = cases('fastv@keep=0.5,hold+fastv@keep=0.5,fastv@keep=0.25')
    assert first.pruning == second.pruning != other.pruning
    assert Case(None).pruning == ('transformers',)


@pytest.mark.parametrize(
    ('text', 'said'),
    [
        ('prune', "method 'prune' is unknown, expected some of: none"),
        ('fastv:keep=0.5', "'fastv:keep=0.5' .* expected name@key=value"),
        ('fastv@speed=1', "'speed' is unknown, expected"),
        ('fastv@keep', "'keep' is no setting, expected key=value"),
        ('fastv@keep=2', 'keep is 2.0, expected a number from 0.001 to 1.0'),
        ('fastv@keep=much', "keep is 'much', expected a number"),
        ('specprune@history=perhaps', "'perhaps', expected true or false"),
        ('transformers@keep=1', "plain path and has no parameters, got 'keep=1'"),
        ('', 'nothing to compare'),
        ('none,none', "'none' comes twice"),
        ('keep=0.5,none', 'before any method'),
    ],
)
def test_a_method_that_cannot_be_run_is_named(text, said):
    with pytest.raises(ValueError, match=said):
        cases(text)


@pytest.mark.parametrize('text', ['0', '-0.5', '1.5', 'all', '', 'nan'])
def test_a_keep_ratio_out_of_range_is_named(text):
    with pytest.raises(ValueError, match=f"'{text}'.*above 0 and at most 1"):
        cases('fastv', [text])


@pytest.mark.parametrize(
    ('text', 'said'),
    [
        ('beam', "decoder is 'beam', expected one of greedy, verify"),
        ('fastv', "decoder is 'fastv', expected one of greedy"),
        ('verify@keep=0.5', "decoder is 'verify@keep=0.5', expected"),
        ('verify@draft=best', "draft is 'best', expected one of 'given'"),
        ('greedy@draft=previous', 'no draft'),
        ('verify,verify', "'verify' comes twice"),
    ],
)
def test_a_decoder_that_cannot_be_run_is_named(text, said):
    with pytest.raises(ValueError, match=said):
        cases('none', decoders=text)


def test_a_given_draft_that_cannot_be_made_is_named():
    with pytest.raises(ValueError, match="given draft is 'best', expected right or wrong"):
        cases('none', given=['best'])


def test_a_method_without_a_count_of_its_own_needs_a_ratio():
    with pytest.raises(ValueError, match='nothing to compare'):
        cases('fastv', ['own'])
    with pytest.raises(ValueError, match="'fastv@keep=0\\.5' comes twice"):
        cases('fastv', ['0.5', '0.5'])
