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

from hypothesis import given
from hypothesis import strategies as st
import pytest

from vla_accel_ros.safety.adaptive_rate import AdaptiveRate

NS = 1_000_000_000


def settled(rate, interval_s, count=60, start_ns=0):
    for i in range(count):
        rate.on_action(start_ns + round(i * interval_s * NS), interval_s)
    return rate.rate_hz


def test_the_rate_is_the_floor_until_an_action_comes():
    rate = AdaptiveRate(20, 100, 4)
    assert rate.rate_hz == 20
    assert rate.period_s == 0.05


def test_the_first_action_counts_as_one_step():
    rate = AdaptiveRate(20, 100, samples_per_action=4)
    rate.on_action(123, 0.1)
    assert rate.rate_hz == pytest.approx(40)


@pytest.mark.parametrize('interval_s, expected', [(0.1, 40), (0.05, 80), (0.02, 100), (0.5, 20)])
def test_the_stream_follows_the_actions_between_floor_and_ceiling(interval_s, expected):
    rate = AdaptiveRate(20, 100, samples_per_action=4)
    assert settled(rate, interval_s) == pytest.approx(expected)


def test_as_actions_come_faster_the_stream_does():
    rate = AdaptiveRate(20, 100, samples_per_action=4)
    slow = settled(rate, 0.1)
    fast = settled(rate, 0.05, start_ns=100 * NS)
    assert slow < fast


def test_a_pause_does_not_slow_the_stream_for_long():
    rate = AdaptiveRate(20, 100, samples_per_action=4)
    settled(rate, 0.05)
    rate.on_action(1000 * NS, 0.05)
    rate.on_action(1000 * NS + NS // 20, 0.05)
    assert rate.rate_hz > 45


def test_reset_forgets_the_intervals():
    rate = AdaptiveRate(20, 100, 4)
    settled(rate, 0.05)
    rate.reset()
    assert rate.rate_hz == 20


@given(st.lists(st.tuples(st.integers(-NS, 10 * NS), st.floats(0.005, 1)), max_size=40))
def test_the_rate_stays_within_its_bounds_whatever_the_clock_says(events):
    rate = AdaptiveRate(20, 100, 4)
    for now_ns, step_s in events:
        rate.on_action(now_ns, step_s)
        assert 20 <= rate.rate_hz <= 100


@pytest.mark.parametrize(
    'options, message',
    [
        ({'min_rate_hz': 0}, 'rates are 0 to 100 Hz'),
        ({'min_rate_hz': 200}, 'rates are 200 to 100 Hz'),
        ({'max_rate_hz': float('inf')}, 'rates are 20 to inf Hz'),
        ({'samples_per_action': 0}, 'samples_per_action is 0'),
        ({'smoothing': 0}, r'smoothing is 0, expected in \(0, 1\]'),
        ({'smoothing': 1.1}, r'smoothing is 1.1'),
    ],
)
def test_settings_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        AdaptiveRate(**{'min_rate_hz': 20, 'max_rate_hz': 100, 'samples_per_action': 4} | options)
