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

"""Age and rate of what the arm carries out."""

import pytest

from vla_accel_ros.safety.command_pace import ACTIONS, NS, CommandPace


def test_nothing_is_said_before_anything_is_measured():
    assert CommandPace().figures() == {}


def test_percentiles_are_of_the_newest_actions():
    pace = CommandPace()
    for number in range(ACTIONS):
        pace.note(10**9, number)
    for number in range(ACTIONS):
        pace.note(number * 1_000_000, ACTIONS + number)
    figures = pace.figures()
    assert figures['capture_to_command_p50_ms'] == pytest.approx(ACTIONS / 2, abs=1)
    assert figures['capture_to_command_p95_ms'] == pytest.approx(ACTIONS * 0.95, abs=1)


def test_the_worst_second_shows_beside_the_mean():
    pace = CommandPace()
    for second, count in enumerate([20, 20, 2, 18]):
        for number in range(count):
            pace.note(0, second * NS + number * 1_000_000)
    pace.look(4 * NS)
    assert pace.figures()['actions_hz'] == 15.0
    assert pace.figures()['actions_hz_worst'] == 2.0


def test_a_second_without_any_action_is_the_worst():
    pace = CommandPace()
    pace.note(0, 0)
    pace.look(2 * NS)
    assert pace.figures()['actions_hz_worst'] == 0.0


def test_seconds_in_which_the_arm_was_off_do_not_count():
    pace = CommandPace()
    for number in range(10):
        pace.note(0, number * NS // 10)
    pace.look(NS)
    pace.pause()
    for number in range(10):
        pace.note(0, 100 * NS + number * NS // 10)
    pace.look(101 * NS)
    assert pace.figures()['actions_hz_worst'] == 10.0
