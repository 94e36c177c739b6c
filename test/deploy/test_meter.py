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

"""Rate, age and skew of topics, by stamps."""

import pytest

from vla_accel_ros.deploy.meter import LEAST, NS, Meter, SkewMeter
from vla_accel_ros.deploy.robot import Stream


def fed(period_s, age_s=0.02, number=30, start_s=100.0):
    meter = Meter()
    for index in range(number):
        stamp = round((start_s + index * period_s) * NS)
        meter.add(stamp, stamp + round(age_s * NS))
    return meter


def test_nothing_is_known_before_messages_come():
    assert Meter().stream() == Stream()
    assert fed(0.05, number=LEAST - 1).stream().rate_hz is None


@pytest.mark.parametrize(('period_s', 'age_s'), [(0.05, 0.03), (1 / 30, 0.4), (0.2, -0.3)])
def test_rate_and_age_are_measured(period_s, age_s):
    stream = fed(period_s, age_s).stream()
    assert stream.rate_hz == pytest.approx(1 / period_s)
    assert stream.age_s == pytest.approx(age_s)


def test_one_late_message_is_not_the_age():
    meter = fed(0.05, 0.02)
    meter.add(200 * NS, 209 * NS)
    assert meter.stream().age_s == pytest.approx(0.02)


def test_messages_without_a_stamp_are_counted_until_one_has_one():
    meter = Meter()
    meter.add(0, 5 * NS)
    meter.add(0, 6 * NS)
    assert meter.stream() == Stream(None, None, 2)
    meter.add(7 * NS, 7 * NS)
    assert meter.stream() == Stream(None, 0.0, 0)


def test_a_clock_that_begins_anew_begins_the_measure_anew():
    meter = fed(0.05)
    meter.add(NS, NS)
    assert meter.stream() == Stream(None, 0.0)


def test_messages_of_one_stamp_have_no_rate():
    assert fed(0.0).stream().rate_hz is None


@pytest.mark.parametrize(('offset_s', 'skew_s'), [(0.0, 0.0), (0.008, 0.008), (0.04, 0.01)])
def test_skew_is_the_least_difference_whichever_camera_is_first(offset_s, skew_s):
    skew = SkewMeter(2)
    assert skew.skew_s is None
    events = [(round((1 + i * 0.05) * NS), 0) for i in range(20)]
    events += [(round((1 + i * 0.05 + offset_s) * NS), 1) for i in range(20)]
    for stamp, topic in sorted(events):
        skew.add(topic, stamp)
    assert skew.skew_s == pytest.approx(skew_s, abs=1e-6)


def test_no_skew_is_known_while_a_camera_is_silent_or_has_no_stamps():
    skew = SkewMeter(2)
    for index in range(40):
        skew.add(0, (index + 1) * NS)
        skew.add(1, 0)
    assert skew.skew_s is None
