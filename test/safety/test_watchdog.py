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

import pytest

from vla_accel_ros.safety.watchdog import Watchdog

MS = 1_000_000


def test_without_an_action_it_has_fired():
    dog = Watchdog(0.04)
    assert dog.fired(0)
    assert not dog.fed


def test_it_fires_when_the_horizon_and_the_grace_are_over():
    dog = Watchdog(grace_s=0.04)
    dog.feed(100 * MS)
    assert dog.fed
    assert not dog.fired(140 * MS)
    assert dog.fired(140 * MS + 1)


def test_the_next_action_clears_it():
    dog = Watchdog(grace_s=0.04)
    dog.feed(100 * MS)
    assert dog.fired(200 * MS)
    assert dog.trip() == ('no_action', True)
    dog.feed(300 * MS)
    assert not dog.fired(250 * MS)
    assert dog.trip() == ('no_action', True)


def test_the_first_trouble_since_the_last_action_is_the_cause():
    dog = Watchdog(0.04)
    dog.note('out_of_order')
    dog.feed(100 * MS)
    dog.note('nan_or_inf')
    dog.note('stale')
    assert dog.trip() == ('nan_or_inf', True)


def test_what_comes_after_the_stop_does_not_change_its_cause():
    dog = Watchdog(0.04)
    dog.feed(100 * MS)
    assert dog.trip() == ('no_action', True)
    dog.note('nan_or_inf')
    assert dog.trip() == ('no_action', False)


def test_forgetting_watches_nothing():
    dog = Watchdog(0.04)
    dog.feed(100 * MS)
    dog.note('stale')
    dog.forget()
    assert not dog.fed
    assert dog.fired(0)
    assert dog.trip() == ('no_action', True)


@pytest.mark.parametrize('grace_s', [0, -0.01, 0.051, float('nan')])
def test_a_grace_that_breaks_the_promise_is_refused(grace_s):
    with pytest.raises(ValueError, match=r'grace_s is .*, expected above 0 and at most 0.05'):
        Watchdog(grace_s)
