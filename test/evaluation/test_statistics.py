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

"""Intervals agree with published values and with what they must be."""

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from vla_accel_ros.evaluation.statistics import bootstrap, paired_difference, wilson


@pytest.mark.parametrize(
    ('successes', 'trials', 'low', 'high'),
    [
        # Newcombe 1998, Statistics in Medicine 17, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_interval(successes, trials, low, high):
    assert wilson(successes, trials) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_share_and_stays_inside_0_to_1(case):
    successes, trials = case
    low, high = wilson(successes, trials)
    assert 0 <= low <= successes / trials <= high <= 1


@pytest.mark.parametrize(('successes', 'trials'), [(0, 0), (3, 2), (-1, 5)])
def test_a_share_that_cannot_be_is_refused(successes, trials):
    with pytest.raises(ValueError, match='expected 0 <= successes'):
        wilson(successes, trials)


def pairs(both, first, second, neither):
    """Make trials of which so many succeed in both ways, in one, in none."""
    return (
        [True] * (both + first) + [False] * (second + neither),
        [True] * both + [False] * first + [True] * second + [False] * neither,
    )


COUNTS = st.tuples(*[st.integers(0, 40)] * 4).filter(any)


@pytest.mark.parametrize(
    ('counts', 'z', 'low', 'high', 'digits'),
    [
        # Fagerland, Lydersen and Laake, Statistical Analysis of Contingency Tables (2017), ch. 8.
        ((1, 1, 7, 12), 1.959964, -0.517, -0.026, 3),
        ((59, 6, 16, 80), 1.959964, -0.1240, -0.0054, 4),
        # R's PropCIs::scoreci.mp(25, 28, 618, 0.9), which takes the second less the first.
        ((300, 28, 25, 265), 1.644854, -0.0148, 0.0247, 4),
    ],
)
def test_a_paired_difference_has_the_published_interval(counts, z, low, high, digits):
    found = paired_difference(*pairs(*counts), z)
    assert found == pytest.approx((low, high), abs=0.51 * 10**-digits)


@given(COUNTS)
def test_it_holds_the_difference_and_turns_about_with_it(counts):
    mine, other = pairs(*counts)
    low, high = paired_difference(mine, other)
    assert -1 <= low <= np.mean(mine) - np.mean(other) <= high <= 1
    assert paired_difference(other, mine) == pytest.approx((-high, -low), abs=1e-9)


@given(COUNTS)
def test_it_leaves_out_0_just_where_mcnemar_rejects(counts):
    _, first, second, _ = counts
    low, high = paired_difference(*pairs(*counts))
    rejected = first + second > 0 and (first - second) ** 2 / (first + second) > 1.959964**2
    assert (low > 0 or high < 0) == rejected


def test_no_difference_in_200_pairs_is_known_to_within_2_points():
    low, high = paired_difference(*pairs(190, 0, 0, 10))
    assert high == pytest.approx(1.959964**2 / (200 + 1.959964**2))
    assert low == pytest.approx(-high)


@pytest.mark.parametrize(('mine', 'other'), [([], []), ([True], [True, False])])
def test_trials_that_are_no_pairs_are_refused(mine, other):
    with pytest.raises(ValueError, match='expected as many'):
        paired_difference(mine, other)


def test_a_bootstrap_of_a_mean_is_near_its_standard_error_and_repeats():
    values = np.random.default_rng(3).normal(10, 2, 400)
    low, high = bootstrap(lambda drawn: values[drawn].mean(1), 400)
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)
    assert low < values.mean() < high
    assert (low, high) == bootstrap(lambda drawn: values[drawn].mean(1), 400)


def test_a_bootstrap_says_when_an_end_is_unknown():
    won = np.array([1] + [0] * 9)

    def cost_per_success(drawn):
        with np.errstate(divide='ignore'):
            return 10 / won[drawn].sum(1)

    assert bootstrap(cost_per_success, 10) is None
    with pytest.raises(ValueError, match='at least 1'):
        bootstrap(cost_per_success, 0)
