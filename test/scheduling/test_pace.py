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

"""What is said of frames that come too seldom and of calls that take too long."""

import pytest

from vla_accel_ros.scheduling.pace import WINDOW, FramePace, call_advice

MS = 1_000_000


def paced(interval_ms, count=WINDOW + 1, jitter_ms=0):
    pace = FramePace()
    for k in range(count):
        pace.add(round((k * interval_ms + (k % 3 - 1) * jitter_ms) * MS))
    return pace


@pytest.mark.parametrize(
    ('interval_ms', 'step_s', 'said'),
    [
        (200, 0.05, 'frames come at 5 Hz, policy_step 0.05 s wants 20 Hz'),
        (1000, 0.2, 'frames come at 1 Hz, policy_step 0.2 s wants 5 Hz'),
        (50, 0.05, ''),
        (33, 0.05, ''),
        (55, 0.05, ''),
        (200, 0.2, ''),
    ],
)
def test_a_camera_that_is_slower_than_the_policy_is_named_with_both_rates(
    interval_ms, step_s, said
):
    advice = paced(interval_ms).advice(step_s)
    assert advice.startswith(said) and bool(advice) == bool(said)


def test_jitter_and_a_single_gap_say_nothing():
    assert paced(50, jitter_ms=15).advice(0.05) == ''
    pace = paced(50)
    pace.add(10_000 * MS)
    assert pace.advice(0.05) == ''


def test_too_few_frames_and_a_new_clock_say_nothing():
    assert paced(200, WINDOW).advice(0.05) == ''
    pace = paced(200)
    pace.add(0)
    assert pace.rate_hz is None and pace.advice(0.05) == ''
    pace.clear()
    assert pace.rate_hz is None


@pytest.mark.parametrize(
    ('call_s', 'said'),
    [
        (0.1, ''),
        (0.9, 'max_staleness is 1 s'),
        (3.0, 'answer_timeout is 2 s and max_staleness is 1 s'),
    ],
)
def test_calls_that_take_longer_than_is_waited_for_are_named_with_the_bounds(call_s, said):
    advice = call_advice(call_s, 2.0, 1.0)
    assert said in advice and bool(advice) == bool(said)
