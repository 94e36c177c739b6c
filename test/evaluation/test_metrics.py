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
"""Intervals agree with published values, and summaries add up."""

from episodes import call, episode
from hypothesis import given
from hypothesis import strategies as st
import pytest

from vla_accel_ros.evaluation.metrics import summarise, wilson


@pytest.mark.parametrize(('successes', 'trials', 'low', 'high'), [
    # Newcombe 1998, Statistics in Medicine 17, table I, method 3.
    (81, 263, 0.2553, 0.3662),
    (15, 148, 0.0624, 0.1605),
    (0, 20, 0.0000, 0.1611),
    (1, 29, 0.0061, 0.1718),
])
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


def test_a_summary_counts_model_time_of_failures_too():
    summary = summarise('none', [
        episode('none', 1, True, [call(10), None, call(20), None]),
        episode('none', 2, False, [call(30)] * 6)])
    assert summary['success'] == 0.5
    assert summary['steps'] == 10
    assert summary['steps_per_success'] == 4
    assert summary['model_calls'] == 8
    assert summary['model_ms_per_step'] == pytest.approx(21.0)
    assert summary['model_ms_per_success'] == pytest.approx(210.0)
    assert summary['call_ms_p50'] == 30.0
    assert summary['decisions'] == {'deliberative': 0.8, 'intuitive': 0.2}
    assert summary['failed_seeds'] == [2]


def test_what_has_no_value_is_none():
    summary = summarise('none', [episode('none', 1, False, [None] * 3)])
    assert summary['model_ms_per_success'] is None
    assert summary['call_ms_p95'] is None
    with pytest.raises(ValueError, match='no episode'):
        summarise('none', [])
