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

from hypothesis import given
from hypothesis import strategies as st
import pytest

from vla_accel_ros.inputs.camera_pairing import FramePairer, age_fault

MS = 1_000_000


def test_one_camera_passes_every_frame_with_its_stamp():
    pairer = FramePairer(1, 0)
    assert pairer.add(0, 7, 'a') == (7, ('a',))
    assert pairer.add(0, 9, 'b') == (9, ('b',))


def test_a_set_is_in_camera_order_and_has_the_oldest_stamp():
    pairer = FramePairer(2, 20 * MS)
    assert pairer.add(1, 1010 * MS, 'wrist') is None
    assert pairer.add(0, 1000 * MS, 'agent') == (1000 * MS, ('agent', 'wrist'))


def test_frames_further_apart_than_the_tolerance_do_not_pair():
    pairer = FramePairer(2, 20 * MS)
    assert pairer.add(0, 1000 * MS, 'a') is None
    assert pairer.add(1, 1021 * MS, 'b') is None
    assert pairer.add(0, 1041 * MS, 'c') == (1021 * MS, ('c', 'b'))
    assert pairer.counts['unpaired'] == 1


def test_a_camera_that_lags_by_more_than_a_period_still_pairs():
    pairer = FramePairer(2, 10 * MS)
    sets = []
    for k in range(10):
        sets.append(pairer.add(0, 33 * k * MS, k))
        if k >= 2:
            sets.append(pairer.add(1, 33 * (k - 2) * MS, k - 2))
    found = [s.frames for s in sets if s]
    assert found == [(k, k) for k in range(8)]


def test_a_stamp_that_does_not_advance_is_out_of_order():
    pairer = FramePairer(1, 0)
    pairer.add(0, 100 * MS, 'a')
    assert pairer.add(0, 100 * MS, 'again') is None
    assert pairer.add(0, 60 * MS, 'older') is None
    assert pairer.counts['out_of_order'] == 2


def test_a_clock_that_began_anew_starts_afresh():
    pairer = FramePairer(2, 10 * MS)
    pairer.add(0, 5000 * MS, 'before')
    assert pairer.add(0, 100 * MS, 'a') is None
    assert pairer.add(1, 100 * MS, 'b') == (100 * MS, ('a', 'b'))


@pytest.mark.parametrize(('cameras', 'tolerance'), [(0, 0), (1, -1)])
def test_no_camera_or_a_negative_tolerance_is_refused(cameras, tolerance):
    with pytest.raises(ValueError, match='expected at least 1'):
        FramePairer(cameras, tolerance)


@given(
    st.integers(1, 4),
    st.integers(0, 50),
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 400)), max_size=80),
)
def test_sets_hold_the_tolerance_advance_and_use_no_frame_twice(cameras, tolerance, events):
    pairer = FramePairer(cameras, tolerance, restart_ns=10_000)
    used, last, added = set(), -1, 0
    for number, (camera, stamp) in enumerate(events):
        added += 1
        made = pairer.add(camera % cameras, stamp, (number, camera % cameras, stamp))
        if made is None:
            continue
        stamps = [stamp for _, _, stamp in made.frames]
        assert [camera for _, camera, _ in made.frames] == list(range(cameras))
        assert max(stamps) - min(stamps) <= tolerance
        assert made.stamp_ns == min(stamps) > last
        assert not used & set(made.frames)
        used |= set(made.frames)
        last = made.stamp_ns
    lost = pairer.counts['unpaired'] + pairer.counts['out_of_order']
    waiting = sum(map(len, pairer._waiting))
    assert len(used) + lost + waiting == added


@pytest.mark.parametrize(
    ('stamp', 'fault'),
    [
        (0, 'unstamped_frame'),
        (500 * MS, 'stale_frame'),
        (701 * MS, ''),
        (1000 * MS, ''),
        (1050 * MS, ''),
        (1051 * MS, 'future_frame'),
    ],
)
def test_stamps_are_judged_against_the_present(stamp, fault):
    assert age_fault(stamp, 1000 * MS, 300 * MS, 50 * MS) == fault


def test_frames_that_wait_when_a_clock_begins_anew_are_counted():
    pairer = FramePairer(2, 0)
    pairer.add(0, 100_000 * MS, 'far ahead')
    pairer.add(1, 5000 * MS, 'waits')
    assert pairer.add(0, 6000 * MS, 'a') is None
    assert pairer.add(1, 6000 * MS, 'b').frames == ('a', 'b')
    assert pairer.counts == {'unpaired': 2}
