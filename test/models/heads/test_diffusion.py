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

"""The schedule: which steps are taken, and which numbers of steps there are."""

import numpy as np
import pytest

from vla_accel_ros.models.heads.diffusion import StepsError, Walk, alphas, counts, kept_times


@pytest.mark.parametrize(('count', 'stride'), [(1, 100), (2, 50), (5, 20), (10, 10), (100, 1)])
def test_steps_lie_an_equal_stride_apart_and_begin_at_zero(count, stride):
    assert kept_times(100, count).tolist() == [stride * i for i in range(count)]


def test_of_several_strides_the_smallest_is_taken():
    # 34 steps: 0, 3, ..., 99; with 33 there would be four.
    assert kept_times(100, 4).tolist() == [0, 25, 50, 75]
    assert kept_times(100, 3).tolist() == [0, 34, 68]


@pytest.mark.parametrize('count', [0, 11, 19, 30, 99, 101])
def test_a_number_without_a_stride_is_refused_with_those_that_there_are(count):
    with pytest.raises(StepsError, match=rf'^{count} steps of denoising, expected one of 1, 2, 3'):
        kept_times(100, count)
    assert count not in counts(100)


def test_a_walk_begins_at_the_noisiest_step_that_is_kept_and_ends_without_noise():
    walk, left = Walk.of(100, 10), alphas(100)
    assert walk.times.tolist() == list(range(90, -1, -10)), 'it begins at 90, not at 99'
    shrink, part, keep, again = walk.scales[0]
    assert shrink == pytest.approx(left[90] ** -0.5)
    assert part == pytest.approx((1 / left[90] - 1) ** 0.5)
    assert (keep, again) == pytest.approx((left[80] ** 0.5, (1 - left[80]) ** 0.5))
    assert walk.scales[-1][2:].tolist() == [1, 0]
    assert walk.scales.dtype == np.float64
