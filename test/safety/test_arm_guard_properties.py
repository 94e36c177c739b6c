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

"""No input whatever makes the guard send an unsafe twist, and none it accepts is lost."""

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np

from vla_accel_ros.actions import Action
from vla_accel_ros.safety.arm_guard import ArmGuard
from vla_accel_ros.safety.guard_config import GuardConfig
from vla_accel_ros.safety.interlock import State
from vla_accel_ros.safety.limits import Limits

MS = 1_000_000
NS = 1_000_000_000
CLOCK = 1_700_000_000 * NS
LIMITS = Limits()

hostile = st.one_of(
    st.floats(-0.02, 0.02),
    st.floats(-0.02, 0.02),
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([0.0, 1.0, np.nan, np.inf, -np.inf, 1e308, 5e-324]),
)
good = st.lists(st.floats(-0.01, 0.01), min_size=6, max_size=6)
# Age of an action's stamp: mostly fresh, sometimes old, reordered or from the future.
ages = st.one_of(st.integers(0, 30), st.sampled_from([-10_000, -100, 400, 600, 10**9, -(10**9)]))
steps = st.one_of(st.just(0.05), st.sampled_from([0.2, 0.0, -1.0, 1e-9, 1e9, np.nan, np.inf]))
events = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 40), st.sampled_from([0, 90, 300, -3, -50])),
        st.one_of(
            st.tuples(st.just('tick')),
            st.tuples(st.just('tick')),
            st.tuples(st.just('good'), good, ages),
            st.tuples(st.just('good'), good, st.just(0)),
            st.tuples(st.just('hostile'), st.lists(hostile, min_size=7, max_size=7), ages, steps),
            st.tuples(st.just('garbage'), st.sampled_from([None, 'go', 7, [1.0] * 7])),
            st.tuples(st.just('enable')),
            st.tuples(st.sampled_from(['disable', 'stop'])),
            st.tuples(st.just('clock'), st.sampled_from([-(10**10), -(10**6), 10**9])),
            st.tuples(st.just('pose'), st.lists(hostile, min_size=2, max_size=4)),
        ),
    ),
    max_size=80,
)


class Witness:
    """Plays events to a guard and checks each command against what was promised."""

    def __init__(self, config):
        self.guard = ArmGuard(config)
        self.now = 0
        self.clock = CLOCK
        self.horizon = None
        self.accepted = 0
        self.enabled = False
        self.enable()

    def enable(self):
        self.guard.enable(self.now, self.clock)
        self.horizon = None
        self.enabled = True

    def play(self, gap_ms, event):
        self.now += gap_ms * MS
        self.clock += gap_ms * MS
        name, *rest = event
        if name == 'good':
            row, age_ms = rest
            self.offer(Action([*row, 0.0], self.clock - age_ms * MS), 0.05)
        elif name == 'hostile':
            row, age_ms, step_s = rest
            self.offer(Action(row, self.clock - age_ms * MS), step_s)
        elif name == 'garbage':
            assert self.guard.accept(rest[0], self.now, 0.05, self.clock) is not None
        elif name == 'enable':
            self.enable()
        elif name in ('disable', 'stop'):
            getattr(self.guard, name)()
            self.enabled = False
        elif name == 'clock':
            self.clock += rest[0]
        elif name == 'pose':
            self.guard.drive.update_pose(tuple(rest[0]), self.now)
        self.check()

    def offer(self, action, step_s):
        if self.guard.accept(action, self.now, step_s, self.clock) is None:
            assert self.enabled
            assert np.isfinite(action.values).all()
            self.horizon = self.now + round(step_s * NS)
            self.accepted += 1

    def check(self):
        command = self.guard.tick(self.now)
        twist = np.array(command.values)
        assert twist.shape == (6,)
        assert np.isfinite(twist).all()
        assert np.linalg.norm(twist[:3]) <= LIMITS.linear_speed * (1 + 1e-12)
        assert np.linalg.norm(twist[3:]) <= LIMITS.angular_speed * (1 + 1e-12)
        assert command.grippers in ((None,), (0.0,), (1.0,))
        assert command.reason
        if twist.any():
            assert self.enabled
            assert command.state is State.ENABLED
            assert self.horizon is not None
            assert self.now <= self.horizon + 100 * MS
        if not self.enabled:
            assert command.grippers == (None,)
            assert command.state is not State.ENABLED


@settings(max_examples=250)
@given(events, st.booleans())
def test_no_input_makes_the_guard_unsafe(sequence, boxed):
    box = {'workspace_min': (-1.0,) * 3, 'workspace_max': (1.0,) * 3} if boxed else {}
    witness = Witness(GuardConfig(limits=Limits(**box)))
    for gap_ms, event in sequence:
        witness.play(gap_ms, event)


@settings(max_examples=100)
@given(events)
def test_whatever_happened_enabling_lets_the_arm_move_again(sequence):
    witness = Witness(GuardConfig())
    for gap_ms, event in sequence:
        witness.play(gap_ms, event)
    witness.now += 2 * NS
    witness.clock += 2 * NS
    witness.enable()
    witness.play(10, ('good', [0.01, 0, 0, 0, 0, 0], 0))
    assert witness.guard.tick(witness.now).moving


wide = Limits(
    translation_per_second=5,
    rotation_per_second=20,
    linear_acceleration=1e3,
    angular_acceleration=1e4,
    linear_speed=2,
    angular_speed=20,
)


@settings(max_examples=100)
@given(
    st.lists(st.integers(25, 85), min_size=25, max_size=60),
    st.lists(good, min_size=1, max_size=5),
    st.lists(st.floats(0.7, 1.3), min_size=1, max_size=7),
    st.sampled_from([1.0, 2.0, 4.0]),
)
def test_what_is_accepted_is_executed_within_one_percent_of_a_second(
    gaps_ms, moves, jitter, samples
):
    guard = ArmGuard(GuardConfig(limits=wide, samples_per_action=samples))
    guard.enable(0)
    place, twist, now, next_tick = np.zeros(6), np.zeros(6), 0, 0
    accepts = np.cumsum([5, *gaps_ms]) * MS
    paths = np.zeros(2)
    total, index = np.zeros(6), 0
    while now < accepts[-1] + NS:
        arrives = accepts[index] if index < len(accepts) else None
        accepting = arrives is not None and arrives <= next_tick
        at = arrives if accepting else next_tick
        place += twist * (at - now) / NS
        now = at
        if accepting:
            move = moves[index % len(moves)]
            assert guard.accept(Action([*move, 0.0], int(now)), int(now), 0.05) is None
            total += move
            paths += (np.linalg.norm(move[:3]), np.linalg.norm(move[3:]))
            index += 1
        # The node ticks on each accepted action and restarts its timer there.
        twist = np.array(guard.tick(int(now)).values)
        next_tick = now + round(guard.period_s * jitter[index % len(jitter)] * NS)
    assert not twist.any()
    seconds = max((accepts[-1] - accepts[0]) / NS, 1.0)
    for part, path in zip((slice(0, 3), slice(3, 6)), paths, strict=True):
        error = np.linalg.norm((place - total)[part])
        assert error <= 0.01 * path / seconds + 1e-7
