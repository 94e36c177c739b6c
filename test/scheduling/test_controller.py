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


import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st
from pruning_harness import moving

from vla_accel_ros.scheduling.controller import Controller, Mode

SLOW, MIDDLE, FAST = moving(0.02, rise=-0.02), moving(0.05, rise=0.02), moving(0.2)


def test_fine_is_left_above_either_threshold():
    for motion in (moving(0.2), moving(0.01, turn=0.9)):
        controller = Controller(0.08, 0.4)
        assert controller.update(motion) is Mode.COARSE


def test_fine_is_entered_only_when_slow_and_not_rising():
    controller = Controller(0.08, 0.4)
    controller.update(FAST)
    assert controller.update(MIDDLE) is Mode.COARSE
    assert controller.update(moving(0.02, turn=0.9)) is Mode.COARSE
    assert controller.update(SLOW) is Mode.FINE


def test_rising_slowly_does_not_leave_fine():
    controller = Controller(0.08, 0.4)
    assert controller.update(MIDDLE) is Mode.FINE


def test_the_change_to_fine_is_told_once():
    controller = Controller(0.08, 0.4)
    told = []
    for motion in (SLOW, FAST, SLOW, SLOW, FAST, None, SLOW):
        controller.update(motion)
        told.append(controller.became_fine)
    assert told == [False, False, True, False, False, False, True]


def test_an_episode_begins_fine_and_unknown_motion_changes_nothing():
    controller = Controller(0.08, 0.4)
    assert controller.update(None) is Mode.FINE
    controller.update(FAST)
    assert controller.update(None) is Mode.COARSE
    controller.reset()
    assert controller.mode is Mode.FINE


@given(st.lists(st.floats(0.061, 0.099), min_size=1, max_size=50), st.booleans())
def test_with_a_margin_speeds_around_the_threshold_do_not_toggle(speeds, fast_before):
    controller = Controller(0.08, 0.4, margin=1.25)
    if fast_before:
        controller.update(FAST)
    changes = 0
    mode = controller.mode
    for speed in speeds:
        after = controller.update(moving(speed))
        changes += after is not mode
        mode = after
    assert changes <= 1


def test_the_controller_needs_no_torch():
    code = 'import sys, vla_accel_ros.scheduling.controller; sys.exit("torch" in sys.modules)'
    assert subprocess.run([sys.executable, '-c', code], check=False).returncode == 0
