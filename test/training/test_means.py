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

"""Means count what is there, and a training that learns nothing ends."""

import math

import pytest

from vla_accel_ros.training.means import Means, NotFiniteError


def test_a_value_is_the_mean_of_the_steps_that_have_it():
    means = Means(most=5)
    means.add({'action': 1.0, 'goal_mm': 8.0}, 0.5)
    means.add({'action': 2.0}, 0.5)
    means.add({'action': 3.0, 'goal_mm': math.nan}, 0.5)
    assert means.count == 3
    assert means.take() == {'action': 2.0, 'goal_mm': 8.0, 'norm': 0.5}
    assert means.count == 0 and means.take() == {}


def test_steps_that_were_left_out_are_counted():
    means = Means(most=5)
    means.add({'action': 1.0}, 1.0)
    means.add({'action': math.inf, 'point': math.nan}, math.nan)
    taken = means.take()
    assert taken['action'] == 1.0 and taken['left_out'] == 1
    assert math.isnan(taken['point'])


def test_too_many_steps_in_a_row_that_are_left_out_end_the_training():
    means = Means(most=3)
    for norm in (math.nan, math.inf, 1.0, math.nan, math.nan):
        means.add({}, norm)
    means.take()
    with pytest.raises(NotFiniteError, match='3 steps in a row are not finite'):
        means.add({}, math.nan)
