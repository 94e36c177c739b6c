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

"""One number and its interval from the values of episodes."""

import numpy as np
import pytest

from vla_accel_ros.replay.pooling import estimate

RNG = np.random.default_rng(5)
PARTS = [RNG.normal(3.0 + e % 3, 1.0, 20 + e) for e in range(25)]


@pytest.mark.parametrize(
    ('pool', 'expected'),
    [
        ('mean', np.mean),
        ('p95', lambda v: np.percentile(v, 95)),
        ('max', np.max),
        ('rate', lambda v: 1 / np.mean(v)),
    ],
)
def test_all_values_are_pooled(pool, expected):
    assert estimate(PARTS, pool).value == pytest.approx(expected(np.concatenate(PARTS)))


@pytest.mark.parametrize('pool', ['mean', 'p50', 'rate'])
def test_the_interval_holds_the_value_and_is_wider_than_steps_alone_would_make_it(pool):
    found = estimate(PARTS, pool)
    assert found.low < found.value < found.high
    if pool == 'mean':
        values = np.concatenate(PARTS)
        # Episodes differ: their steps are no independent draws.
        assert found.high - found.low > 2 * 1.96 * values.std() / np.sqrt(len(values))


def test_the_same_episodes_give_the_same_interval():
    assert estimate(PARTS, 'mean') == estimate(PARTS, 'mean')


def test_one_episode_has_no_interval_and_neither_has_a_maximum():
    assert estimate(PARTS[:1], 'mean').low is None
    assert estimate(PARTS, 'max').low is None


def test_values_that_are_not_there_do_not_count():
    assert estimate([np.array([np.nan, 2.0]), np.array([np.nan])], 'mean').value == 2.0
    assert estimate([np.array([np.nan]), np.empty(0)], 'mean') is None
    assert estimate([], 'p95') is None


def test_a_way_of_pooling_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="pooling is 'median'"):
        estimate(PARTS, 'median')
