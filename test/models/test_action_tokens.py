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

"""Token ids, bins and units."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
import numpy as np
import pytest
from spaces import JOINTS, TWO_ARMS, both

from vla_accel_ros.models.action_tokens import (
    ActionStatistics,
    ActionTokens,
    UnnormKeyError,
    from_si,
    select_statistics,
    to_si,
)

TOKENS = ActionTokens()
UNIT = hnp.arrays(np.float64, 7, elements=st.floats(-1, 1))


@given(UNIT)
def test_a_value_comes_back_within_half_a_bin(values):
    assert np.abs(TOKENS.decode(TOKENS.encode(values)) - values).max() <= 1 / 255 + 1e-12


@given(st.integers(31745, 31999))
def test_a_bin_comes_back_as_itself(token):
    assert TOKENS.encode(TOKENS.decode(np.array([token])))[0] == token


@given(st.integers(-10, 40000))
def test_any_token_is_a_value_inside_the_range(token):
    assert -1 < TOKENS.decode(np.array(token)) < 1


@given(st.integers(2, 300), st.integers(301, 5000))
def test_bins_are_the_last_tokens_in_reverse(bins, vocab):
    tokens = ActionTokens(vocab, bins)
    ids = np.arange(tokens.first + 1, vocab)
    assert (np.diff(tokens.decode(ids)) < 0).all()
    assert (tokens.encode(np.array([-1.0, 1.0])) == [vocab - 1, tokens.first]).all()


def test_first_and_last_bin_are_where_openvla_has_them():
    assert TOKENS.decode(np.array([31999, 31745])) == pytest.approx([-254 / 255, 254 / 255])
    # 31744 is the edge at 1 itself, which has no centre of its own.
    assert TOKENS.decode(np.array(31744)) == TOKENS.decode(np.array(31745))


@pytest.mark.parametrize('bad', [np.nan, np.inf])
def test_not_a_number_is_no_token(bad):
    with pytest.raises(ValueError, match='not finite'):
        TOKENS.encode(np.array([bad]))


STATISTICS = ActionStatistics(
    np.array([-0.5, -0.1, 0, 0, 0, 0, 0.2]),
    np.array([0.5, 0.3, 1, 1, 1, 1, 0.9]),
    np.array([True] * 6 + [False]),
)


@given(UNIT)
def test_units_and_back(values):
    again = STATISTICS.normalise(STATISTICS.unnormalise(values))
    assert again == pytest.approx(values, abs=1e-12)


def test_masked_out_column_keeps_its_value():
    values = STATISTICS.unnormalise(np.array([-1.0, 1, 0, 0, 0, 0, 0.7]))
    assert values == pytest.approx([-0.5, 0.3, 0.5, 0.5, 0.5, 0.5, 0.7])


def test_outliers_are_clipped_and_a_still_column_is_the_middle():
    still = ActionStatistics(np.zeros(2), np.array([0.0, 1.0]), np.ones(2, bool))
    assert still.normalise(np.array([5.0, 5.0])) == pytest.approx([0, 1])
    assert still.unnormalise(np.array([0.0, 1.0])) == pytest.approx([0, 1])


def test_statistics_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match='differ in length'):
        ActionStatistics(np.zeros(7), np.ones(6), np.ones(7, bool))
    with pytest.raises(ValueError, match='q99'):
        ActionStatistics.from_dict({'q01': [0]})


ENTRY = {'action': {'q01': [0], 'q99': [1], 'mask': [True]}}


def test_the_only_key_needs_no_naming():
    assert select_statistics({'bridge': ENTRY}, None)[0] == 'bridge'


@pytest.mark.parametrize(
    ('stats', 'key', 'message'),
    [
        ({'a': ENTRY, 'b': ENTRY}, None, '2 data sets.*must be one of: a, b'),
        ({'a': ENTRY, 'b': ENTRY}, 'c', "'c' is not one of: a, b"),
        ({}, None, r'no data set, expected some in dataset_statistics\.json or'),
        ({}, 'a', 'statistics of no data set'),
    ],
)
def test_a_wrong_or_missing_key_lists_the_keys(stats, key, message):
    with pytest.raises(UnnormKeyError, match=message):
        select_statistics(stats, key)


def test_every_gripper_of_a_space_is_turned_about_and_back(small_config):
    count = TWO_ARMS.width
    mask = np.ones(count, bool)
    mask[TWO_ARMS.grippers] = False
    statistics = ActionStatistics(np.full(count, -0.1), np.full(count, 0.1), mask)
    config = replace(small_config, gripper_open_is_one=True)
    normalised = np.linspace(0.0, 0.9, count)
    values = to_si(normalised, statistics, config, TWO_ARMS)
    grippers = TWO_ARMS.grippers
    np.testing.assert_allclose(values[grippers], 1 - normalised[grippers])
    np.testing.assert_allclose(values[TWO_ARMS.moving], 0.1 * normalised[TWO_ARMS.moving])
    np.testing.assert_allclose(from_si(values, statistics, config, TWO_ARMS), normalised)


def test_the_largest_step_is_of_the_arm_and_the_joint_that_may_go_furthest():
    reach = both([0.03, 0.04, 0, 0, 0, 0.2, 1], [0.01, 0, 0, 0.3, 0.4, 0, 1])
    statistics = ActionStatistics(-reach, reach, np.ones(14, bool))
    assert statistics.largest_step(TWO_ARMS) == pytest.approx((0.05, 0.5))
    reach = np.array([9, 9, 9, 1, 0.02, 0.1, 0.3, 1])
    statistics = ActionStatistics(-reach, reach, np.ones(8, bool))
    assert statistics.largest_step(JOINTS) == pytest.approx((0.02, 0.3))
