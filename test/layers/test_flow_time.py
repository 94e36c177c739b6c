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

"""Times of a flow, and their embedding."""

import math

import pytest
import torch

from vla_accel_ros.layers.flow_names import ADDED, COUNTED
from vla_accel_ros.layers.flow_time import embed_times, euler_times


@pytest.mark.parametrize('how', [ADDED, COUNTED])
def test_times_fall_from_one_to_a_step_above_zero(how):
    times, step = euler_times(10, how=how)
    assert times[0] == 1.0 and step == pytest.approx(-0.1)
    assert times[-1] == pytest.approx(0.1, abs=1e-6)
    assert times == sorted(times, reverse=True)


def test_times_added_and_counted_differ_by_rounding():
    added, counted = euler_times(10)[0], euler_times(10, how=COUNTED)[0]
    assert added != counted and added == pytest.approx(counted, abs=2e-7)


def test_a_flow_may_begin_later():
    times, step = euler_times(3, 0.6)
    assert times == pytest.approx([0.6, 0.4, 0.2]) and step == pytest.approx(-0.2)


@pytest.mark.parametrize(
    ('steps', 'begin', 'how'), [(0, 1.0, ADDED), (1, 0.0, ADDED), (1, 1.0, 'x')]
)
def test_odd_steps_are_refused(steps, begin, how):
    with pytest.raises(ValueError, match='expected at least 1'):
        euler_times(steps, begin, how)


def test_sines_come_first_and_periods_are_spaced_on_a_log_scale():
    found = embed_times(torch.tensor([0.25]), 6, 0.5, 2.0)[0]
    angles = [2 * math.pi * 0.25 / period for period in (0.5, 1.0, 2.0)]
    expected = [*map(math.sin, angles), *map(math.cos, angles)]
    assert found.tolist() == pytest.approx(expected, abs=1e-12)
