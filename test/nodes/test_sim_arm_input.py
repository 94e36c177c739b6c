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


"""The simulated arm's twist input: displacement is conserved, stale commands do not move it."""

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from vla_accel_ros.nodes.sim_arm_input import STALE_NS, JointTargets, TwistIntegrator

MS = 1_000_000
UP = np.array([0.0, 0.0, 0.05, 0.0, 0.0, 0.1])


@given(
    twists=st.lists(st.floats(-0.2, 0.2), min_size=1, max_size=40),
    gaps=st.lists(st.integers(1, 90), min_size=40, max_size=40),
    ticks=st.lists(st.integers(1, 120), min_size=1, max_size=60),
)
def test_displacement_is_the_twists_times_their_time_whatever_the_ticks(twists, gaps, ticks):
    source = TwistIntegrator()
    source.reset(0)
    events, now = [], 0
    for value, gap in zip(twists, gaps, strict=False):
        events.append((now, 'command', value))
        now += gap * MS
    end, now = now, 0
    expected = sum(v * g * 1e-3 for v, g in zip(twists, gaps, strict=False))
    for gap in ticks:
        now += gap * MS
        events.append((min(now, end), 'tick', 0.0))
    events.append((end, 'tick', 0.0))
    moved = 0.0
    for at, kind, value in sorted(events, key=lambda e: e[0]):
        if kind == 'command':
            assert source.command(np.full(6, value), at, at) == ''
        else:
            moved += source.displacement(at)[2]
    assert moved == pytest.approx(expected, abs=1e-12)


def test_a_command_moves_the_arm_no_longer_than_it_is_valid():
    source = TwistIntegrator()
    source.reset(0)
    source.command(UP, stamp_ns=0, now_ns=0)
    assert source.displacement(1_000 * MS) == pytest.approx(UP * 0.1)
    assert source.displacement(2_000 * MS) == pytest.approx(np.zeros(6))


@pytest.mark.parametrize(
    ('twist', 'age_ns', 'reason'),
    [
        (UP, STALE_NS + 1, 'stale'),
        (UP, -STALE_NS - 1, 'future'),
        (np.full(6, np.nan), 0, 'not_finite'),
        (np.full(6, np.inf), 0, 'not_finite'),
    ],
)
def test_a_bad_command_is_dropped_with_a_reason_and_the_one_before_stays(twist, age_ns, reason):
    source = TwistIntegrator()
    source.reset(0)
    source.command(UP, 0, 0)
    assert source.command(twist, 10 * MS - age_ns, 10 * MS) == reason
    assert source.displacement(50 * MS) == pytest.approx(UP * 0.05)


def test_reset_forgets_the_command_in_force():
    source = TwistIntegrator()
    source.command(UP, 0, 0)
    source.reset(20 * MS)
    assert source.displacement(60 * MS) == pytest.approx(np.zeros(6))


def test_a_wrong_shape_and_a_wrong_validity_are_errors():
    with pytest.raises(ValueError, match=r'twist has shape \[3\], expected \[6\]'):
        TwistIntegrator().command(np.zeros(3), 0, 0)
    with pytest.raises(ValueError, match='stale_ns is 0'):
        TwistIntegrator(0)


def test_joint_positions_are_taken_by_name_and_the_newest_holds():
    joints = JointTargets(['a', 'b'])
    assert joints.newest is None
    assert joints.command([2.0, 1.0], ['b', 'a']) == ''
    assert joints.newest.tolist() == [1.0, 2.0]
    assert joints.command([3.0, 4.0]) == ''
    assert joints.newest.tolist() == [3.0, 4.0]
    for positions, names, reason in (
        ([1.0], (), 'wrong_joints'),
        ([1.0, 2.0], ('a', 'c'), 'wrong_joints'),
        ([1.0, 2.0], ('a', 'b', 'c'), 'wrong_joints'),
        ([1.0, 2.0, 3.0], ('a', 'b', 'b'), 'wrong_joints'),
        ([1.0, float('nan')], (), 'not_finite'),
    ):
        assert joints.command(positions, names) == reason
    assert joints.newest.tolist() == [3.0, 4.0]
    joints.reset()
    assert joints.newest is None
