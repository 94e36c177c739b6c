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

import optuna
import pytest

from vla_accel_ros.options import Option
from vla_accel_ros.pruning.registry import METHODS, parameters_of
from vla_accel_ros.tuning.dimensions import Dimension, derived


def info(default, low=0, high=10, choices=()):
    return Option(
        'x', default, 'what for', range=None if choices else (low, high), choices=choices
    )


@pytest.mark.parametrize(
    ('of', 'wanted'),
    [
        (Option('x', True, 'what for'), Dimension('x', choices=(False, True))),
        (info('a', choices=('a', 'b')), Dimension('x', choices=('a', 'b'))),
        (info(0.25, 1e-3, 1.0), Dimension('x', 0.05, 1.0)),
        (info(0.0, 0.0, 1.0), Dimension('x', 0.0, 1.0)),
        (info(0.1, 0.0, 10.0), Dimension('x', 0.025, 0.4, log=True)),
        (info(24, 0, 65536), Dimension('x', 6, 96, integer=True)),
    ],
)
def test_a_range_follows_from_the_specification(of, wanted):
    found = derived(of)
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high))
    assert (found.choices, found.integer, found.log) == (
        wanted.choices,
        wanted.integer,
        wanted.log,
    )


def test_the_model_bounds_a_count():
    assert derived(info(24, 0, 65536), most=72).high == 72


@pytest.mark.parametrize('of', [info((1, 2)), Option('x', 'free text', 'what for')])
def test_what_has_no_range_is_refused(of):
    with pytest.raises(ValueError):
        derived(of)


@pytest.mark.parametrize('method', sorted(METHODS))
def test_no_range_of_pruning_leaves_the_specification(method):
    for each in parameters_of(method).values():
        try:
            found = derived(each)
        except ValueError:
            continue
        if not found.choices:
            low, high = each.range
            assert low <= found.low and found.high <= high


def test_a_range_is_widened_to_hold_what_the_search_begins_from():
    assert Dimension('x', 0.1, 0.2).holding(0.5).high == 0.5
    assert Dimension('x', 0.1, 0.2, log=True).holding(0.0) == Dimension('x', 0.0, 0.2)
    assert Dimension('x', choices=('a',)).holding('b').choices == ('a', 'b')


def test_a_range_can_be_given():
    assert Dimension('x', 0.1, 0.2).within('1:2') == Dimension('x', 1.0, 2.0)
    assert Dimension('x', 1, 2, integer=True).within('3:9').high == 9
    assert Dimension('x', choices=(True, False)).within('true').choices == (True,)


@pytest.mark.parametrize('text', ['5', '3:1', 'a:b', '1:nan', ':'])
def test_a_range_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match='x'):
        Dimension('x', 0.1, 0.2).within(text)


def test_a_choice_that_is_none_is_refused():
    with pytest.raises(ValueError, match="x is 'c', expected some of a/b"):
        Dimension('x', choices=('a', 'b')).within('c')


@pytest.mark.parametrize(
    'dimension',
    [
        Dimension('x', 0.5, 2.0, log=True),
        Dimension('x', 1, 3, integer=True),
        Dimension('x', choices=('a', 'b')),
    ],
)
def test_optuna_draws_from_the_range(dimension):
    trial = optuna.trial.FixedTrial({'x': dimension.choices[0] if dimension.choices else 1})
    assert dimension.suggest(trial) in (*dimension.choices, 1, 1.0)
