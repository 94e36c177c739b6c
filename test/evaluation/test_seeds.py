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
"""No seed is for two purposes."""

from itertools import combinations

import pytest

from vla_accel_ros.evaluation import seeds


def test_the_ranges_are_disjoint():
    for one, two in combinations(seeds.RANGES.values(), 2):
        assert one.stop <= two.start or two.stop <= one.start


def test_a_seed_tells_what_it_is_for():
    assert seeds.purpose(seeds.RANGES['tuning'].start) == 'tuning'
    assert seeds.purpose(-1) is None


@pytest.mark.parametrize(
    ('purpose', 'first', 'count', 'said'),
    [
        ('reporting', 5, 3, 'not all for reporting'),
        ('training', 999_999, 2, 'not all for training'),
        ('tuning', 1_000_000, 0, '0 episodes'),
    ],
)
def test_other_seeds_are_refused(purpose, first, count, said):
    with pytest.raises(ValueError, match=said):
        seeds.require(purpose, first, count)


def test_seeds_of_the_range_are_given():
    assert list(seeds.require('tuning', 1_000_000, 2)) == [1_000_000, 1_000_001]


@pytest.mark.parametrize(
    ('first', 'purpose'),
    [(0, 'training'), (1_000_000, 'tuning'), (2_999_998, 'reporting'), (3_000_000, 'other')],
)
def test_any_range_may_be_named_and_is_said(first, purpose):
    assert seeds.of_purpose(first, 2) == (purpose, range(first, first + 2))


@pytest.mark.parametrize(
    ('first', 'count', 'said'),
    [(-1, 3, 'seed -1'), (999_999, 2, 'not all for training'), (4_000_000, 0, '0 episodes')],
)
def test_seeds_are_for_one_thing(first, count, said):
    with pytest.raises(ValueError, match=said):
        seeds.of_purpose(first, count)
