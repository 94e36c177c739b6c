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

from vla_accel_ros.safety.interlock import Interlock, State


def test_the_arm_is_off_until_enabled():
    lock = Interlock()
    assert (lock.state, lock.reason, lock.enabled) == (State.DISABLED, 'not_enabled', False)
    lock.enable()
    assert (lock.state, lock.reason, lock.enabled) == (State.ENABLED, 'enabled', True)
    lock.disable()
    assert (lock.state, lock.reason) == (State.DISABLED, 'not_enabled')


@pytest.mark.parametrize('first', ['stop', 'fault'])
@pytest.mark.parametrize('later', ['stop', 'fault'])
def test_the_first_stop_names_the_reason(first, later):
    lock = Interlock()
    lock.enable()
    assert getattr(lock, first)('first')
    state = lock.state
    assert not getattr(lock, later)('later')
    assert (lock.state, lock.reason) == (state, 'first')
    assert not lock.enabled
    assert lock.stops == 2


def test_a_stop_outlives_disabling_and_ends_with_enabling():
    lock = Interlock()
    lock.stop('door')
    lock.disable()
    assert (lock.state, lock.reason) == (State.STOPPED, 'door')
    lock.enable()
    assert lock.enabled
    assert lock.fault('motor')
    assert (lock.state, lock.reason) == (State.FAULT, 'motor')
