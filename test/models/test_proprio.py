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

"""Proprioception: scaled by the data set's range, clipped, refused where it does not fit."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
import numpy as np
import pytest

from vla_accel_ros.models.families.oft.config import OFTConfig
from vla_accel_ros.models.presets import embedded
from vla_accel_ros.models.proprio import Proprioception, ProprioError

LOW, HIGH = [-0.5, 0.0, 1.0], [0.5, 2.0, 1.0]


def scale(numbers=3, **statistics):
    config = replace(
        embedded(40, head=OFTConfig(proprio=numbers)),
        norm_stats={'here': {'proprio': {'q01': LOW, 'q99': HIGH, **statistics}}},
    )
    return Proprioception(config, 'here')


def test_the_range_becomes_minus_one_to_one_and_what_is_beyond_is_clipped():
    scaled = scale()(np.array([0.25, -9.0, 1.0]))
    assert scaled.dtype == np.float32
    assert scaled == pytest.approx([0.5, -1.0, -1.0])


def test_the_middle_of_the_range_is_nought():
    assert scale(q99=[0.5, 2.0, 3.0])(scale(q99=[0.5, 2.0, 3.0]).middle) == pytest.approx(
        [0, 0, 0], abs=1e-7
    )


def test_what_is_not_masked_in_is_clipped_alone():
    assert scale(mask=[True, False, False])(np.array([0.5, 0.5, 7.0])) == pytest.approx(
        [1.0, 0.5, 1.0]
    )


@given(arrays(np.float64, 3, elements=st.floats(-1e6, 1e6)))
def test_any_finite_numbers_come_out_finite_and_within_one(values):
    scaled = scale()(values)
    assert np.isfinite(scaled).all()
    assert (np.abs(scaled) <= 1).all()


@pytest.mark.parametrize(
    ('values', 'got'),
    [
        (None, 'has none'),
        (np.zeros(2), r'has \[2\]'),
        (np.zeros((1, 3)), r'has \[1, 3\]'),
        (np.array([0.0, np.nan, 0.0]), 'nan'),
        (np.array([0.0, np.inf, 0.0]), 'inf'),
    ],
)
def test_what_does_not_fit_is_refused_and_says_what_is_wanted(values, got):
    with pytest.raises(ProprioError, match=f'wants 3 numbers of proprioception.*{got}'):
        scale()(values)


def test_statistics_of_another_size_are_refused():
    with pytest.raises(ProprioError, match=r"'here' has 3 columns .* wants 8 numbers"):
        scale(8)
    with pytest.raises(ProprioError, match=r'here\.proprio\.q99 is a list of 2, expected 3 as'):
        scale(q99=[0.5, 2.0])


def test_a_data_set_without_proprioception_is_refused():
    config = replace(embedded(40, head=OFTConfig(proprio=3)), norm_stats={'here': {'action': {}}})
    with pytest.raises(ProprioError, match=r"'here' has no q01 and q99 .* wants 3 numbers"):
        Proprioception(config, 'here')
