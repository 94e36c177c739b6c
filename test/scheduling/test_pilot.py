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

"""The pilot: the scheduler's decisions, and a fresh look when work becomes fine in mid-chunk."""

import subprocess
import sys

import pytest
from scheduler_steps import MS, STEP, stamp_of

from vla_accel_ros.actions import ActionChunk
from vla_accel_ros.scheduling.config import SchedulerConfig
from vla_accel_ros.scheduling.pilot import Pilot

FAST = [0.02, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
SLOW = [0.001, 0.0, -0.001, 0.0, 0.0, 0.0, 0.0]
TURN = [0.0, 0.0, 0.0, 0.0, 0.0, 0.05, 0.0]
FINE = (FAST, SLOW, SLOW, SLOW)


def pilot(**options):
    one = Pilot(SchedulerConfig(**{'rule': 'never', 'replan_on_fine': True, **options}))
    one.set_instruction('pick up the red cube')
    return one


def frame(one, step):
    return one.on_frame(stamp_of(step), step * STEP)


def answer(one, step, rows, accepted=0):
    return one.on_answer(ActionChunk(rows, stamp_of(step)), step * STEP + 10 * MS, accepted)


def reasons(one, rows, steps=3):
    """Answer the first frame with rows; return why the frames after it were decided so."""
    assert frame(one, 0).request is not None
    answer(one, 0, rows)
    return [frame(one, step).reason for step in range(1, steps + 1)]


def test_the_vla_is_asked_with_the_next_frame_when_work_becomes_fine_in_mid_chunk():
    one = pilot()
    assert reasons(one, FINE) == ['next_of_chunk', 'replan', 'next_of_chunk']
    assert one.counters['requests'] == 2


@pytest.mark.parametrize(
    ('rows', 'options'),
    [
        (FINE, {'replan_on_fine': False}),
        (FINE, {'fine_linear': 0.01}),
        # An episode begins fine: slow from the start is no change.
        ((SLOW,) * 4, {}),
        ((FAST,) * 4, {}),
        # A quick turn is not fine work.
        ((FAST, TURN, TURN, TURN), {}),
    ],
)
def test_a_chunk_goes_on_where_work_does_not_become_fine_or_none_asks_for_it(rows, options):
    assert reasons(pilot(**options), rows) == ['next_of_chunk'] * 3


def test_without_rows_left_there_is_nothing_to_replace():
    one = pilot()
    assert reasons(one, (FAST, SLOW), steps=2) == ['next_of_chunk', 'never']


@pytest.mark.parametrize('forget', [Pilot.reset, lambda one: one.set_instruction('lift it')])
def test_a_new_beginning_begins_fine(forget):
    one = pilot()
    frame(one, 0)
    answer(one, 0, [FAST] * 4)
    forget(one)
    assert frame(one, 1).request is not None
    answer(one, 1, [SLOW] * 4)
    assert frame(one, 2).reason == 'next_of_chunk'
    assert frame(one, 3).request is None


def test_the_same_instruction_with_blanks_around_it_forgets_nothing():
    one = pilot()
    frame(one, 0)
    answer(one, 0, [FAST] * 4)
    assert not one.set_instruction('  pick up the red cube ')
    assert frame(one, 1).reason == 'next_of_chunk'


def test_new_settings_keep_the_chunk_and_what_the_arm_does():
    one = pilot(fine_linear=0.001)
    frame(one, 0)
    answer(one, 0, FINE)
    one.configure(SchedulerConfig(rule='never', replan_on_fine=True, fine_linear=0.1))
    assert one.config.fine_linear == 0.1
    # Coarse before, and fine by the new threshold.
    assert [frame(one, step).reason for step in (1, 2)] == ['next_of_chunk', 'replan']


@pytest.mark.parametrize(('accepted', 'kind'), [(7, 'verified'), (6, 'deliberative')])
def test_an_answer_is_verified_when_every_column_of_the_draft_was_confirmed(accepted, kind):
    one = pilot()
    frame(one, 0)
    assert answer(one, 0, [FAST], accepted).kind.value == kind


def test_the_pilot_needs_neither_torch_nor_ros():
    code = (
        'import sys, vla_accel_ros.scheduling.pilot\n'
        'sys.exit(any(name in sys.modules for name in ("torch", "rclpy")))'
    )
    assert subprocess.run([sys.executable, '-c', code], check=False).returncode == 0
