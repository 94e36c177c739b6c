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

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
import pytest

from vla_accel_ros.scheduling.frame_gate import FrameGate, Gate

MS = 1_000_000
STEP_S = 0.05


def gate():
    return FrameGate(STEP_S, pause_s=1.0)


def due_among(stamps_ns):
    one = gate()
    return [stamp for stamp in stamps_ns if one.admit(stamp).due]


@pytest.mark.parametrize('camera_hz', [20, 22, 25, 30, 45, 60, 90, 120])
def test_a_faster_camera_is_thinned_to_the_policy_rate_on_average(camera_hz):
    seconds = 20
    stamps = [round(i * 1e9 / camera_hz) for i in range(seconds * camera_hz)]
    assert len(due_among(stamps)) == pytest.approx(seconds / STEP_S, abs=2)


def test_thirty_hertz_gives_steps_of_one_or_two_frames():
    due = due_among([round(i * 1e9 / 30) for i in range(300)])
    gaps = {round((b - a) / (1e9 / 30)) for a, b in pairwise(due)}
    assert gaps == {1, 2}


@given(st.lists(st.integers(-5, 5), min_size=100, max_size=100))
def test_jitter_at_the_policy_rate_loses_no_frame(jitter_ms):
    stamps = [i * 50 * MS + j * MS for i, j in enumerate(jitter_ms)]
    assert len(due_among([stamp + 100 * MS for stamp in stamps])) == 100


def test_a_slower_camera_makes_every_frame_a_step():
    stamps = [i * 100 * MS for i in range(50)]
    assert due_among(stamps) == stamps


def test_after_a_short_gap_the_steps_do_not_come_in_a_burst():
    one = gate()
    assert one.admit(0) is Gate.FIRST
    assert one.admit(400 * MS) is Gate.DUE
    assert one.admit(410 * MS) is Gate.BETWEEN_STEPS
    assert one.admit(450 * MS) is Gate.DUE


def test_a_pause_restarts_the_phase():
    one = gate()
    one.admit(0)
    paused = one.admit(1001 * MS)
    assert paused is Gate.PAUSED
    assert paused.due
    assert paused.restarted
    assert one.admit(1040 * MS) is Gate.DUE


def test_a_stamp_far_back_restarts_and_one_a_little_back_is_out_of_order():
    one = gate()
    one.admit(10_000 * MS)
    late = one.admit(9_990 * MS)
    assert late is Gate.OUT_OF_ORDER
    assert not late.due
    assert one.admit(10_000 * MS) is Gate.OUT_OF_ORDER
    back = one.admit(500 * MS)
    assert back is Gate.JUMPED_BACK
    assert back.due
    assert back.restarted
    assert one.admit(550 * MS) is Gate.DUE


def test_reset_makes_the_next_frame_the_first():
    one = gate()
    one.admit(100 * MS)
    one.reset()
    assert one.admit(90 * MS) is Gate.FIRST


def test_another_step_takes_effect_without_losing_the_order():
    one = gate()
    one.admit(0)
    one.configure(0.2, 1.0)
    assert one.admit(50 * MS) is Gate.DUE
    assert one.admit(150 * MS) is Gate.BETWEEN_STEPS
    assert one.admit(250 * MS) is Gate.DUE
    assert one.admit(240 * MS) is Gate.OUT_OF_ORDER


@given(st.lists(st.integers(0, 5000), max_size=60))
def test_due_stamps_increase_until_the_clock_is_reset(stamps_ms):
    one = gate()
    newest = -1
    for stamp_ms in stamps_ms:
        place = one.admit(stamp_ms * MS)
        if place is Gate.JUMPED_BACK:
            newest = -1
        if place.due:
            assert stamp_ms > newest
            newest = stamp_ms
