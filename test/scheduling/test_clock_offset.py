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

"""The clock of another host: what can be said of it after exchanges over an uneven link."""

import pytest

from vla_accel_ros.scheduling.clock_offset import ClockOffset

MS = 1_000_000


def exchanged(ahead_ms, ways, offset=None, start_ms=1000):
    """Take exchanges in, over ways of so many ms there and back."""
    offset = offset or ClockOffset()
    for number, (there, back) in enumerate(ways):
        asked = start_ms + 500 * number
        got = asked + there + ahead_ms
        offset.add(asked * MS, got * MS, got * MS, (asked + there + back) * MS)
    return offset


@pytest.mark.parametrize('ahead_ms', [-3000, -150, 0, 150, 3000])
def test_the_true_offset_is_within_the_bounds_however_uneven_the_ways(ahead_ms):
    low, high = exchanged(ahead_ms, [(80, 5), (20, 90), (5, 5), (300, 1)]).bounds_s
    assert low <= ahead_ms / 1e3 <= high
    assert high - low == pytest.approx(0.006)


def test_a_slow_link_alone_is_no_offset():
    assert exchanged(0, [(900, 0), (0, 900)]).surely_s == 0.0
    assert exchanged(200, [(80, 80)]).surely_s == pytest.approx(0.12)
    assert exchanged(-200, [(80, 80)]).surely_s == pytest.approx(-0.12)


def test_a_clock_that_is_set_is_believed_at_once():
    offset = exchanged(0, [(5, 5)] * 5)
    exchanged(2000, [(5, 5)], offset, 5000)
    assert offset.surely_s == pytest.approx(1.995)


def test_a_clock_that_goes_back_within_an_exchange_is_named():
    with pytest.raises(ValueError, match=r'went back by 1\.000 s'):
        ClockOffset().add(0, 0, 2_000_000_000, 1_000_000_000)


@pytest.mark.parametrize('told_ns', [2**63, 10**400, -(10**400)])
def test_a_time_that_no_clock_says_is_refused(told_ns):
    offset = exchanged(0, [(5, 5)])
    with pytest.raises(ValueError, match='expected less than'):
        offset.add(0, told_ns, told_ns, 1_000_000_000)
    assert offset.bounds_s == pytest.approx((-0.005, 0.005))


def test_nothing_is_known_before_the_first_exchange():
    offset = exchanged(3000, [(5, 5)])
    offset.clear()
    assert offset.bounds_s is None and offset.surely_s == 0.0
