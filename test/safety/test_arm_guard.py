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

from dataclasses import replace

import numpy as np
import pytest
from spaces import TWO_ARMS

from vla_accel_ros.actions import Action
from vla_accel_ros.safety.arm_guard import ArmGuard
from vla_accel_ros.safety.guard_config import GuardConfig
from vla_accel_ros.safety.interlock import State
from vla_accel_ros.safety.limits import Limits
from vla_accel_ros.safety.stream import ZERO

MS = 1_000_000
NS = 1_000_000_000
STEP_S = 0.05
MOVE = [0.01, 0.0, 0.0, 0.0, 0.0, 0.02, 0.0]


def enabled(at_ms=0, config=None):
    guard = ArmGuard(config)
    guard.enable(at_ms * MS)
    return guard


def accept(guard, at_ms, row=MOVE, stamp_ms=None, step_s=STEP_S):
    stamp_ms = at_ms if stamp_ms is None else stamp_ms
    refusal = guard.accept(Action(row, round(stamp_ms * MS)), round(at_ms * MS), step_s)
    return refusal.reason if refusal else None


def tick(guard, at_ms):
    return guard.tick(round(at_ms * MS))


def test_until_enabled_actions_are_refused_and_ticks_are_zero():
    guard = ArmGuard()
    assert accept(guard, 0) == 'not_enabled'
    command = tick(guard, 1)
    assert command.values == ZERO
    assert (command.state, command.reason, command.grippers) == (
        State.DISABLED,
        'not_enabled',
        (None,),
    )
    assert guard.counters == {'refused/not_enabled': 1}


def test_enabled_without_an_action_is_idle():
    command = tick(enabled(), 10)
    assert command.values == ZERO
    assert (command.state, command.reason) == (State.ENABLED, 'idle')


def test_an_accepted_action_moves_the_arm_and_settles():
    guard = enabled()
    assert accept(guard, 100) is None
    command = tick(guard, 100)
    assert command.moving
    assert command.reason == 'moving'
    assert command.values[0] == pytest.approx(0.01 / (STEP_S + guard.config.late_s))
    assert command.grippers == (0,)
    moved = np.array(command.values) * 0.06
    np.testing.assert_allclose(moved, MOVE[:6])
    settled = tick(guard, 160)
    assert (settled.values, settled.reason, settled.grippers) == (ZERO, 'settled', (None,))


def test_the_watchdog_zeroes_soon_after_the_horizon_and_the_next_action_moves_again():
    guard = enabled()
    accept(guard, 100)
    tick(guard, 100)
    command = tick(guard, 191)
    assert command.values == ZERO
    assert command.reason == 'watchdog/no_action'
    assert accept(guard, 300) is None
    assert tick(guard, 300).moving
    assert guard.counters['watchdog/no_action'] == 1


def test_the_watchdog_names_what_kept_the_actions_away():
    guard = enabled()
    accept(guard, 100)
    assert accept(guard, 150, row=[np.nan] * 7) == 'nan_or_inf'
    assert accept(guard, 160, row=[9.0, 0, 0, 0, 0, 0, 0]) == 'translation_step'
    assert tick(guard, 250).reason == 'watchdog/nan_or_inf'
    assert guard.refuse('malformed', '3 columns').reason == 'malformed'
    assert tick(guard, 260).reason == 'watchdog/nan_or_inf'
    assert guard.counters == {
        'accepted': 1,
        'refused/nan_or_inf': 1,
        'refused/translation_step': 1,
        'refused/malformed': 1,
        'watchdog/nan_or_inf': 1,
    }


def test_what_the_watchdog_cut_off_is_never_made_up_for():
    guard = enabled()
    accept(guard, 100)
    # A stalled stream: the action was never sent at all.
    assert tick(guard, 191).reason == 'watchdog/no_action'
    accept(guard, 200, row=[0.0, 0.01, 0, 0, 0, 0, 0])
    np.testing.assert_allclose(tick(guard, 200).values, [0, 0.01 / 0.06, 0, 0, 0, 0])


def test_a_refused_action_changes_nothing():
    guard = enabled()
    accept(guard, 100)
    expected = tick(guard, 110)
    accept(guard, 115, row=[0.3] * 7)
    accept(guard, 116, stamp_ms=90)
    np.testing.assert_allclose(tick(guard, 120).values, expected.values)


