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

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from vla_accel_ros.safety.stream import ZERO, TwistStream

MS = 1_000_000
NS = 1_000_000_000
STEP_S = 0.05
MOVE = [0.01, -0.005, 0.0, 0.0, 0.0, 0.02]


class Arm:
    """Holds each twist until the next one, as the arm does, and adds up the motion."""

    def __init__(self, stream):
        self.stream = stream
        self.twist = np.zeros(6)
        self.now = 0
        self.path = [(0, np.zeros(6))]

    def wait_until(self, now):
        self.path.append((now, self.place + self.twist * (now - self.now) / NS))
        self.now = now

    def tick(self, period_s):
        self.twist = np.array(self.stream.tick(self.now, period_s))
        return self.twist

    @property
    def place(self):
        return self.path[-1][1]

    def at(self, now):
        times = [t for t, _ in self.path]
        return np.array([np.interp(now, times, [p[i] for _, p in self.path]) for i in range(6)])


def play(stream, accepts, ticks, period_s, tick_on_accept=True):
    """Run accepts (time, displacement) and ticks (times) in order; return the arm."""
    arm = Arm(stream)
    events = [(t, 0, d) for t, d in accepts] + [(t, 1, None) for t in ticks]
    order = sorted(events, key=lambda event: event[:2])
    for now, is_tick, displacement in order:
        arm.wait_until(now)
        if not is_tick:
            stream.add(displacement, now, STEP_S)
        if is_tick or tick_on_accept:
            arm.tick(period_s)
    return arm


def test_nothing_owed_is_exactly_zero():
    stream = TwistStream(1, 1, 0.1, 0.01)
    assert stream.tick(0, 0.02) == ZERO
    assert stream.owed == stream.paid(0) == stream.committed == ZERO


def test_what_is_paid_and_what_is_owed_are_what_was_accepted_until_it_is_dropped():
    stream = TwistStream(1, 1, 0.1, 0.01)
    for at_ms in (0, 50):
        stream.add(MOVE, at_ms * MS, STEP_S)
        stream.tick(at_ms * MS, 0.02)
        np.testing.assert_allclose(stream.committed, np.array(MOVE) * (1 + at_ms / 50), atol=1e-15)
    half = np.array(stream.paid(80 * MS))
    assert (np.abs(half) <= np.abs(stream.committed)).all() and half.any()
    # The consumer holds a twist no longer than 0.1 s.
    np.testing.assert_array_equal(stream.paid(150 * MS), stream.paid(900 * MS))
    stream.tick(80 * MS, 0.02)
    stream.clear()
    np.testing.assert_allclose(stream.committed, half, atol=1e-15)


def test_an_action_is_its_displacement_over_its_step():
    stream = TwistStream(1, 1, 0.1, late_s=0)
    stream.add(MOVE, 0, STEP_S)
    assert stream.horizon_ns == 50 * MS
    np.testing.assert_allclose(stream.tick(0, 0.01), np.array(MOVE) / STEP_S)


def test_the_twist_stays_the_same_for_a_next_action_that_is_only_just_late():
    stream = TwistStream(1, 1, 0.1, late_s=0.01)
    twists = []
    for index in range(40):
        stream.add(MOVE, index * 50 * MS + (9 if index % 2 else 0) * MS, STEP_S)
        twists += [stream.tick(index * 50 * MS + at * MS, 0.0125)[0] for at in (9, 22, 34, 47)]
    assert min(twists[40:]) > 0.8 * 0.2
    assert max(twists) < 1.2 * 0.2


def test_when_the_displacement_is_paid_the_twist_is_exactly_zero():
    stream = TwistStream(1, 1, 0.1, 0.01)
    arm = play(stream, [(0, MOVE)], range(0, 130 * MS, 10 * MS), 0.01)
    assert tuple(arm.twist) == ZERO
    np.testing.assert_allclose(arm.place, MOVE, atol=1e-4)


