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

"""Lines between a robot's numbers and a network's."""

import numpy as np
import pytest

from vla_accel_ros.files.kinds import FieldError
from vla_accel_ros.models.normalisation import (
    IDENTITY,
    MEAN_STD,
    MIN_MAX,
    QUANTILES,
    line_of,
    padded,
)

ENTRY = {
    'mean': [1.0, 2.0],
    'std': [2.0, 0.5],
    'q01': [0.0, 1.0],
    'q99': [4.0, 1.0],
    'min': [0, 0],
    'max': [1, 2],
}


def test_mean_and_deviation():
    line = line_of(ENTRY, MEAN_STD)
    assert line.normalise(np.array([3.0, 2.0])) == pytest.approx([1.0, 0.0])
    assert line.unnormalise(np.array([2.0, -2.0])) == pytest.approx([5.0, 1.0])


def test_nothing_is_clipped():
    line = line_of(ENTRY, QUANTILES)
    assert line.normalise(np.array([8.0, 1.0]))[0] == pytest.approx(3.0)


def test_a_range_without_width_is_kept_from_dividing_by_zero():
    line = line_of(ENTRY, QUANTILES, least=1e-8)
    assert line.normalise(np.array([0.0, 1.0])) == pytest.approx([-1.0, -1.0])
    assert line.unnormalise(np.array([0.0, 0.5]))[1] == pytest.approx(1.0)


def test_identity_leaves_numbers_alone():
    assert line_of(ENTRY, IDENTITY).normalise(np.array([7.0, -7.0])).tolist() == [7.0, -7.0]


@pytest.mark.parametrize('mode', [MEAN_STD, MIN_MAX, QUANTILES])
def test_back_and_forth(mode):
    line, values = line_of({**ENTRY, 'q99': [4.0, 3.0]}, mode), np.array([[0.3, -4.0]])
    assert line.unnormalise(line.normalise(values)) == pytest.approx(values)


@pytest.mark.parametrize(
    ('entry', 'mode', 'said'),
    [
        ({}, MEAN_STD, 'part.mean is missing'),
        ({'mean': [1], 'std': [-1]}, MEAN_STD, r'part.std\[0\] is -1.* at least 0'),
        ({'q01': [1], 'q99': [0]}, QUANTILES, r'part.q99\[0\] is 0.* at least q01'),
        ({'min': [1, 2], 'max': [3]}, MIN_MAX, 'part.max is a list of 1, expected 2'),
    ],
)
def test_bad_statistics_are_refused(entry, mode, said):
    with pytest.raises(FieldError, match=said):
        line_of(entry, mode, where='part')


def test_padding_puts_zeros_behind():
    assert padded(np.array([1.0]), 3).tolist() == [1.0, 0.0, 0.0]