@pytest.mark.parametrize('halt', ['stop', 'disable'])
def test_stopping_mid_motion_is_zero_from_the_next_tick_and_forgets_the_motion(halt):
    guard = enabled()
    accept(guard, 100)
    assert tick(guard, 100).moving
    getattr(guard, halt)()
    command = tick(guard, 101)
    assert command.values == ZERO
    assert command.reason == {'stop': 'stop_requested', 'disable': 'not_enabled'}[halt]
    assert accept(guard, 110) == 'not_enabled'
    guard.enable(120 * MS)
    assert tick(guard, 121).reason == 'idle'
    assert accept(guard, 130, stamp_ms=119) == 'stale'
    assert accept(guard, 131, stamp_ms=120) is None
    assert tick(guard, 132).moving


@pytest.mark.parametrize('halt', ['stop', 'disable', 'enable'])
def test_what_was_owed_at_a_stop_is_never_executed(halt):
    guard = enabled()
    accept(guard, 100, row=[-0.01, -0.01, 0, 0, 0, 0, 0])
    tick(guard, 100)
    if halt != 'enable':
        getattr(guard, halt)()
    guard.enable(110 * MS)
    accept(guard, 120)
    np.testing.assert_allclose(tick(guard, 120).values, np.array(MOVE[:6]) / 0.06, atol=1e-12)


def test_readings_of_the_clock_in_the_wrong_order_are_paid_once():
    guard = enabled()
    accept(guard, 100)
    first = tick(guard, 100)
    tick(guard, 124)
    tick(guard, 120)
    np.testing.assert_allclose(tick(guard, 130).values, first.values)


def test_the_first_stop_names_the_reason():
    guard = enabled()
    guard.stop('emergency')
    guard.stop('later')
    guard.disable()
    assert (guard.state, guard.reason) == (State.STOPPED, 'emergency')
    assert tick(guard, 10).reason == 'emergency'


def test_enabling_again_sends_the_gripper_again():
    guard = enabled()
    accept(guard, 0, row=[*MOVE[:6], 1.0])
    assert tick(guard, 0).grippers == (1,)
    guard.enable(300 * MS)
    accept(guard, 300, row=[*MOVE[:6], 1.0])
    assert tick(guard, 300).grippers == (1,)


def test_a_monotonic_clock_that_falls_back_is_a_fault():
    for event in (tick, accept):
        guard = enabled()
        accept(guard, 100)
        assert tick(guard, 100).moving
        assert tick(guard, 96).moving
        event(guard, 90)
        command = tick(guard, 101)
        assert command.values == ZERO
        assert (command.state, command.reason) == (State.FAULT, 'monotonic_clock_fell_back')
        guard.enable(50 * MS)
        accept(guard, 60)
        assert tick(guard, 60).moving


def test_a_reset_of_the_stamps_clock_stops_until_enabled_again():
    guard = ArmGuard()
    guard.enable(0, clock_ns=100 * NS)
    stamped = Action(MOVE, 100 * NS + 10 * MS)
    assert guard.accept(stamped, 10 * MS, STEP_S, clock_ns=100 * NS + 10 * MS) is None
    early = Action(MOVE, 1 * NS)
    assert guard.accept(early, 20 * MS, STEP_S, clock_ns=1 * NS).reason == 'not_enabled'
    assert tick(guard, 21).values == ZERO
    assert (guard.state, guard.reason) == (State.STOPPED, 'clock_reset')
    guard.enable(30 * MS, clock_ns=1 * NS)
    assert guard.accept(early, 40 * MS, STEP_S, clock_ns=1 * NS + 10 * MS) is None


def test_stamps_are_judged_by_their_own_clock():
    guard = ArmGuard()
    guard.enable(0, clock_ns=100 * NS)
    old = Action(MOVE, 100 * NS)
    assert guard.accept(old, 5 * MS, STEP_S, clock_ns=101 * NS).reason == 'stale'


