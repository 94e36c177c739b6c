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

"""Clocks from the command line, and latencies that repeat."""

import json

import numpy as np
import pytest

from vla_accel_ros.acceleration import find
from vla_accel_ros.evaluation.clocks import latencies
from vla_accel_ros.evaluation.latency import Fixed, Measured, Recorded

METHODS = find('none,hold')


def test_the_step_clock_has_no_latency():
    assert latencies('step', None, METHODS) == (None, None)


def test_on_the_real_clock_calls_take_what_they_take_or_what_is_given():
    assert latencies('real', None, METHODS) == (Measured(), Measured())
    assert Measured().ms(17.5) == 17.5
    assert not Measured().deterministic
    fixed, _ = latencies('real', '12.5', METHODS)
    assert (fixed, fixed.ms(99)) == (Fixed(12.5), 12.5)


def test_recorded_latencies_are_of_the_same_method_and_repeat(tmp_path):
    report = tmp_path / 'report.json'
    report.write_text(
        json.dumps(
            {
                'methods': [
                    {'method': 'hold', 'call_ms_quantiles': [5, 6, 7]},
                    {'method': 'none', 'call_ms_quantiles': [20, 30, 100]},
                ]
            }
        )
    )
    none, hold = latencies('real', str(report), METHODS)
    assert (none.quantiles, hold.quantiles) == ((20, 30, 100), (5, 6, 7))
    none.begin(3)
    first = [none.ms(0) for _ in range(400)]
    none.begin(3)
    assert [none.ms(1) for _ in range(400)] == first
    assert 20 <= np.quantile(first, 0.4) <= 30 <= np.quantile(first, 0.6) <= 100


@pytest.mark.parametrize(
    ('clock', 'given', 'said'),
    [
        ('step', '12', 'is for --clock real'),
        ('real', '-1', 'latency is -1.0 ms'),
        ('real', 'inf', 'latency is inf ms'),
        ('real', 'soon', "--latency-ms is 'soon', expected milliseconds or"),
    ],
)
def test_latencies_that_cannot_be_are_refused(clock, given, said):
    with pytest.raises(ValueError, match=said):
        latencies(clock, given, METHODS)


@pytest.mark.parametrize(
    ('text', 'said'),
    [
        ('{}', 'is no report'),
        ('[', 'is no report'),
        ('{"methods": [{"method": "none", "call_ms_quantiles": [1]}]}', "'hold', only of: none"),
        ('{"methods": [{"method": "none", "call_ms_quantiles": [2, 1]}]}', "no calls of 'hold'"),
    ],
)
def test_a_report_that_does_not_hold_them_is_refused(tmp_path, text, said):
    file = tmp_path / 'report.json'
    file.write_text(text)
    with pytest.raises(ValueError, match=said):
        latencies('real', str(file), METHODS)


@pytest.mark.parametrize('quantiles', [[], [2, 1], [-1, 1], [1, float('nan')]])
def test_quantiles_ascend(quantiles):
    with pytest.raises(ValueError, match='expected ascending'):
        Recorded(quantiles)
