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


"""Even timing: what lateness is, and that no process is worse off for asking."""

import gc
import os
import subprocess
import sys

import pytest

from vla_accel_ros.ros.timing import GarbageCollection, Lateness

MS = 1_000_000


def test_lateness_is_against_an_even_grid_and_does_not_accumulate():
    now = [0]
    lateness = Lateness(clock=lambda: now[0])
    assert lateness.figures() == {}
    for at_ms in (20, 43, 60, 81):
        now[0] = at_ms * MS
        lateness.note(0.02)
    assert lateness.figures() == {'late_ms_p50': 0.0, 'late_ms_p99': 3.0, 'late_ms_max': 3.0}


def test_calls_that_were_missed_are_skipped_not_made_up_for():
    now = [0]
    lateness = Lateness(clock=lambda: now[0])
    for at_ms in (100, 120, 140):
        now[0] = at_ms * MS
        lateness.note(0.02)
    assert lateness.figures()['late_ms_max'] == 80.0
    assert lateness.figures()['late_ms_p50'] == 0.0


def test_a_restart_begins_a_new_grid():
    now = [0]
    lateness = Lateness(clock=lambda: now[0])
    now[0] = 7 * MS
    lateness.restart()
    now[0] = 27 * MS
    lateness.note(0.02)
    assert lateness.figures()['late_ms_max'] == 0.0


def test_the_window_forgets():
    now = [0]
    lateness = Lateness(window=2, clock=lambda: now[0])
    for at_ms in (29, 40, 60):
        now[0] = at_ms * MS
        lateness.note(0.02)
    assert lateness.figures()['late_ms_max'] == 0.0


def test_garbage_is_collected_when_asked_only_and_as_before_afterwards():
    garbage = GarbageCollection()
    garbage.take_over()
    try:
        assert not gc.isenabled()
        garbage.collect()
    finally:
        garbage.give_back()
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


@pytest.mark.parametrize(
    ('call', 'expected'),
    [
        ('raise_priority()', ('SCHED_FIFO', 'nice')),
        ('raise_priority(below=2)', ('SCHED_FIFO 3', 'nice')),
        ('raise_priority(real_time=False)', ('nice',)),
    ],
)
def test_priorities_say_what_they_reached(call, expected):
    # In a process of its own: this one must stay as it is.
    code = f'from vla_accel_ros.ros import timing; print(timing.{call})'
    done = subprocess.run(
        [sys.executable, '-c', code],
        capture_output=True,
        text=True,
        check=True,
        env=dict(os.environ),
    )
    assert done.stdout.startswith(expected)
