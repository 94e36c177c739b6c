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

"""The stream of joint positions: it reaches its targets and keeps every joint's speed."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from vla_accel_ros.safety.joint_limits import JointLimit
from vla_accel_ros.safety.joint_stream import JointStream

MS = 1_000_000
LIMITS = tuple(JointLimit(f'j{i}', 'rad', -3, 3, 2.0, 50.0, 0.3) for i in range(2))
LATE_S, PERIOD_S = 0.01, 0.0125


def stream(limits=LIMITS):
    return JointStream(limits, LATE_S)


def test_a_target_is_reached_when_its_step_and_the_lateness_are_over():
    one = stream()
    one.add((0.0, 1.0), (0.05, 1.0), 0.05, 0)
    sent = [one.tick(round(k * PERIOD_S * 1e9), PERIOD_S) for k in range(6)]
    assert all(position[1] == 1.0 for position, _ in sent)
    path = [position[0] for position, _ in sent]
    assert path == sorted(path)
    assert path[3] < 0.05
    assert path[4] == pytest.approx(0.05)
    assert [moving for _, moving in sent] == [True] * 5 + [False]


def test_steady_actions_become_a_steady_speed():
    one, path = stream(), []
    for k in range(40):
        now = round(k * PERIOD_S * 1e9)
        if k % 4 == 0:
            one.add((0.0, 0.0), (0.05 * (k // 4 + 1), 0.0), 0.05, now)
        path.append(one.tick(now, PERIOD_S)[0][0])
    speeds = np.diff(path[8:]) / PERIOD_S
    assert speeds.min() > 0.9
    assert speeds.max() < 1.1


@given(
    st.lists(
        st.tuples(st.integers(0, 60), st.one_of(st.none(), st.floats(-0.2, 0.2))),
        min_size=5,
        max_size=60,
    )
)
def test_no_timing_and_no_target_makes_a_joint_too_fast(events):
    one, now, sent = stream(), 0, [(0, 0.0)]
    one.add((0.0, 0.0), (0.05, 0.0), 0.05, 0)
    for gap_ms, target in events:
        now += gap_ms * MS
        if target is not None:
            one.add((0.0, 0.0), (target, 0.0), 0.05, now)
        sent.append((now, one.tick(now, PERIOD_S)[0][0]))
    speed_before = sent[1][1] / PERIOD_S
    for (before, a), (after, b) in pairwise(sent[1:]):
        elapsed_s = (after - before) / 1e9
        # However late a tick is: what it sends is to be reached within a period.
        assert abs(b - a) <= 2.0 * min(elapsed_s, PERIOD_S) + 1e-9
        if elapsed_s > 0:
            speed = (b - a) / min(elapsed_s, PERIOD_S)
            speeds_up = abs(speed) - max(speed_before * np.sign(speed), 0.0)
            assert speeds_up <= 50.0 * elapsed_s + 1e-6
            speed_before = speed


def test_what_comes_next_ends_at_the_target_and_is_slow_enough():
    one = stream()
    assert one.ahead(PERIOD_S) == []
    one.add((0.0, 0.0), (0.05, -0.02), 0.05, 0)
    first, _ = one.tick(0, PERIOD_S)
    rows = [first, *one.ahead(PERIOD_S)]
    assert rows[-1] == pytest.approx((0.05, -0.02))
    assert np.abs(np.diff(rows, axis=0)).max() <= 2.0 * PERIOD_S
    one.clear()
    with pytest.raises(ValueError, match='no target yet'):
        one.tick(0, PERIOD_S)


def test_no_more_than_the_actions_own_step_is_handed_over_however_slow_a_joint_is():
    one = stream(tuple(limit._replace(velocity=0.001) for limit in LIMITS))
    one.add((0.0, 0.0), (0.3, 0.0), 0.05, 0)
    first, _ = one.tick(0, PERIOD_S)
    rows = [first, *one.ahead(PERIOD_S)]
    assert len(rows) * PERIOD_S <= 0.05 + LATE_S + PERIOD_S
    assert np.abs(np.diff(rows, axis=0)).max() <= 0.001 * PERIOD_S + 1e-12