def test_the_box_needs_a_fresh_pose_and_counts_what_is_still_owed():
    box = Limits(workspace_min=(-1.0, -1.0, 0.0), workspace_max=(0.5, 1.0, 1.0))
    guard = enabled(config=GuardConfig(limits=box))
    assert accept(guard, 10) == 'no_pose'
    assert not guard.drive.update_pose((0.0, np.nan, 0.0), 20 * MS)
    assert not guard.drive.update_pose((0.0, 0.0), 20 * MS)
    assert accept(guard, 20) == 'no_pose'
    assert guard.drive.update_pose((0.485, 0.0, 0.5), 30 * MS)
    assert accept(guard, 30) is None
    assert accept(guard, 31) == 'workspace'
    assert accept(guard, 32, row=[-0.01, 0, 0, 0, 0, 0, 0]) is None
    assert accept(guard, 600) == 'no_pose'


def test_the_box_counts_what_was_paid_since_the_pose_and_the_poses_own_age():
    box = Limits(workspace_min=(-1.0, -1.0, 0.0), workspace_max=(0.5, 1.0, 1.0))
    guard = enabled(config=GuardConfig(limits=box))
    guard.drive.update_pose((0.475, 0.0, 0.5), 0)
    # The pose stands still from here on, the arm does not.
    for at_ms in range(10, 460, 50):
        assert accept(guard, at_ms) == (None if at_ms < 100 else 'workspace')
        for later_ms in (0, 15, 30):
            tick(guard, at_ms + later_ms)
    guard.drive.update_pose((0.0, 0.0, 0.5), 470 * MS, age_s=0.6)
    assert accept(guard, 470) == 'no_pose'
    # Midway between two ticks, a part of the action is in the pose already.
    guard.drive.update_pose((0.0, 0.0, 0.5), 480 * MS)
    assert accept(guard, 480) is None
    paid = tick(guard, 480).values[0] * 0.02
    guard.drive.update_pose((0.3 + paid, 0.0, 0.5), 500 * MS)
    tick(guard, 510)
    assert guard.drive.planned_position(510 * MS)[0] == pytest.approx(0.3 + MOVE[0])


def test_a_clock_that_was_set_back_leaves_nothing_of_the_future_behind():
    box = Limits(workspace_min=(-1.0,) * 3, workspace_max=(1.0,) * 3, translation_per_second=0.015)
    guard = ArmGuard(GuardConfig(limits=box))
    guard.enable(1000 * NS)
    guard.drive.update_pose((0.0, 0.0, 0.0), 1000 * NS)
    for index, gripper in enumerate((0.0, 1.0)):
        action = Action([*(0.7 * np.array(MOVE[:6])), gripper], 1000 * NS + index * 200 * MS)
        assert guard.accept(action, action.stamp_ns, STEP_S) is None
        assert guard.tick(action.stamp_ns).grippers == (gripper,)
    guard.enable(10 * NS)
    assert accept(guard, 10_000) == 'no_pose'
    guard.drive.update_pose((0.0, 0.0, 0.0), 10 * NS)
    assert accept(guard, 10_001) is None
    assert tick(guard, 10_001).grippers == (0,)


def test_the_stream_comes_faster_as_actions_do():
    guard = enabled()
    assert guard.period_s == 0.05
    for index in range(20):
        accept(guard, index * 50)
    assert guard.period_s == pytest.approx(0.0125)


def test_settings_change_while_moving():
    guard = enabled()
    accept(guard, 0)
    slower = GuardConfig(limits=replace(Limits(), linear_speed=0.05))
    guard.configure(slower)
    assert guard.config is slower
    command = tick(guard, 1)
    assert np.linalg.norm(command.values[:3]) == pytest.approx(0.05)
    assert command.reason == 'moving'


@pytest.mark.parametrize('bad', [np.nan, np.inf, -np.inf, 1e6])
def test_a_stream_gone_mad_ends_in_zero_and_a_fault(bad):
    class Mad:
        def tick(self, now_ns, period_s):
            return (0.0, bad, 0.0, 0.0, 0.0, 0.0)

        def clear(self):
            pass

    guard = enabled()
    accept(guard, 0)
    guard.drive._stream = Mad()
    command = tick(guard, 1)
    assert command.values == ZERO
    assert (command.state, command.reason) == (State.FAULT, 'unsafe_twist')


def test_an_action_of_another_space_moves_nothing():
    guard = enabled()
    action = Action(np.full(TWO_ARMS.width, 0.01), 100 * MS, space=TWO_ARMS)
    assert guard.accept(action, 100 * MS, STEP_S).reason == 'action_space'
    assert tick(guard, 110).values == ZERO
    assert guard.counters == {'refused/action_space': 1}
    assert accept(guard, 120) is None