@pytest.mark.parametrize('rate_hz', [20, 23, 37, 50, 80, 100])
@pytest.mark.parametrize('offset_ms', [0, 3, 7])
def test_steady_motion_is_conserved_within_one_percent_over_any_second(rate_hz, offset_ms):
    # The timer is restarted by each action, as the node does.
    period = NS // rate_hz
    accepts = [(i * 50 * MS, MOVE) for i in range(80)]
    ticks = [
        at + k * period + offset_ms * MS
        for at, _ in accepts
        for k in range(1, 1 + (50 * MS) // period)
        if k * period + offset_ms * MS < 50 * MS
    ]
    arm = play(TwistStream(1, 1, 0.1, 0.01), accepts, ticks, 1 / rate_hz)
    for start in range(500 * MS, 2900 * MS, 13 * MS):
        moved = arm.at(start + NS) - arm.at(start)
        np.testing.assert_allclose(moved, np.array(MOVE) * 20, rtol=0.01, atol=1e-9)


def test_any_second_is_conserved_at_a_free_running_rate_too():
    for rate_hz in (20, 23, 30, 40, 50, 80, 100):
        ticks = range(3 * MS, 4000 * MS, NS // rate_hz)
        arm = play(
            TwistStream(1, 1, 0.1, 0.01),
            [(i * 50 * MS, MOVE) for i in range(80)],
            ticks,
            1 / rate_hz,
        )
        for start in range(500 * MS, 2900 * MS, 13 * MS):
            moved = arm.at(start + NS) - arm.at(start)
            np.testing.assert_allclose(moved, np.array(MOVE) * 20, rtol=0.01, atol=1e-9)


intervals = st.lists(st.integers(20, 75), min_size=1, max_size=40)
displacements = st.lists(
    st.lists(st.floats(-0.01, 0.01), min_size=6, max_size=6), min_size=1, max_size=8
)


@settings(max_examples=100)
@given(
    intervals,
    displacements,
    st.sampled_from([10, 13, 20, 37, 50]),
    st.lists(st.floats(0.6, 1.4), min_size=1, max_size=10),
    st.booleans(),
)
def test_displacement_is_conserved_whatever_the_rate_jitter_and_timing(
    gaps_ms, moves, period_ms, jitter, tick_on_accept
):
    accepts, now = [], 0
    for index, gap in enumerate(gaps_ms):
        accepts.append((now, moves[index % len(moves)]))
        now += gap * MS
    ticks, at, index = [], 1 * MS, 0
    while at < now + 700 * MS:
        ticks.append(at)
        at += round(period_ms * jitter[index % len(jitter)] * MS)
        index += 1
    stream = TwistStream(2, 2, 0.1, 0.01)
    arm = play(stream, accepts, ticks, period_ms / 1000, tick_on_accept)
    total = np.sum([move for _, move in accepts], axis=0)
    np.testing.assert_allclose(arm.place + stream.owed, total, rtol=0, atol=1e-9)
    # What is not paid is less than half a percent of the last action.
    for part in (slice(0, 3), slice(3, 6)):
        left = np.linalg.norm(arm.place[part] - total[part])
        assert left <= 0.005 * np.linalg.norm(accepts[-1][1][part]) + 1e-8
    assert not arm.twist.any()


@given(displacements, st.integers(1, 60))
def test_the_twist_never_exceeds_the_speeds(moves, gap_ms):
    stream = TwistStream(0.1, 0.2, 0.1, 0.01)
    for index, move in enumerate(moves):
        stream.add(move, index * gap_ms * MS, STEP_S)
        twist = stream.tick(index * gap_ms * MS, 0.01)
        assert np.linalg.norm(twist[:3]) <= 0.1
        assert np.linalg.norm(twist[3:]) <= 0.2


def test_what_the_speed_limit_holds_back_is_paid_later():
    stream = TwistStream(0.1, 1, 0.1, 0.01)
    arm = play(stream, [(0, [0.01, 0, 0, 0, 0, 0])], range(0, 300 * MS, 10 * MS), 0.01)
    np.testing.assert_allclose(arm.place, [0.01, 0, 0, 0, 0, 0], atol=1e-4)
    assert arm.at(50 * MS)[0] == pytest.approx(0.005)


def test_a_stalled_stream_books_no_more_than_the_consumer_holds():
    stream = TwistStream(10, 10, hold_limit_s=0.1, late_s=0)
    stream.add([0.02, 0, 0, 0, 0, 0], 0, 0.2)
    stream.tick(0, 0.02)
    stream.add([0.0] * 6, 60 * MS, 0.2)
    stream.tick(2 * NS, 0.02)
    assert stream.owed[0] == pytest.approx(0.01)


def test_clear_owes_nothing_and_holds_zero():
    stream = TwistStream(1, 1, 0.1, 0.01)
    stream.add(MOVE, 0, STEP_S)
    stream.tick(0, 0.02)
    stream.clear()
    assert stream.owed == ZERO
    assert stream.tick(20 * MS, 0.02) == ZERO
    assert stream.owed == ZERO


def test_settings_change_without_forgetting_what_is_owed():
    stream = TwistStream(1, 1, 0.1, 0.01)
    stream.add(MOVE, 0, STEP_S)
    stream.configure(0.05, 1, 0.1, 0.01)
    assert np.linalg.norm(stream.tick(0, 0.02)[:3]) == pytest.approx(0.05)


@pytest.mark.parametrize(
    'options, message',
    [
        ((0, 1, 0.1, 0.01), 'linear_speed is 0, expected above 0 and finite'),
        ((1, float('nan'), 0.1, 0.01), 'angular_speed is nan'),
        ((1, 1, float('inf'), 0.01), 'hold_limit_s is inf'),
        ((1, 1, 0.1, -0.01), 'late_s is -0.01, expected at least 0'),
    ],
)
def test_settings_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        TwistStream(*options)
